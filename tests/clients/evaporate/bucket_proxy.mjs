// A proxy in front of the bucket: it records requests, and delays or answers those that a test
// selects.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

/** Forwards a request unmodified, with its `Host`. Passes the response's status to `onResponse`. */
export function forward(clientRequest, clientResponse, { hostname, port }, onResponse = () => {}) {
  const { method, url: path, headers } = clientRequest;
  const request = http.request({ hostname, port, method, path, headers }, (response) => {
    onResponse(response.statusCode);
    clientResponse.writeHead(response.statusCode, response.headers);
    response.pipe(clientResponse);
  });
  request.on('error', () => clientResponse.destroy());
  clientRequest.on('aborted', () => request.destroy());
  clientRequest.pipe(request);
}

export class BucketProxy {
  /** The answered requests: `{ method, host, query, status }`. */
  requests = [];
  #rules = [];

  /** Starts a proxy of a bucket's URL. Speaks HTTPS if it gets a certificate and its key. */
  static async start(bucket, certificate) {
    const proxy = new BucketProxy();
    proxy.target = new URL(bucket);
    const handler = (request, response) => proxy.#handle(request, response);
    proxy.server = certificate ? https.createServer(certificate, handler) : http.createServer(handler);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.port = proxy.server.address().port;
    proxy.url = `http://127.0.0.1:${proxy.port}`;
    return proxy;
  }

  /** Holds the next matching request. Resolves on its arrival, with a function that forwards it. */
  hold(method, query) {
    return new Promise((resolve) => {
      const action = (request, response) => resolve(() => this.#forward(request, response));
      this.#rules.push({ method, query, action });
    });
  }

  /** Answers the next matching request instead of the bucket. */
  respond(method, query, status, body) {
    const action = (request, response) => {
      request.resume().on('end', () => {
        this.#record(request, status);
        response.writeHead(status, { 'Content-Type': 'application/xml', 'Access-Control-Allow-Origin': '*' }).end(body);
      });
    };
    this.#rules.push({ method, query, action });
  }

  /** The number of matching requests that were answered with `status`. */
  count(method, query, status = 200) {
    return this.requests.filter((request) => request.method === method && query.test(request.query) && request.status === status).length;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  #handle(request, response) {
    const rule = this.#rules.findIndex(({ method, query }) => method === request.method && query.test(queryOf(request)));
    if (rule >= 0) return this.#rules.splice(rule, 1)[0].action(request, response);
    return this.#forward(request, response);
  }

  #forward(request, response) {
    forward(request, response, this.target, (status) => this.#record(request, status));
  }

  #record(request, status) {
    this.requests.push({ method: request.method, host: request.headers.host, query: queryOf(request), status });
  }
}

function queryOf(request) {
  return request.url.split('?')[1] ?? '';
}

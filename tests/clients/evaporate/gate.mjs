// A gate before the bucket: it notes what passes, and holds or refuses what a test chooses.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

/** Passes a request on as it is, host included. Tells the answer's status. */
export function forward(request, response, { hostname, port }, passed = () => {}) {
  const { method, url: path, headers } = request;
  const onward = http.request({ hostname, port, method, path, headers }, (answer) => {
    passed(answer.statusCode);
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.on('aborted', () => onward.destroy());
  request.pipe(onward);
}

export class Gate {
  /** What passed, with its status: `{ method, host, query, status }`. */
  passed = [];
  #orders = [];

  /** A certificate and its key make it one for HTTPS. */
  static async before(bucket, certificate) {
    const gate = new Gate();
    gate.place = new URL(bucket);
    const pass = (request, response) => gate.#pass(request, response);
    gate.server = certificate ? https.createServer(certificate, pass) : http.createServer(pass);
    gate.server.listen(0, '127.0.0.1');
    await once(gate.server, 'listening');
    gate.port = gate.server.address().port;
    gate.url = `http://127.0.0.1:${gate.port}`;
    return gate;
  }

  /** Holds the next request of a kind. The promise is kept when it is there, with what lets it go. */
  hold(method, query) {
    return new Promise((here) => {
      const does = (request, response) => here(() => this.#forward(request, response));
      this.#orders.push({ method, query, does });
    });
  }

  /** Answers the next request of a kind in the bucket's stead. */
  refuse(method, query, status, body) {
    const does = (request, response) => {
      request.resume().on('end', () => {
        this.#note(request, status);
        response.writeHead(status, { 'Content-Type': 'application/xml', 'Access-Control-Allow-Origin': '*' }).end(body);
      });
    };
    this.#orders.push({ method, query, does });
  }

  /** How many requests of a kind were answered so. */
  count(method, query, status = 200) {
    return this.passed.filter((one) => one.method === method && query.test(one.query) && one.status === status).length;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  #pass(request, response) {
    const order = this.#orders.findIndex(({ method, query }) => method === request.method && query.test(queryOf(request)));
    if (order >= 0) return this.#orders.splice(order, 1)[0].does(request, response);
    return this.#forward(request, response);
  }

  #forward(request, response) {
    forward(request, response, this.place, (status) => this.#note(request, status));
  }

  #note(request, status) {
    this.passed.push({ method: request.method, host: request.headers.host, query: queryOf(request), status });
  }
}

function queryOf(request) {
  return request.url.split('?')[1] ?? '';
}

// Uploads with Chromium, from a page whose origin differs from the API's and the bucket's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { BucketProxy, forward } from './bucket_proxy.mjs';
import { Issuer, MIB, LocalCloud, here, installed, sha256, until, within, work } from './local_cloud.mjs';

const { chromium } = installed('playwright-core');
const esbuild = installed('esbuild');

const issuer = new Issuer();
const PART = (number) => new RegExp(`partNumber=${number}&`);
let pages;
let cloud;
let s3Proxy;
let browser;

/** A self-signed certificate for all host names of S3. */
function certificate() {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(work, name));
  const subject = ['-subj', '/CN=amazonaws.com', '-addext', 'subjectAltName=DNS:*.amazonaws.com'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** Serves the page, its scripts and the API on one port. Each host name of the machine is an origin. */
async function serve() {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(here, 'hashes.mjs')],
    // npm installed the packages in another folder than this file's.
    nodePaths: [join(process.env.EVAPORATE_HOME, 'node_modules')],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'hashes',
    platform: 'browser',
    logLevel: 'error',
    alias: { crypto: 'crypto-browserify', stream: 'stream-browserify' },
    inject: [installed.resolve('process/browser')],
    define: { global: 'window', 'process.env.NODE_DEBUG': '""', 'process.browser': 'true', 'process.version': '"v16.0.0"' },
  });
  const script = (text) => ['text/javascript', text];
  const files = {
    '/': ['text/html', readFileSync(join(here, 'page.html'))],
    '/driver.js': script(readFileSync(join(here, 'driver.js'))),
    '/evaporate.js': script(readFileSync(installed.resolve('evaporate'))),
    '/hashes.js': script(outputFiles[0].text),
  };
  const server = http.createServer((request, response) => {
    if (request.url.startsWith('/Prod/')) return forward(request, response, new URL(cloud.api));
    const [type, text] = files[request.url] ?? [];
    return response.writeHead(type ? 200 : 404, { 'Content-Type': `${type}; charset=utf-8` }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const originOf = (name) => `http://${name}:${pages.address().port}`;

before(async () => {
  pages = await serve();
  const origins = `https://videos.example,${originOf('localhost')}`;
  cloud = await LocalCloud.start({ UploadOrigins: origins, UploadCallers: 'token', UploadCallerKeys: issuer.keys });
  s3Proxy = await BucketProxy.start(cloud.urls.bucket, certificate());
  const quiet = ['--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update'];
  browser = await chromium.launch({
    executablePath: process.env.EVAPORATE_CHROMIUM,
    args: ['--no-sandbox', `--host-resolver-rules=MAP *.amazonaws.com:443 127.0.0.1:${s3Proxy.port}`, ...quiet],
  });
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  await cloud?.stop();
  s3Proxy?.close();
  pages?.closeAllConnections();
  pages?.close();
}, { timeout: 30_000 });

/** A test with a page and its requests. Not with `page.route()`, which would disable preflights. */
function pageTest(name, origin, body) {
  test(name, { timeout: 60_000 }, async (t) => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const proxy = await BucketProxy.start(cloud.urls.bucket);
    t.after(async () => {
      proxy.close();
      await context.close();
    });
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    const sent = [];
    network.on('Network.requestWillBeSent', ({ requestId, initiator, request: { method, url } }) => {
      sent.push({ requestId, initiator: initiator.type, method, url });
    });
    network.on('Network.loadingFailed', ({ requestId, corsErrorStatus }) => {
      sent.filter((request) => request.requestId === requestId).forEach((request) => { request.corsError = corsErrorStatus?.corsError; });
    });
    await network.send('Network.enable');
    await page.goto(originOf(origin));
    const { time, ...urls } = cloud.urls;
    const token = issuer.token(`${name} in Chromium`);
    const create = `${urls.create}/${token}`;
    await body({ page, context, token, proxy, sent, urls: { ...urls, create, bucket: proxy.url } });
  });
}

function file(name, bytes) {
  const folder = join(work, 'files');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Uploads the selected file. Returns the result, or the error as the page sees it. */
function upload(page, urls, options = {}) {
  return page.evaluate(async ([urls, options]) => {
    const progress = [];
    window.progress = progress;
    try {
      const [file] = document.querySelector('input').files;
      const result = await window.Upload.send(file, urls, window.hashes, {
        created: (video) => { window.video = video; },
        started: (evaporate, id) => Object.assign(window, { evaporate, id }),
        paused: () => { window.paused = true; },
        progress: (fraction) => progress.push(fraction),
      }, options);
      return { ...result, progress };
    } catch (error) {
      return { error: String(error) };
    }
  }, [urls, options]);
}

/** The number of CORS preflights to URLs that start with `url`. */
function preflights(sent, url) {
  return sent.filter((request) => request.initiator === 'preflight' && request.method === 'OPTIONS' && request.url.startsWith(url)).length;
}

pageTest('a page of another origin sends preflights and uploads 12 MiB under a name with special characters', 'localhost', async (t) => {
  const { page, proxy, sent, urls } = t;
  const bytes = randomBytes(12 * MIB);
  const name = "Mum & Dad's 1+1 = 2 (final) größe 日本語 🎬.mp4";
  await page.setInputFiles('input', file(name, bytes));
  const second = proxy.hold('PUT', PART(2));
  const sending = upload(page, { ...urls, time: cloud.urls.time });
  const release = await within('the second part', second);
  await page.waitForFunction(() => window.progress.some((fraction) => fraction > 0 && fraction < 1));
  release();
  const { video, progress, error } = await within('the upload', sending);
  assert.equal(error, undefined);
  assert.equal(sha256(cloud.object(video)), sha256(bytes));
  assert.equal((await cloud.record(video)).name, name);
  assert.equal(await cloud.finalState(video), 'done');
  assert.equal(progress.at(-1), 1);

  assert.deepEqual([urls.create, urls.ingest].map((url) => preflights(sent, url)), [1, 1]);
  assert.deepEqual([urls.sign, cloud.urls.time].map((url) => preflights(sent, url)), [0, 0], 'simple requests have no preflight');
  assert.ok(sent.filter((request) => request.url.startsWith(`${urls.sign}/${video.videoId}?`)).length >= 5);
  // Initiate, three parts and complete. The browser may cache preflights.
  assert.ok(preflights(sent, urls.bucket) >= 2 && proxy.count('OPTIONS', /./) === preflights(sent, urls.bucket));
  assert.deepEqual([1, 2, 3].map((number) => proxy.count('PUT', PART(number))), [1, 1, 1]);
});

pageTest('an upload resumes after the page is reloaded', 'localhost', async ({ page, proxy, urls }) => {
  const bytes = randomBytes(12 * MIB);
  const path = file('again.webm', bytes);
  const resumable = { ...urls, create: `${urls.create}?resume=${bytes.length}` };
  await page.setInputFiles('input', path);
  const third = proxy.hold('PUT', PART(3));
  // The reload interrupts this upload.
  upload(page, resumable, { maxConcurrentParts: 1 }).catch(() => {});
  await within('the third part', third);
  await page.reload();
  await page.setInputFiles('input', path);
  const { video, error } = await within('the resumed upload', upload(page, resumable));
  assert.equal(error, undefined);
  assert.equal(sha256(cloud.object(video)), sha256(bytes));
  assert.deepEqual([1, 2, 3].map((number) => proxy.count('PUT', PART(number))), [1, 1, 1], 'each part is sent once');
  assert.equal(await cloud.finalState(video), 'done');
});

pageTest('an empty file is one empty part', 'localhost', async ({ page, proxy, urls }) => {
  await page.setInputFiles('input', file('nothing.mov', Buffer.alloc(0)));
  const { video, error } = await within('the upload', upload(page, urls));
  assert.equal(error, undefined);
  assert.deepEqual([cloud.object(video).length, proxy.count('PUT', /partNumber=/)], [0, 1]);
  assert.equal(await cloud.finalState(video), 'done');
});

pageTest('a cancelled upload is aborted and not ingested', 'localhost', async ({ page, proxy, urls }) => {
  await page.setInputFiles('input', file('cancelled.webm', randomBytes(12 * MIB)));
  const second = proxy.hold('PUT', PART(2));
  const sending = upload(page, urls, { maxConcurrentParts: 1 });
  await within('the second part', second);
  await within('the abort', page.evaluate(() => window.evaporate.cancel(window.id)));
  const { error } = await within('the cancelled upload', sending);
  assert.match(error, /User aborted the upload/);
  const video = await page.evaluate(() => window.video);
  assert.equal(proxy.count('DELETE', /^uploadId=/, 204), 1);
  assert.equal(cloud.object(video), undefined);
  assert.ok(!cloud.operations(video.videoId).some((operation) => operation.startsWith('ingest')));
});

pageTest('a paused upload resumes', 'localhost', async ({ page, proxy, urls }) => {
  const bytes = randomBytes(12 * MIB);
  await page.setInputFiles('input', file('paused.webm', bytes));
  const second = proxy.hold('PUT', PART(2));
  const sending = upload(page, urls, { maxConcurrentParts: 1 });
  // Pause while a part is sent: a pause during a signature request makes EvaporateJS wait forever.
  await within('the second part', second);
  await page.evaluate(() => window.evaporate.pause(window.id, { force: true }));
  await page.waitForFunction(() => window.paused);
  // `x-amz-date` has whole seconds: after the sleep, the date of the stored request is stale.
  await sleep(1_500);
  await page.evaluate(() => { window.evaporate.resume(window.id); });
  const { video, error } = await within('the resumed upload', sending);
  assert.equal(error, undefined);
  assert.equal(sha256(cloud.object(video)), sha256(bytes));
});

pageTest('an expired session signs no more requests', 'localhost', async ({ page, proxy, urls }) => {
  await page.setInputFiles('input', file('late.webm', randomBytes(12 * MIB)));
  const second = proxy.hold('PUT', PART(2));
  const sending = upload(page, urls, { maxConcurrentParts: 1, retryBackoffPower: 1 });
  await within('the second part', second);
  const video = await page.evaluate(() => window.video);
  await cloud.expire(video);
  proxy.server.closeAllConnections();
  const { error } = await within('the rejection', sending);
  assert.match(error, /Permission denied status:403/);
  await cloud.waitForLog(video, 'sign session_unavailable');
  assert.equal(proxy.count('POST', /^uploadId=/), 0);
});

for (const [minutes, time] of [[10, false], [-10, false], [30, true]]) {
  pageTest(`a clock that is off by ${minutes} minutes works${time ? ' with /time' : ''}`, 'localhost', async (t) => {
    const { page, urls } = t;
    await page.evaluate((milliseconds) => {
      const RealDate = Date;
      window.Date = class extends RealDate {
        constructor(...args) {
          super(...(args.length ? args : [RealDate.now() + milliseconds]));
        }

        static now() {
          return RealDate.now() + milliseconds;
        }
      };
    }, minutes * 60_000);
    const bytes = randomBytes(1024);
    await page.setInputFiles('input', file('off.webm', bytes));
    const { video, error } = await within('the upload', upload(page, time ? { ...urls, time: cloud.urls.time } : urls));
    assert.equal(error, undefined);
    assert.equal(sha256(cloud.object(video)), sha256(bytes));
  });
}

pageTest('the browser blocks a page of an origin that is not allowed', '127.0.0.1', async ({ page, proxy, sent, urls }) => {
  const before = cloud.createRequests();
  await page.setInputFiles('input', file('refused.webm', randomBytes(1024)));
  const { error } = await within('the rejection', upload(page, urls));
  assert.equal(error, 'Error: the browser blocked the response');
  await until('the preflight is rejected', () => sent.some((request) => request.corsError));
  assert.equal(preflights(sent, urls.create), 1);
  assert.ok(sent.some((request) => request.url === urls.create && request.corsError === 'PreflightMissingAllowOriginHeader'), JSON.stringify(sent));
  // The browser sends simple requests, but blocks their responses.
  const time = await page.evaluate((url) => fetch(url).then((response) => response.text(), String), cloud.urls.time);
  assert.match(time, /^TypeError: Failed to fetch/);
  assert.deepEqual([cloud.createRequests(), proxy.requests.length], [before, 0]);
});

pageTest('a page gets the reason why it cannot create a video', 'localhost', async ({ page, urls }) => {
  await page.setInputFiles('input', file('anonymous.webm', randomBytes(1024)));
  const anonymous = await within('the response', upload(page, { ...urls, create: cloud.urls.create }));
  assert.match(anonymous.error, /^Error: 401 .*"unauthenticated"/);
  const token = issuer.token('of images alone', { types: ['png'] });
  const wrong = await within('the response', upload(page, { ...urls, create: `${cloud.urls.create}/${token}` }));
  assert.match(wrong.error, /^Error: 422 .*"type_not_allowed"/);
});

pageTest("a page of the API's own origin authenticates with a cookie, without preflights", 'localhost', async (t) => {
  const { page, context, token, proxy, sent } = t;
  const own = { create: '/Prod/upload', sign: '/Prod/sign', ingest: '/Prod/ingest', bucket: proxy.url };
  const bytes = randomBytes(1024);
  await page.setInputFiles('input', file('cookie.webm', bytes));
  const anonymous = await within('the response', upload(page, own));
  assert.match(anonymous.error, /^Error: 401 .*"unauthenticated"/);
  await context.addCookies([{ name: 'rampway_upload', value: token, url: originOf('localhost'), httpOnly: true, sameSite: 'Strict' }]);
  const { video, error } = await within('the upload', upload(page, own));
  assert.equal(error, undefined);
  assert.equal(sha256(cloud.object(video)), sha256(bytes));
  assert.equal(await cloud.finalState(video), 'done');
  assert.equal(preflights(sent, originOf('localhost')), 0);
});

for (const [name, options, host] of [
  ['path style', {}, () => 's3.amazonaws.com'],
  ['virtual-hosted style', { cloudfront: true }, (bucket) => `${bucket}.s3.amazonaws.com`],
  ['transfer acceleration', { s3Acceleration: true }, (bucket) => `${bucket}.s3-accelerate.amazonaws.com`],
]) {
  pageTest(`uploads go to S3's host names: ${name}`, 'localhost', async ({ page, urls }) => {
    const bytes = randomBytes(6 * MIB);
    await page.setInputFiles('input', file('s3.webm', bytes));
    const { bucket, ...others } = urls;
    const before = s3Proxy.requests.length;
    const { video, error } = await within('the upload', upload(page, others, options));
    assert.equal(error, undefined);
    assert.equal(sha256(cloud.object(video)), sha256(bytes));
    const requests = s3Proxy.requests.slice(before);
    const parts = requests.filter(({ method }) => method === 'PUT').map(({ host, status }) => [host, status]);
    assert.deepEqual(parts, Array(2).fill([host(video.bucket), 200]));
    assert.ok(requests.some(({ method }) => method === 'OPTIONS'));
  });
}

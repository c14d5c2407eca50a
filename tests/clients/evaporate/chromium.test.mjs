// What a real browser allows: a page of another origin than the API's and the bucket's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Gate, forward } from './gate.mjs';
import { Issuer, MIB, Suite, here, installed, sha256, until, within, work } from './suite.mjs';

const { chromium } = installed('playwright-core');
const esbuild = installed('esbuild');

const issuer = new Issuer();
const PART = (number) => new RegExp(`partNumber=${number}&`);
let pages;
let suite;
let s3;
let browser;

/** A certificate for all names of S3. */
function certificate() {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(work, name));
  const subject = ['-subj', '/CN=amazonaws.com', '-addext', 'subjectAltName=DNS:*.amazonaws.com'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** The page and its scripts, on a port of all of this machine's names: each name is an origin. The API is on it, too. */
async function serve() {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(here, 'hashes.mjs')],
    // The hashes' packages are not beside this file, but where npm put them.
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
    if (request.url.startsWith('/Prod/')) return forward(request, response, new URL(suite.api));
    const [type, text] = files[request.url] ?? [];
    return response.writeHead(type ? 200 : 404, { 'Content-Type': `${type}; charset=utf-8` }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const at = (name) => `http://${name}:${pages.address().port}`;

before(async () => {
  pages = await serve();
  const origins = `https://videos.example,${at('localhost')}`;
  suite = await Suite.start({ UploadOrigins: origins, UploadCallers: 'token', UploadCallerKeys: issuer.keys });
  s3 = await Gate.before(suite.urls.bucket, certificate());
  const quiet = ['--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update'];
  browser = await chromium.launch({
    executablePath: process.env.EVAPORATE_CHROMIUM,
    args: ['--no-sandbox', `--host-resolver-rules=MAP *.amazonaws.com:443 127.0.0.1:${s3.port}`, ...quiet],
  });
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  await suite?.stop();
  s3?.close();
  pages?.closeAllConnections();
  pages?.close();
}, { timeout: 30_000 });

/** A test with a page of an origin, and what the browser really sent: `page.route()` would switch preflights off. */
function promise(name, origin, deed) {
  test(name, { timeout: 60_000 }, async (t) => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const gate = await Gate.before(suite.urls.bucket);
    t.after(async () => {
      gate.close();
      await context.close();
    });
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    const sent = [];
    network.on('Network.requestWillBeSent', ({ requestId, initiator, request: { method, url } }) => {
      sent.push({ requestId, by: initiator.type, method, url });
    });
    network.on('Network.loadingFailed', ({ requestId, corsErrorStatus }) => {
      sent.filter((one) => one.requestId === requestId).forEach((one) => { one.refused = corsErrorStatus?.corsError; });
    });
    await network.send('Network.enable');
    await page.goto(at(origin));
    const { time, ...urls } = suite.urls;
    const token = issuer.token(`${name} in Chromium`);
    const create = `${urls.create}/${token}`;
    await deed({ page, context, token, gate, sent, urls: { ...urls, create, bucket: gate.url } });
  });
}

function file(name, bytes) {
  const folder = join(work, 'files');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Uploads the file that was chosen; errors are told, as the page would see them. */
function upload(page, urls, options = {}) {
  return page.evaluate(async ([urls, options]) => {
    const progress = [];
    window.progress = progress;
    try {
      const [file] = document.querySelector('input').files;
      const sent = await window.Upload.send(file, urls, window.hashes, {
        created: (video) => { window.video = video; },
        begun: (evaporate, id) => Object.assign(window, { evaporate, id }),
        paused: () => { window.paused = true; },
        progress: (part) => progress.push(part),
      }, options);
      return { ...sent, progress };
    } catch (error) {
      return { error: String(error) };
    }
  }, [urls, options]);
}

/** How often the browser itself asked for leave. */
function preflights(sent, url) {
  return sent.filter((one) => one.by === 'preflight' && one.method === 'OPTIONS' && one.url.startsWith(url)).length;
}

promise('a page of another origin uploads 12 MiB under an odd name, and asks for leave first', 'localhost', async (t) => {
  const { page, gate, sent, urls } = t;
  const bytes = randomBytes(12 * MIB);
  const name = "Mum & Dad's 1+1 = 2 (final) größe 日本語 🎬.mp4";
  await page.setInputFiles('input', file(name, bytes));
  const second = gate.hold('PUT', PART(2));
  const sending = upload(page, { ...urls, time: suite.urls.time });
  const release = await within('the second part', second);
  await page.waitForFunction(() => window.progress.some((part) => part > 0 && part < 1));
  release();
  const { video, progress, error } = await within('the upload', sending);
  assert.equal(error, undefined);
  assert.equal(sha256(suite.object(video)), sha256(bytes));
  assert.equal((await suite.stored(video)).name, name);
  assert.equal(await suite.fate(video), 'done');
  assert.equal(progress.at(-1), 1);

  assert.deepEqual([urls.create, urls.ingest].map((url) => preflights(sent, url)), [1, 1]);
  assert.deepEqual([urls.sign, suite.urls.time].map((url) => preflights(sent, url)), [0, 0], 'what is simple needs no leave');
  assert.ok(sent.filter((one) => one.url.startsWith(`${urls.sign}/${video.videoId}?`)).length >= 5);
  // Each of initiate, three parts and complete; the browser may remember one for another.
  assert.ok(preflights(sent, urls.bucket) >= 2 && gate.count('OPTIONS', /./) === preflights(sent, urls.bucket));
  assert.deepEqual([1, 2, 3].map((number) => gate.count('PUT', PART(number))), [1, 1, 1]);
});

promise('a page that was left in the middle goes on when it comes back', 'localhost', async ({ page, gate, urls }) => {
  const bytes = randomBytes(12 * MIB);
  const path = file('again.webm', bytes);
  const resumable = { ...urls, create: `${urls.create}?resume=${bytes.length}` };
  await page.setInputFiles('input', path);
  const third = gate.hold('PUT', PART(3));
  // It never ends: the page is left.
  upload(page, resumable, { maxConcurrentParts: 1 }).catch(() => {});
  await within('the third part', third);
  await page.reload();
  await page.setInputFiles('input', path);
  const { video, error } = await within('the rest', upload(page, resumable));
  assert.equal(error, undefined);
  assert.equal(sha256(suite.object(video)), sha256(bytes));
  assert.deepEqual([1, 2, 3].map((number) => gate.count('PUT', PART(number))), [1, 1, 1], 'no part is sent twice');
  assert.equal(await suite.fate(video), 'done');
});

promise('an empty file is one empty part', 'localhost', async ({ page, gate, urls }) => {
  await page.setInputFiles('input', file('nothing.mov', Buffer.alloc(0)));
  const { video, error } = await within('the upload', upload(page, urls));
  assert.equal(error, undefined);
  assert.deepEqual([suite.object(video).length, gate.count('PUT', /partNumber=/)], [0, 1]);
  assert.equal(await suite.fate(video), 'done');
});

promise('what is cancelled is aborted, and not handed over', 'localhost', async ({ page, gate, urls }) => {
  await page.setInputFiles('input', file('cancelled.webm', randomBytes(12 * MIB)));
  const second = gate.hold('PUT', PART(2));
  const sending = upload(page, urls, { maxConcurrentParts: 1 });
  await within('the second part', second);
  await within('the abort', page.evaluate(() => window.evaporate.cancel(window.id)));
  const { error } = await within('the end', sending);
  assert.match(error, /User aborted the upload/);
  const video = await page.evaluate(() => window.video);
  assert.equal(gate.count('DELETE', /^uploadId=/, 204), 1);
  assert.equal(suite.object(video), undefined);
  assert.ok(!suite.deeds(video.videoId).some((deed) => deed.startsWith('ingest')));
});

promise('what is paused goes on', 'localhost', async ({ page, gate, urls }) => {
  const bytes = randomBytes(12 * MIB);
  await page.setInputFiles('input', file('paused.webm', bytes));
  const second = gate.hold('PUT', PART(2));
  const sending = upload(page, urls, { maxConcurrentParts: 1 });
  // While a part is under way: while one is being signed, the client loses it and waits for ever.
  await within('the second part', second);
  await page.evaluate(() => window.evaporate.pause(window.id, { force: true }));
  await page.waitForFunction(() => window.paused);
  // Dates have whole seconds: now the one of the request that the client kept is another.
  await sleep(1_500);
  await page.evaluate(() => { window.evaporate.resume(window.id); });
  const { video, error } = await within('the rest', sending);
  assert.equal(error, undefined);
  assert.equal(sha256(suite.object(video)), sha256(bytes));
});

promise('a session that is over signs nothing more', 'localhost', async ({ page, gate, urls }) => {
  await page.setInputFiles('input', file('late.webm', randomBytes(12 * MIB)));
  const second = gate.hold('PUT', PART(2));
  const sending = upload(page, urls, { maxConcurrentParts: 1, retryBackoffPower: 1 });
  await within('the second part', second);
  const video = await page.evaluate(() => window.video);
  await suite.expire(video);
  gate.server.closeAllConnections();
  const { error } = await within('the refusal', sending);
  assert.match(error, /Permission denied status:403/);
  await suite.says(video, 'sign session_unavailable');
  assert.equal(gate.count('POST', /^uploadId=/), 0);
});

for (const [minutes, time] of [[10, false], [-10, false], [30, true]]) {
  promise(`a clock ${minutes} minutes from ours will do${time ? ' where /time puts it right' : ''}`, 'localhost', async (t) => {
    const { page, urls } = t;
    await page.evaluate((milliseconds) => {
      const Right = Date;
      window.Date = class extends Right {
        constructor(...given) {
          super(...(given.length ? given : [Right.now() + milliseconds]));
        }

        static now() {
          return Right.now() + milliseconds;
        }
      };
    }, minutes * 60_000);
    const bytes = randomBytes(1024);
    await page.setInputFiles('input', file('off.webm', bytes));
    const { video, error } = await within('the upload', upload(page, time ? { ...urls, time: suite.urls.time } : urls));
    assert.equal(error, undefined);
    assert.equal(sha256(suite.object(video)), sha256(bytes));
  });
}

promise('a page of an origin that is not configured is refused by the browser', '127.0.0.1', async ({ page, gate, sent, urls }) => {
  const before = suite.created();
  await page.setInputFiles('input', file('refused.webm', randomBytes(1024)));
  const { error } = await within('the refusal', upload(page, urls));
  assert.equal(error, 'Error: the browser let no answer through');
  await until('the preflight was refused', () => sent.some((one) => one.refused));
  assert.equal(preflights(sent, urls.create), 1);
  assert.ok(sent.some((one) => one.url === urls.create && one.refused === 'PreflightMissingAllowOriginHeader'), JSON.stringify(sent));
  // What needs no leave is asked, and what is answered stays hidden.
  const time = await page.evaluate((url) => fetch(url).then((answer) => answer.text(), String), suite.urls.time);
  assert.match(time, /^TypeError: Failed to fetch/);
  assert.deepEqual([suite.created(), gate.passed.length], [before, 0]);
});

promise('a page is told why it may not create a video', 'localhost', async ({ page, urls }) => {
  await page.setInputFiles('input', file('nobody.webm', randomBytes(1024)));
  const nobody = await within('the answer', upload(page, { ...urls, create: suite.urls.create }));
  assert.match(nobody.error, /^Error: 401 .*"unauthenticated"/);
  const token = issuer.token('of images alone', { types: ['png'] });
  const wrong = await within('the answer', upload(page, { ...urls, create: `${suite.urls.create}/${token}` }));
  assert.match(wrong.error, /^Error: 422 .*"type_not_allowed"/);
});

promise("a page of the API's own origin shows a cookie instead, and needs no leave", 'localhost', async (t) => {
  const { page, context, token, gate, sent } = t;
  const own = { create: '/Prod/upload', sign: '/Prod/sign', ingest: '/Prod/ingest', bucket: gate.url };
  const bytes = randomBytes(1024);
  await page.setInputFiles('input', file('cookie.webm', bytes));
  const nobody = await within('the answer', upload(page, own));
  assert.match(nobody.error, /^Error: 401 .*"unauthenticated"/);
  await context.addCookies([{ name: 'rampway_upload', value: token, url: at('localhost'), httpOnly: true, sameSite: 'Strict' }]);
  const { video, error } = await within('the upload', upload(page, own));
  assert.equal(error, undefined);
  assert.equal(sha256(suite.object(video)), sha256(bytes));
  assert.equal(await suite.fate(video), 'done');
  assert.equal(preflights(sent, at('localhost')), 0);
});

for (const [name, options, host] of [
  ['by the bucket in its path', {}, () => 's3.amazonaws.com'],
  ['by the bucket in its host', { cloudfront: true }, (bucket) => `${bucket}.s3.amazonaws.com`],
  ['by its accelerated name', { s3Acceleration: true }, (bucket) => `${bucket}.s3-accelerate.amazonaws.com`],
]) {
  promise(`S3 is found under its own names: ${name}`, 'localhost', async ({ page, urls }) => {
    const bytes = randomBytes(6 * MIB);
    await page.setInputFiles('input', file('s3.webm', bytes));
    const { bucket, ...others } = urls;
    const before = s3.passed.length;
    const { video, error } = await within('the upload', upload(page, others, options));
    assert.equal(error, undefined);
    assert.equal(sha256(suite.object(video)), sha256(bytes));
    const passed = s3.passed.slice(before);
    const parts = passed.filter(({ method }) => method === 'PUT').map(({ host, status }) => [host, status]);
    assert.deepEqual(parts, Array(2).fill([host(video.bucket), 200]));
    assert.ok(passed.some(({ method }) => method === 'OPTIONS'));
  });
}

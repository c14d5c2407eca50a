// Uploads with EvaporateJS in jsdom, with and without failures.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { BucketProxy } from './bucket_proxy.mjs';
import { Issuer, MIB, LocalCloud, sha256, until, within } from './local_cloud.mjs';
import { Window } from './window.mjs';

/** An origin that `rampway serve` allows by default. */
const ORIGIN = 'http://localhost:8080';
const PART = (number) => new RegExp(`partNumber=${number}&`);
const ANY_PART = /partNumber=/;
const INITIATE = /^uploads/;
const OF_UPLOAD = /^uploadId=/;
const ONE_AT_A_TIME = { maxConcurrentParts: 1 };

const issuer = new Issuer();
const secrets = new Set();
let publicCloud;
let tokenCloud;

before(async () => {
  [publicCloud, tokenCloud] = await Promise.all([LocalCloud.start(), LocalCloud.start({ UploadCallers: 'token', UploadCallerKeys: issuer.keys })]);
}, { timeout: 90_000 });

after(async () => Promise.all([publicCloud?.stop(), tokenCloud?.stop()]), { timeout: 30_000 });

/** A test with bucket proxies and windows, which are closed at the end. */
function windowTest(name, body, timeout = 45_000) {
  test(name, { timeout }, async (t) => {
    const proxies = [];
    t.after(() => proxies.forEach((proxy) => proxy.close()));
    const connect = async (cloud, more = {}) => {
      const proxy = await BucketProxy.start(cloud.urls.bucket);
      proxies.push(proxy);
      const { time, ...urls } = cloud.urls;
      return { proxy, urls: { ...urls, bucket: proxy.url, ...more } };
    };
    const window = (options) => {
      const window = new Window(ORIGIN, options);
      t.after(() => window.close());
      return window;
    };
    await body({ connect, window });
  });
}

/** Records an upload's video, progress and id. Its session token must not be logged. */
function recorder(on = {}) {
  const recorded = { progress: [] };
  recorded.on = {
    ...on,
    created: async (video) => {
      recorded.video = video;
      secrets.add(video.sessionToken);
      await on.created?.(video);
    },
    progress: (fraction) => recorded.progress.push(fraction),
    started: (evaporate, id) => Object.assign(recorded, { evaporate, id }),
  };
  return recorded;
}

/** Uploads bytes, and asserts that the bucket has them and that the video is processed. */
async function assertUploads({ connect, window }, cloud, name, bytes, { clockOffset, more, during } = {}) {
  const { proxy, urls } = await connect(cloud, more);
  const page = window({ clockOffset });
  const recorded = recorder();
  const before = cloud.pendingParts();
  const sent = page.send(page.file(name, bytes), urls, recorded.on);
  await during?.(proxy, recorded);
  const { video, job } = await within('the upload', sent);
  assert.match(job, /^[\w-]+$/);
  assert.equal(sha256(cloud.object(video)), sha256(bytes));
  assert.equal(cloud.pendingParts(), before, 'no parts remain after the upload');
  assert.equal(await cloud.finalState(video), 'done');
  assert.equal((await cloud.record(video)).name, name);
  return { proxy, video, recorded };
}

windowTest('12 MiB are sent in parts, with progress, and stored unchanged', async (t) => {
  const during = async (proxy, { progress }) => {
    const release = await within('the second part', proxy.hold('PUT', PART(2)));
    await until('the upload reports progress', () => progress.some((fraction) => fraction > 0 && fraction < 1));
    release();
  };
  const { proxy, video, recorded } = await assertUploads(t, publicCloud, 'Office_Perks.webm', randomBytes(12 * MIB), { during });
  assert.deepEqual([1, 2, 3, 4].map((number) => proxy.count('PUT', PART(number))), [1, 1, 1, 0]);
  assert.deepEqual([proxy.count('POST', INITIATE), proxy.count('POST', OF_UPLOAD)], [1, 1]);
  assert.equal(recorded.progress.at(-1), 1);
  const operations = await until('all operations are logged', () => {
    const operations = publicCloud.operations(video.videoId).filter((operation) => /^(sign|ingest) /.test(operation));
    return operations.length >= 6 && operations;
  });
  assert.deepEqual(operations.sort(), ['ingest ok', ...Array(5).fill('sign ok')]);
  assert.ok((await publicCloud.record(video)).sealed === undefined, 'the credentials are deleted once they are not needed');
});

windowTest('1 KiB is one part', async (t) => {
  const { proxy } = await assertUploads(t, publicCloud, 'short.mp4', randomBytes(1024));
  assert.equal(proxy.count('PUT', ANY_PART), 1);
});

windowTest('an empty file is one empty part', async (t) => {
  const { proxy } = await assertUploads(t, publicCloud, 'nothing.mov', Buffer.alloc(0));
  assert.equal(proxy.count('PUT', ANY_PART), 1);
});

windowTest('a name may have spaces, plus signs and any letters', async (t) => {
  const { video } = await assertUploads(t, publicCloud, "Mum & Dad's 1+1 = 2 (final) 100% größe 日本語 🎬.MP4", randomBytes(6 * MIB));
  assert.match(video.objectKey, /\/source\.mp4$/);
});

windowTest('two concurrent uploads arrive in separate videos', async (t) => {
  const { proxy, urls } = await t.connect(publicCloud);
  const page = t.window();
  const files = [randomBytes(6 * MIB), randomBytes(7 * MIB)];
  const sent = files.map((bytes, index) => page.send(page.file(`both-${index}.webm`, bytes), urls, recorder().on));
  const both = await within('both uploads', Promise.all(sent));
  assert.notEqual(both[0].video.videoId, both[1].video.videoId);
  files.forEach((bytes, index) => assert.equal(sha256(publicCloud.object(both[index].video)), sha256(bytes)));
  assert.equal(proxy.count('PUT', ANY_PART), 4);
});

windowTest('a request that S3 throttles is signed and sent again', async (t) => {
  const { proxy, urls } = await t.connect(publicCloud);
  const slow = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
  proxy.respond('PUT', PART(1), 503, slow);
  proxy.respond('POST', OF_UPLOAD, 503, slow);
  const page = t.window();
  const bytes = randomBytes(6 * MIB);
  const { video } = await within('the upload', page.send(page.file('again.webm', bytes), urls, recorder().on));
  assert.equal(sha256(publicCloud.object(video)), sha256(bytes));
  assert.deepEqual([proxy.count('PUT', PART(1), 503), proxy.count('PUT', PART(1)), proxy.count('POST', OF_UPLOAD)], [1, 1, 1]);
});

windowTest('an interrupted upload resumes in another window, into the same video', async (t) => {
  const token = issuer.token('ada');
  const { proxy, urls } = await t.connect(tokenCloud, { create: `${tokenCloud.urls.create}/${token}?resume=${12 * MIB}` });
  const bytes = randomBytes(12 * MIB);
  const first = t.window();
  const recorded = recorder();
  const third = proxy.hold('PUT', PART(3));
  first.send(first.file('resumed.webm', bytes), urls, recorded.on, ONE_AT_A_TIME);
  await within('the third part', third);
  const { storage } = first;
  first.close();
  assert.equal(Object.keys(JSON.parse(storage.awsUploads)).length, 1, 'the client stores the upload');
  assert.equal(tokenCloud.pendingParts(), 2);

  const second = t.window({ storage });
  const { video } = await within('the resumed upload', second.send(second.file('resumed.webm', bytes), urls, recorder().on));
  assert.deepEqual([video.videoId, video.objectKey], [recorded.video.videoId, recorded.video.objectKey]);
  assert.equal(sha256(tokenCloud.object(video)), sha256(bytes));
  assert.deepEqual([1, 2, 3].map((number) => proxy.count('PUT', PART(number))), [1, 1, 1], 'each part is sent once');
  assert.deepEqual([proxy.count('POST', INITIATE), proxy.count('GET', /part-number-marker=0/)], [1, 1]);
  assert.equal(await tokenCloud.finalState(video), 'done');
});

windowTest('an upload resumes after a restart of `rampway serve`', async (t) => {
  const parameters = { Sides: 'none', UploadCallers: 'token', UploadCallerKeys: issuer.keys };
  const create = `/${issuer.token('alan')}?resume=1`;
  const bytes = randomBytes(6 * MIB);
  let cloud = await LocalCloud.start(parameters);
  try {
    const { proxy, urls } = await t.connect(cloud, { create: cloud.urls.create + create });
    const first = t.window();
    const recorded = recorder();
    const second = proxy.hold('PUT', PART(2));
    first.send(first.file('restarted.webm', bytes), urls, recorded.on, ONE_AT_A_TIME);
    await within('the second part', second);
    const { storage } = first;
    first.close();
    await cloud.stop();

    cloud = await LocalCloud.start(parameters, cloud.stateDir);
    const restarted = await t.connect(cloud, { create: cloud.urls.create + create });
    const page = t.window({ storage });
    const { video } = await within('the resumed upload', page.send(page.file('restarted.webm', bytes), restarted.urls, recorder().on));
    assert.equal(video.videoId, recorded.video.videoId);
    assert.equal(sha256(cloud.object(video)), sha256(bytes));
    assert.deepEqual([1, 2].map((number) => restarted.proxy.count('PUT', PART(number))), [0, 1], 'the first part is not sent again');
    assert.equal(await cloud.finalState(video), 'done');
  } finally {
    await cloud.stop();
  }
}, 60_000);

windowTest('another client cannot resume the upload: the new video\'s session does not sign for the old object', async (t) => {
  const { proxy, urls } = await t.connect(publicCloud);
  const bytes = randomBytes(12 * MIB);
  const first = t.window();
  const recorded = recorder();
  const third = proxy.hold('PUT', PART(3));
  first.send(first.file('stranger.webm', bytes), urls, recorded.on, ONE_AT_A_TIME);
  await within('the third part', third);
  const { storage } = first;
  first.close();

  const second = t.window({ storage });
  const other = recorder();
  const sent = second.send(second.file('stranger.webm', bytes), urls, other.on);
  await assert.rejects(within('the rejection', sent), /Permission denied status:403/);
  assert.notEqual(other.video.videoId, recorded.video.videoId);
  await publicCloud.waitForLog(other.video, 'sign key_not_allowed');
  assert.ok(!publicCloud.operations(other.video.videoId).includes('sign ok'));
  assert.equal(proxy.count('GET', /./) + proxy.count('POST', OF_UPLOAD), 0, 'the bucket gets no request');
  assert.equal(publicCloud.object(other.video) ?? publicCloud.object(recorded.video), undefined);
  assert.equal(await publicCloud.state(other.video), 'open');
});

windowTest('a cancelled upload is aborted, and its video is not reused', async (t) => {
  const create = `${tokenCloud.urls.create}/${issuer.token('grace')}`;
  const { proxy, urls } = await t.connect(tokenCloud, { create });
  const before = tokenCloud.pendingParts();
  const page = t.window();
  const recorded = recorder();
  const second = proxy.hold('PUT', PART(2));
  const sent = page.send(page.file('cancelled.webm', randomBytes(12 * MIB)), urls, recorded.on, ONE_AT_A_TIME);
  await within('the second part', second);
  await within('the abort', recorded.evaporate.cancel(recorded.id));
  await assert.rejects(within('the cancelled upload', sent), /User aborted the upload/);
  assert.equal(proxy.count('DELETE', OF_UPLOAD, 204), 1);
  assert.equal(tokenCloud.pendingParts(), before, 'its parts are deleted');
  assert.equal(tokenCloud.object(recorded.video), undefined);
  assert.ok(!tokenCloud.operations(recorded.video.videoId).some((operation) => operation.startsWith('ingest')));

  const bytes = randomBytes(1024);
  const { video } = await within('the next upload', page.send(page.file('cancelled.webm', bytes), urls, recorder().on));
  assert.notEqual(video.videoId, recorded.video.videoId);
  assert.equal(sha256(tokenCloud.object(video)), sha256(bytes));
});

windowTest('a paused upload resumes: a stale request is rejected, so that the client makes a new one', async (t) => {
  const { proxy, urls } = await t.connect(publicCloud);
  const page = t.window();
  const bytes = randomBytes(12 * MIB);
  let paused;
  const pause = new Promise((resolve) => { paused = resolve; });
  const recorded = recorder({ paused });
  const second = proxy.hold('PUT', PART(2));
  const sent = page.send(page.file('paused.webm', bytes), urls, recorded.on, ONE_AT_A_TIME);
  // Pause while a part is sent: a pause during a signature request makes EvaporateJS wait forever.
  await within('the second part', second);
  await sleep(100);
  recorded.evaporate.pause(recorded.id, { force: true });
  await within('the pause', pause);
  // `x-amz-date` has whole seconds: after the sleep, the date of the stored request is stale.
  await sleep(1_500);
  await recorded.evaporate.resume(recorded.id);
  const { video } = await within('the resumed upload', sent);
  assert.equal(sha256(publicCloud.object(video)), sha256(bytes));
  await publicCloud.waitForLog(video, 'sign stale_date');
});

windowTest('an expired session signs no more requests, and its video is reaped', async (t) => {
  const { proxy, urls } = await t.connect(publicCloud);
  const page = t.window();
  const recorded = recorder();
  const second = proxy.hold('PUT', PART(2));
  const sent = page.send(page.file('late.webm', randomBytes(12 * MIB)), urls, recorded.on, { ...ONE_AT_A_TIME, retryBackoffPower: 1 });
  await within('the second part', second);
  await publicCloud.expire(recorded.video);
  proxy.server.closeAllConnections();
  await assert.rejects(within('the rejection', sent), /Permission denied status:403/);
  await publicCloud.waitForLog(recorded.video, 'sign session_unavailable');
  assert.deepEqual([proxy.count('PUT', ANY_PART), proxy.count('POST', OF_UPLOAD)], [1, 0]);
  await publicCloud.reap();
  assert.equal(await publicCloud.finalState(recorded.video), 'reaped');
});

windowTest('an upload is rejected if its session has expired before the first request', async (t) => {
  const { proxy, urls } = await t.connect(publicCloud);
  const page = t.window();
  const recorded = recorder({ created: (video) => publicCloud.expire(video) });
  const sent = page.send(page.file('never.webm', randomBytes(1024)), urls, recorded.on);
  await assert.rejects(within('the rejection', sent), /Permission denied status:403/);
  await publicCloud.waitForLog(recorded.video, 'sign session_unavailable');
  assert.ok(!publicCloud.operations(recorded.video.videoId).includes('sign ok'));
  assert.equal(proxy.requests.filter(({ method }) => method !== 'OPTIONS').length, 0);
});

for (const clockOffset of [10, -10]) {
  windowTest(`a clock that is off by ${clockOffset} minutes works`, async (t) => {
    await assertUploads(t, publicCloud, `off by ${clockOffset}.webm`, randomBytes(1024), { clockOffset });
  });
  windowTest(`a clock that is off by ${clockOffset} minutes is corrected with /time`, async (t) => {
    await assertUploads(t, publicCloud, `corrected by ${clockOffset}.webm`, randomBytes(1024), { clockOffset, more: { time: publicCloud.urls.time } });
  });
}

for (const clockOffset of [30, -30]) {
  windowTest(`a clock that is off by ${clockOffset} minutes is corrected with /time`, async (t) => {
    const { video } = await assertUploads(t, publicCloud, `far by ${clockOffset}.webm`, randomBytes(6 * MIB), { clockOffset, more: { time: publicCloud.urls.time } });
    assert.ok(!publicCloud.operations(video.videoId).includes('sign clock_skew'));
  });
  windowTest(`a clock that is off by ${clockOffset} minutes gets no signature without /time`, async (t) => {
    const { proxy, urls } = await t.connect(publicCloud);
    const page = t.window({ clockOffset });
    const recorded = recorder();
    let ended = false;
    page.send(page.file('skewed.webm', randomBytes(1024)), urls, recorded.on).catch(() => {}).finally(() => { ended = true; });
    // EvaporateJS retries forever.
    await until('three requests are rejected', () => recorded.video && publicCloud.operations(recorded.video.videoId).length >= 3);
    assert.ok(!ended);
    page.close();
    assert.ok(publicCloud.operations(recorded.video.videoId).every((operation) => operation === 'sign clock_skew'));
    assert.equal(proxy.requests.length, 0, 'the bucket gets no request');
  });
}

windowTest('create is rejected without a token, and with a token for another audience', async (t) => {
  const { urls } = await t.connect(tokenCloud);
  const page = t.window();
  const create = async (url) => page.send(page.file('mine.webm', randomBytes(16)), { ...urls, create: url });
  await assert.rejects(within('the response', create(urls.create)), /^Error: 401 .*"unauthenticated"/);
  const other = issuer.token('eve', { aud: 'another' });
  await assert.rejects(within('the response', create(`${urls.create}/${other}`)), /^Error: 403 .*"forbidden"/);
  const forged = new Issuer().token('eve');
  await assert.rejects(within('the response', create(`${urls.create}/${forged}`)), /^Error: 401 .*"unauthenticated"/);
});

windowTest('the logs contain no secrets', async () => {
  const lines = [...publicCloud.logLines, ...tokenCloud.logLines].join('\n');
  assert.ok(secrets.size > 10 && lines.length > 1000);
  for (const secret of secrets) assert.ok(!lines.includes(secret) && !lines.includes(encodeURIComponent(secret)));
  for (const word of ['to_sign', 'canonical_request', 'X-Amz-Security-Token', 'AWS4-HMAC-SHA256']) assert.ok(!lines.includes(word), word);
});

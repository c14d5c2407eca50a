// What EvaporateJS does when all goes well, and what becomes of it when something does not.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Gate } from './gate.mjs';
import { Issuer, MIB, Suite, sha256, until, within } from './suite.mjs';
import { Window } from './window.mjs';

/** One of those that `rampway serve` takes when nobody says otherwise. */
const ORIGIN = 'http://localhost:8080';
const PART = (number) => new RegExp(`partNumber=${number}&`);
const ANY_PART = /partNumber=/;
const INITIATE = /^uploads/;
const OF_UPLOAD = /^uploadId=/;
const ONE_AT_A_TIME = { maxConcurrentParts: 1 };

const issuer = new Issuer();
const secrets = new Set();
let open;
let known;

before(async () => {
  [open, known] = await Promise.all([Suite.start(), Suite.start({ UploadCallers: 'token', UploadCallerKeys: issuer.keys })]);
}, { timeout: 90_000 });

after(async () => Promise.all([open?.stop(), known?.stop()]), { timeout: 30_000 });

/** A test with a gate, and with windows that are closed in the end. */
function promise(name, deed, timeout = 45_000) {
  test(name, { timeout }, async (t) => {
    const gates = [];
    t.after(() => gates.forEach((gate) => gate.close()));
    const place = async (suite, more = {}) => {
      const gate = await Gate.before(suite.urls.bucket);
      gates.push(gate);
      const { time, ...urls } = suite.urls;
      return { gate, urls: { ...urls, bucket: gate.url, ...more } };
    };
    const window = (options) => {
      const window = new Window(ORIGIN, options);
      t.after(() => window.close());
      return window;
    };
    await deed({ place, window });
  });
}

/** Remembers the video of an upload, and what nobody may log of it. */
function watched(on = {}) {
  const seen = { progress: [] };
  seen.on = {
    ...on,
    created: async (video) => {
      seen.video = video;
      secrets.add(video.sessionToken);
      await on.created?.(video);
    },
    progress: (part) => seen.progress.push(part),
    begun: (evaporate, id) => Object.assign(seen, { evaporate, id }),
  };
  return seen;
}

/** Uploads bytes and finds them in the bucket, the video done. */
async function arrives({ place, window }, suite, name, bytes, { clock, more, meanwhile } = {}) {
  const { gate, urls } = await place(suite, more);
  const page = window({ clock });
  const seen = watched();
  const before = suite.parts();
  const sent = page.send(page.file(name, bytes), urls, seen.on);
  await meanwhile?.(gate, seen);
  const { video, job } = await within('the upload', sent);
  assert.match(job, /^[\w-]+$/);
  assert.equal(sha256(suite.object(video)), sha256(bytes));
  assert.equal(suite.parts(), before, 'nothing of an upload stays beside its object');
  assert.equal(await suite.fate(video), 'done');
  assert.equal((await suite.stored(video)).name, name);
  return { gate, video, seen };
}

promise('12 MiB go in parts, with progress, and what is stored is what was sent', async (t) => {
  const meanwhile = async (gate, { progress }) => {
    const release = await within('the second part', gate.hold('PUT', PART(2)));
    await until('progress is seen', () => progress.some((part) => part > 0 && part < 1));
    release();
  };
  const { gate, video, seen } = await arrives(t, open, 'Office_Perks.webm', randomBytes(12 * MIB), { meanwhile });
  assert.deepEqual([1, 2, 3, 4].map((number) => gate.count('PUT', PART(number))), [1, 1, 1, 0]);
  assert.deepEqual([gate.count('POST', INITIATE), gate.count('POST', OF_UPLOAD)], [1, 1]);
  assert.equal(seen.progress.at(-1), 1);
  const deeds = await until('all is logged', () => {
    const deeds = open.deeds(video.videoId).filter((deed) => /^(sign|ingest) /.test(deed));
    return deeds.length >= 6 && deeds;
  });
  assert.deepEqual(deeds.sort(), ['ingest ok', ...Array(5).fill('sign ok')]);
  assert.ok((await open.stored(video)).sealed === undefined, 'credentials go when they are not needed any more');
});

promise('1 KiB is one part', async (t) => {
  const { gate } = await arrives(t, open, 'short.mp4', randomBytes(1024));
  assert.equal(gate.count('PUT', ANY_PART), 1);
});

promise('an empty file is one empty part', async (t) => {
  const { gate } = await arrives(t, open, 'nothing.mov', Buffer.alloc(0));
  assert.equal(gate.count('PUT', ANY_PART), 1);
});

promise('a name may have spaces, plus signs and any letters', async (t) => {
  const { video } = await arrives(t, open, "Mum & Dad's 1+1 = 2 (final) 100% größe 日本語 🎬.MP4", randomBytes(6 * MIB));
  assert.match(video.objectKey, /\/source\.mp4$/);
});

promise('two files go at once, each into its video', async (t) => {
  const { gate, urls } = await t.place(open);
  const page = t.window();
  const files = [randomBytes(6 * MIB), randomBytes(7 * MIB)];
  const sent = files.map((bytes, place) => page.send(page.file(`both-${place}.webm`, bytes), urls, watched().on));
  const both = await within('both uploads', Promise.all(sent));
  assert.notEqual(both[0].video.videoId, both[1].video.videoId);
  files.forEach((bytes, place) => assert.equal(sha256(open.object(both[place].video)), sha256(bytes)));
  assert.equal(gate.count('PUT', ANY_PART), 4);
});

promise('what S3 refuses for a while is signed and sent again', async (t) => {
  const { gate, urls } = await t.place(open);
  const slow = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
  gate.refuse('PUT', PART(1), 503, slow);
  gate.refuse('POST', OF_UPLOAD, 503, slow);
  const page = t.window();
  const bytes = randomBytes(6 * MIB);
  const { video } = await within('the upload', page.send(page.file('again.webm', bytes), urls, watched().on));
  assert.equal(sha256(open.object(video)), sha256(bytes));
  assert.deepEqual([gate.count('PUT', PART(1), 503), gate.count('PUT', PART(1)), gate.count('POST', OF_UPLOAD)], [1, 1, 1]);
});

promise('an upload that was interrupted goes on in another window, into the same video', async (t) => {
  const token = issuer.token('ada');
  const { gate, urls } = await t.place(known, { create: `${known.urls.create}/${token}?resume=${12 * MIB}` });
  const bytes = randomBytes(12 * MIB);
  const first = t.window();
  const seen = watched();
  const third = gate.hold('PUT', PART(3));
  first.send(first.file('resumed.webm', bytes), urls, seen.on, ONE_AT_A_TIME);
  await within('the third part', third);
  const { memory } = first;
  first.close();
  assert.equal(Object.keys(JSON.parse(memory.awsUploads)).length, 1, 'the client remembers the upload');
  assert.equal(known.parts(), 2);

  const second = t.window({ memory });
  const { video } = await within('the rest', second.send(second.file('resumed.webm', bytes), urls, watched().on));
  assert.deepEqual([video.videoId, video.objectKey], [seen.video.videoId, seen.video.objectKey]);
  assert.equal(sha256(known.object(video)), sha256(bytes));
  assert.deepEqual([1, 2, 3].map((number) => gate.count('PUT', PART(number))), [1, 1, 1], 'no part is sent twice');
  assert.deepEqual([gate.count('POST', INITIATE), gate.count('GET', /part-number-marker=0/)], [1, 1]);
  assert.equal(await known.fate(video), 'done');
});

promise('an upload goes on after the suite was stopped and started again', async (t) => {
  const parameters = { Sides: 'none', UploadCallers: 'token', UploadCallerKeys: issuer.keys };
  const create = `/${issuer.token('alan')}?resume=1`;
  const bytes = randomBytes(6 * MIB);
  let suite = await Suite.start(parameters);
  try {
    const { gate, urls } = await t.place(suite, { create: suite.urls.create + create });
    const first = t.window();
    const seen = watched();
    const second = gate.hold('PUT', PART(2));
    first.send(first.file('restarted.webm', bytes), urls, seen.on, ONE_AT_A_TIME);
    await within('the second part', second);
    const { memory } = first;
    first.close();
    await suite.stop();

    suite = await Suite.start(parameters, suite.state);
    const again = await t.place(suite, { create: suite.urls.create + create });
    const page = t.window({ memory });
    const { video } = await within('the rest', page.send(page.file('restarted.webm', bytes), again.urls, watched().on));
    assert.equal(video.videoId, seen.video.videoId);
    assert.equal(sha256(suite.object(video)), sha256(bytes));
    assert.deepEqual([1, 2].map((number) => again.gate.count('PUT', PART(number))), [0, 1], 'the first part is there');
    assert.equal(await suite.fate(video), 'done');
  } finally {
    await suite.stop();
  }
}, 60_000);

promise('a stranger does not go on with it: the old object is refused under the new video', async (t) => {
  const { gate, urls } = await t.place(open);
  const bytes = randomBytes(12 * MIB);
  const first = t.window();
  const seen = watched();
  const third = gate.hold('PUT', PART(3));
  first.send(first.file('stranger.webm', bytes), urls, seen.on, ONE_AT_A_TIME);
  await within('the third part', third);
  const { memory } = first;
  first.close();

  const second = t.window({ memory });
  const other = watched();
  const sent = second.send(second.file('stranger.webm', bytes), urls, other.on);
  await assert.rejects(within('the refusal', sent), /Permission denied status:403/);
  assert.notEqual(other.video.videoId, seen.video.videoId);
  await open.says(other.video, 'sign key_not_allowed');
  assert.ok(!open.deeds(other.video.videoId).includes('sign ok'));
  assert.equal(gate.count('GET', /./) + gate.count('POST', OF_UPLOAD), 0, 'the bucket heard nothing of it');
  assert.equal(open.object(other.video) ?? open.object(seen.video), undefined);
  assert.equal(await open.now(other.video), 'open');
});

promise('what is cancelled is aborted, and not given out again', async (t) => {
  const create = `${known.urls.create}/${issuer.token('grace')}`;
  const { gate, urls } = await t.place(known, { create });
  const before = known.parts();
  const page = t.window();
  const seen = watched();
  const second = gate.hold('PUT', PART(2));
  const sent = page.send(page.file('cancelled.webm', randomBytes(12 * MIB)), urls, seen.on, ONE_AT_A_TIME);
  await within('the second part', second);
  await within('the abort', seen.evaporate.cancel(seen.id));
  await assert.rejects(within('the end', sent), /User aborted the upload/);
  assert.equal(gate.count('DELETE', OF_UPLOAD, 204), 1);
  assert.equal(known.parts(), before, 'its parts are gone');
  assert.equal(known.object(seen.video), undefined);
  assert.ok(!known.deeds(seen.video.videoId).some((deed) => deed.startsWith('ingest')));

  const bytes = randomBytes(1024);
  const { video } = await within('the next upload', page.send(page.file('cancelled.webm', bytes), urls, watched().on));
  assert.notEqual(video.videoId, seen.video.videoId);
  assert.equal(sha256(known.object(video)), sha256(bytes));
});

promise('what is paused goes on: a stale request is refused so that the client makes a fresh one', async (t) => {
  const { gate, urls } = await t.place(open);
  const page = t.window();
  const bytes = randomBytes(12 * MIB);
  let paused;
  const pause = new Promise((is) => { paused = is; });
  const seen = watched({ paused });
  const second = gate.hold('PUT', PART(2));
  const sent = page.send(page.file('paused.webm', bytes), urls, seen.on, ONE_AT_A_TIME);
  // Paused while a part is under way: while one is being signed, the client loses it and waits for ever.
  await within('the second part', second);
  await sleep(100);
  seen.evaporate.pause(seen.id, { force: true });
  await within('the pause', pause);
  // Dates have whole seconds: now the one of the request that the client kept is another.
  await sleep(1_500);
  await seen.evaporate.resume(seen.id);
  const { video } = await within('the rest', sent);
  assert.equal(sha256(open.object(video)), sha256(bytes));
  await open.says(video, 'sign stale_date');
});

promise('a session that is over signs nothing more, and its video is reaped', async (t) => {
  const { gate, urls } = await t.place(open);
  const page = t.window();
  const seen = watched();
  const second = gate.hold('PUT', PART(2));
  const sent = page.send(page.file('late.webm', randomBytes(12 * MIB)), urls, seen.on, { ...ONE_AT_A_TIME, retryBackoffPower: 1 });
  await within('the second part', second);
  await open.expire(seen.video);
  gate.server.closeAllConnections();
  await assert.rejects(within('the refusal', sent), /Permission denied status:403/);
  await open.says(seen.video, 'sign session_unavailable');
  assert.deepEqual([gate.count('PUT', ANY_PART), gate.count('POST', OF_UPLOAD)], [1, 0]);
  await open.reap();
  assert.equal(await open.fate(seen.video), 'reaped');
});

promise('an upload whose session ended before it began is refused', async (t) => {
  const { gate, urls } = await t.place(open);
  const page = t.window();
  const seen = watched({ created: (video) => open.expire(video) });
  const sent = page.send(page.file('never.webm', randomBytes(1024)), urls, seen.on);
  await assert.rejects(within('the refusal', sent), /Permission denied status:403/);
  await open.says(seen.video, 'sign session_unavailable');
  assert.ok(!open.deeds(seen.video.videoId).includes('sign ok'));
  assert.equal(gate.passed.filter(({ method }) => method !== 'OPTIONS').length, 0);
});

for (const clock of [10, -10]) {
  promise(`a clock ${clock} minutes from ours will do`, async (t) => {
    await arrives(t, open, `off by ${clock}.webm`, randomBytes(1024), { clock });
  });
  promise(`a clock ${clock} minutes from ours is put right by /time`, async (t) => {
    await arrives(t, open, `put right by ${clock}.webm`, randomBytes(1024), { clock, more: { time: open.urls.time } });
  });
}

for (const clock of [30, -30]) {
  promise(`a clock ${clock} minutes from ours is put right by /time as well`, async (t) => {
    const { video } = await arrives(t, open, `far by ${clock}.webm`, randomBytes(6 * MIB), { clock, more: { time: open.urls.time } });
    assert.ok(!open.deeds(video.videoId).includes('sign clock_skew'));
  });
  promise(`a clock ${clock} minutes from ours signs nothing without it`, async (t) => {
    const { gate, urls } = await t.place(open);
    const page = t.window({ clock });
    const seen = watched();
    let ended = false;
    page.send(page.file('skewed.webm', randomBytes(1024)), urls, seen.on).catch(() => {}).finally(() => { ended = true; });
    // The client asks again and again, and never gives up.
    await until('it was refused three times', () => seen.video && open.deeds(seen.video.videoId).length >= 3);
    assert.ok(!ended);
    page.close();
    assert.ok(open.deeds(seen.video.videoId).every((deed) => deed === 'sign clock_skew'));
    assert.equal(gate.passed.length, 0, 'the bucket heard nothing of it');
  });
}

promise('who shows no token creates nothing, and who shows one for something else is turned away', async (t) => {
  const { urls } = await t.place(known);
  const page = t.window();
  const create = async (url) => page.send(page.file('mine.webm', randomBytes(16)), { ...urls, create: url });
  await assert.rejects(within('the answer', create(urls.create)), /^Error: 401 .*"unauthenticated"/);
  const other = issuer.token('eve', { aud: 'another' });
  await assert.rejects(within('the answer', create(`${urls.create}/${other}`)), /^Error: 403 .*"forbidden"/);
  const forged = new Issuer().token('eve');
  await assert.rejects(within('the answer', create(`${urls.create}/${forged}`)), /^Error: 401 .*"unauthenticated"/);
});

promise('nothing that was logged is secret', async () => {
  const lines = [...open.lines, ...known.lines].join('\n');
  assert.ok(secrets.size > 10 && lines.length > 1000);
  for (const secret of secrets) assert.ok(!lines.includes(secret) && !lines.includes(encodeURIComponent(secret)));
  for (const word of ['to_sign', 'canonical_request', 'X-Amz-Security-Token', 'AWS4-HMAC-SHA256']) assert.ok(!lines.includes(word), word);
});

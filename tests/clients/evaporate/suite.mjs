// A suite of `rampway serve`, and what can be known of it from outside: its lines, its bucket's files, its tables.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, createHash, sign } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const { EVAPORATE_HOME: home, EVAPORATE_RAMPWAY: rampway } = process.env;
export const work = process.env.EVAPORATE_WORK;
assert.ok(home && work && rampway, 'these tests are started by `run`');

/** Notes a process of these tests, so that `run` can end it when it is interrupted. */
function noted(pid) {
  const file = join(work, `${pid}.pid`);
  writeFileSync(file, '');
  return () => rmSync(file, { force: true });
}
process.once('exit', noted(process.pid));

/** What npm installed. */
export const installed = createRequire(join(home, 'package.json'));
export const here = import.meta.dirname;

export const MIB = 1024 * 1024;
export const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** Waits until something is there, and says what is missing when it does not come. */
export async function until(what, look, patience = 20_000) {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(20)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`it was waited in vain until ${what}`);
}

/** A promise that has to be kept in time. */
export async function within(what, promise, patience = 30_000) {
  const timer = new AbortController();
  const late = sleep(patience, undefined, { signal: timer.signal }).then(() => { throw new Error(`this took too long: ${what}`); });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

let started = 0;

export class Suite {
  lines = [];

  /** Starts a suite with parameters of the template, and with the state of an earlier one where that is named. */
  static async start(parameters = {}, state = join(work, `${process.pid}-${started++}`)) {
    const suite = new Suite();
    suite.state = state;
    const given = Object.entries(parameters).flatMap(([key, value]) => ['--parameter', `${key}=${value}`]);
    suite.process = spawn(rampway, ['serve', '--port', '0', '--state', suite.state, ...given], { stdio: ['ignore', 'pipe', 'pipe'] });
    suite.ended = once(suite.process, 'exit').then(noted(suite.process.pid));
    process.once('exit', () => suite.process.kill());

    let banner = '';
    suite.process.stdout.setEncoding('utf8').on('data', (text) => { banner += text; });
    let rest = '';
    suite.process.stderr.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      suite.lines.push(...lines);
    });
    await until('the suite serves', () => {
      assert.equal(suite.process.exitCode, null, `the suite ended:\n${suite.lines.join('\n')}`);
      return banner.includes('Ctrl-C stops it');
    }, 60_000);
    const told = (name) => new RegExp(`^  ${name} +(http\\S+)$`, 'm').exec(banner)?.[1] ?? assert.fail(`no ${name} in\n${banner}`);
    suite.urls = {
      create: told('createVideoEndpoint'),
      sign: told('signUploadEndpoint'),
      ingest: told('ingestUploadEndpoint'),
      time: told('timeUrl'),
      bucket: told('aws_url'),
    };
    suite.api = suite.urls.create.replace(/\/upload$/, '');
    return suite;
  }

  async stop() {
    this.process.kill();
    await within('the end of the suite', this.ended);
  }

  /** What the functions logged of what they did. */
  #logged() {
    const logged = this.lines.flatMap((line) => {
      const begin = line.indexOf('{');
      try {
        return begin < 0 ? [] : [JSON.parse(line.slice(begin)).fields ?? {}];
      } catch {
        return [];
      }
    });
    return logged.filter((fields) => fields.operation);
  }

  /** What the functions logged of a video, as `operation code`, the oldest first. */
  deeds(video) {
    return this.#logged().filter((fields) => fields.video === video).map(({ operation, code }) => `${operation} ${code}`);
  }

  /** How many times somebody asked for a video. */
  created() {
    return this.#logged().filter((fields) => fields.operation === 'create').length;
  }

  /** Waits until the functions logged this of a video: their lines come by another way than their answers. */
  async says({ videoId }, deed) {
    return until(`video ${videoId} is told of with ${deed}`, () => this.deeds(videoId).includes(deed));
  }

  /** The bytes that the bucket has of a video; `undefined` where it has none. */
  object({ bucket, objectKey }) {
    const file = join(this.state, 'bucket', bucket, objectKey);
    return existsSync(file) ? readFileSync(file) : undefined;
  }

  /** How many parts of unfinished uploads there are. */
  parts() {
    return readdirSync(join(this.state, 'bucket')).filter((name) => name.includes('.part-')).length;
  }

  /** What becomes of a video: `done` in the end. */
  async fate({ statusPath }) {
    return until('the video is processed', async () => {
      const answer = await fetch(this.api + statusPath);
      assert.equal(answer.status, 200);
      const { state } = await answer.json();
      return ['done', 'failed', 'reaped'].includes(state) && state;
    });
  }

  /** How far a video is. */
  async now({ statusPath }) {
    return (await (await fetch(this.api + statusPath)).json()).state;
  }

  #environment() {
    return Object.fromEntries(readFileSync(join(this.state, 'env'), 'utf8').trim().split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }));
  }

  async #database(operation, request) {
    const { AWS_ENDPOINT_URL_DYNAMODB: url, UPLOADS_TABLE: table } = this.#environment();
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-amz-json-1.0',
        'X-Amz-Target': `DynamoDB_20120810.${operation}`,
        // The engine wants to see a signature, and verifies none.
        'X-Amz-Date': '20260101T000000Z',
        Authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: JSON.stringify({ TableName: table, ...request }),
    });
    assert.equal(answer.status, 200, `the database answered ${await answer.clone().text()}`);
    return answer.json();
  }

  /** Reaps at once what is due, as an administrator may. */
  async reap() {
    await promisify(execFile)(rampway, ['admin', 'uploads', 'reap', '--env-file', join(this.state, 'env')]);
  }

  /** What is stored of a video, without the types of its attributes. */
  async stored({ videoId }) {
    const { Item } = await this.#database('GetItem', { Key: { item: { S: `upload#${videoId}` } }, ConsistentRead: true });
    return Object.fromEntries(Object.entries(Item ?? {}).map(([name, value]) => [name, Object.values(value)[0]]));
  }

  /** Ends a session, as a day would. */
  async expire({ videoId }) {
    await this.#database('UpdateItem', {
      Key: { item: { S: `upload#${videoId}` } },
      ConditionExpression: 'attribute_exists(expires_at)',
      UpdateExpression: 'SET expires_at = :past',
      ExpressionAttributeValues: { ':past': { N: String(Math.floor(Date.now() / 1000) - 1) } },
    });
  }
}

/** Whoever says who may upload: a key, and tokens that it signs. */
export class Issuer {
  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.key = privateKey;
    this.keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'evaporate', alg: 'EdDSA', use: 'sig' }] });
  }

  token(sub, claims = {}) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + 600;
    const text = `${part({ alg: 'EdDSA', kid: 'evaporate' })}.${part({ aud: 'rampway-upload', sub, exp, ...claims })}`;
    return `${text}.${sign(null, Buffer.from(text), this.key).toString('base64url')}`;
  }
}

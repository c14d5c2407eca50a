// A process of `rampway serve`, with access to its log, its bucket's files and its tables.
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
assert.ok(home && work && rampway, 'the environment is incomplete; start the tests with `run`');

/** Writes a PID file, so that `run` can end the process when it is interrupted. */
function writePidFile(pid) {
  const file = join(work, `${pid}.pid`);
  writeFileSync(file, '');
  return () => rmSync(file, { force: true });
}
process.once('exit', writePidFile(process.pid));

/** Loads a package that npm installed. */
export const installed = createRequire(join(home, 'package.json'));
export const here = import.meta.dirname;

export const MIB = 1024 * 1024;
export const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** Polls `condition` for up to `timeout` ms until it returns a truthy value, and returns the value. */
export async function until(description, condition, timeout = 20_000) {
  for (const deadline = Date.now() + timeout; Date.now() < deadline; await sleep(20)) {
    const value = await condition();
    if (value) return value;
  }
  throw new Error(`timed out waiting until ${description}`);
}

/** Awaits a promise for up to `timeout` ms. */
export async function within(description, promise, timeout = 30_000) {
  const timer = new AbortController();
  const timedOut = sleep(timeout, undefined, { signal: timer.signal }).then(() => { throw new Error(`timed out waiting for ${description}`); });
  timedOut.catch(() => {});
  try {
    return await Promise.race([promise, timedOut]);
  } finally {
    timer.abort();
  }
}

let started = 0;

export class LocalCloud {
  logLines = [];

  /** Starts `rampway serve` with parameters of the template, optionally in an earlier state folder. */
  static async start(parameters = {}, stateDir = join(work, `${process.pid}-${started++}`)) {
    const cloud = new LocalCloud();
    cloud.stateDir = stateDir;
    const options = Object.entries(parameters).flatMap(([key, value]) => ['--parameter', `${key}=${value}`]);
    cloud.process = spawn(rampway, ['serve', '--port', '0', '--state', cloud.stateDir, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    cloud.ended = once(cloud.process, 'exit').then(writePidFile(cloud.process.pid));
    process.once('exit', () => cloud.process.kill());

    let banner = '';
    cloud.process.stdout.setEncoding('utf8').on('data', (text) => { banner += text; });
    let partial = '';
    cloud.process.stderr.setEncoding('utf8').on('data', (text) => {
      const lines = (partial + text).split('\n');
      partial = lines.pop();
      cloud.logLines.push(...lines);
    });
    await until('rampway serve is ready', () => {
      assert.equal(cloud.process.exitCode, null, `rampway serve exited:\n${cloud.logLines.join('\n')}`);
      return banner.includes('Ctrl-C');
    }, 60_000);
    const url = (name) => new RegExp(`^  ${name} +(http\\S+)$`, 'm').exec(banner)?.[1] ?? assert.fail(`the banner lacks ${name}:\n${banner}`);
    cloud.urls = {
      create: url('createVideoEndpoint'),
      sign: url('signUploadEndpoint'),
      ingest: url('ingestUploadEndpoint'),
      time: url('timeUrl'),
      bucket: url('aws_url'),
    };
    cloud.api = cloud.urls.create.replace(/\/upload$/, '');
    return cloud;
  }

  async stop() {
    this.process.kill();
    await within('the exit of rampway serve', this.ended);
  }

  /** The fields of the functions' log entries that have an `operation`. */
  #logEntries() {
    const entries = this.logLines.flatMap((line) => {
      const start = line.indexOf('{');
      try {
        return start < 0 ? [] : [JSON.parse(line.slice(start)).fields ?? {}];
      } catch {
        return [];
      }
    });
    return entries.filter((fields) => fields.operation);
  }

  /** The logged operations of a video id, each as `operation code`, the oldest first. */
  operations(video) {
    return this.#logEntries().filter((fields) => fields.video === video).map(({ operation, code }) => `${operation} ${code}`);
  }

  /** The number of logged requests to create a video. */
  createRequests() {
    return this.#logEntries().filter((fields) => fields.operation === 'create').length;
  }

  /** Waits until an operation of a video is logged: a log line can arrive after the response. */
  async waitForLog({ videoId }, operation) {
    return until(`'${operation}' is logged for video ${videoId}`, () => this.operations(videoId).includes(operation));
  }

  /** The video's object in the bucket; `undefined` if there is none. */
  object({ bucket, objectKey }) {
    const file = join(this.stateDir, 'bucket', bucket, objectKey);
    return existsSync(file) ? readFileSync(file) : undefined;
  }

  /** The number of stored parts of unfinished uploads. */
  pendingParts() {
    return readdirSync(join(this.stateDir, 'bucket')).filter((name) => name.includes('.part-')).length;
  }

  /** Waits for a video's final state: `done`, `failed` or `reaped`. */
  async finalState({ statusPath }) {
    return until('the video is processed', async () => {
      const response = await fetch(this.api + statusPath);
      assert.equal(response.status, 200);
      const { state } = await response.json();
      return ['done', 'failed', 'reaped'].includes(state) && state;
    });
  }

  /** The video's current state. */
  async state({ statusPath }) {
    return (await (await fetch(this.api + statusPath)).json()).state;
  }

  #environment() {
    return Object.fromEntries(readFileSync(join(this.stateDir, 'env'), 'utf8').trim().split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }));
  }

  async #database(operation, request) {
    const { AWS_ENDPOINT_URL_DYNAMODB: url, UPLOADS_TABLE: table } = this.#environment();
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-amz-json-1.0',
        'X-Amz-Target': `DynamoDB_20120810.${operation}`,
        // The engine requires a signature, but does not verify it.
        'X-Amz-Date': '20260101T000000Z',
        Authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: JSON.stringify({ TableName: table, ...request }),
    });
    assert.equal(response.status, 200, `the database responded ${await response.clone().text()}`);
    return response.json();
  }

  /** Runs the reaper now, as an administrator can. */
  async reap() {
    await promisify(execFile)(rampway, ['admin', 'uploads', 'reap', '--env-file', join(this.stateDir, 'env')]);
  }

  /** The video's item in the table, without the types of its attributes. */
  async record({ videoId }) {
    const { Item } = await this.#database('GetItem', { Key: { item: { S: `upload#${videoId}` } }, ConsistentRead: true });
    return Object.fromEntries(Object.entries(Item ?? {}).map(([name, value]) => [name, Object.values(value)[0]]));
  }

  /** Lets an upload session expire, which otherwise takes a day. */
  async expire({ videoId }) {
    await this.#database('UpdateItem', {
      Key: { item: { S: `upload#${videoId}` } },
      ConditionExpression: 'attribute_exists(expires_at)',
      UpdateExpression: 'SET expires_at = :past',
      ExpressionAttributeValues: { ':past': { N: String(Math.floor(Date.now() / 1000) - 1) } },
    });
  }
}

/** An issuer of upload tokens: a key pair, and the tokens that it signs. */
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

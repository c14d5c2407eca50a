// A window of jsdom with EvaporateJS and the driver in it, whose clock and memory can be chosen. It asks for leave across origins as a
// browser does.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { here, installed } from './suite.mjs';

const { JSDOM, VirtualConsole } = installed('jsdom');
const scripts = [installed.resolve('evaporate'), join(here, 'driver.js')].map((path) => readFileSync(path, 'utf8'));

const hashes = {
  md5: (data) => createHash('md5').update(new Uint8Array(data)).digest('base64'),
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
};

export class Window {
  /** `clock` is how many minutes its clock is ahead; `memory` is what an earlier window of the origin remembered. */
  constructor(origin, { clock = 0, memory = {} } = {}) {
    // The console's own is dropped: a browser's complaints about refused requests are what some tests are about.
    this.dom = new JSDOM('', { url: origin, runScripts: 'outside-only', virtualConsole: new VirtualConsole() });
    const { window } = this.dom;
    for (const [name, value] of Object.entries(memory)) window.localStorage.setItem(name, value);
    window.eval(`{
      const Right = Date, ahead = ${clock} * 60000;
      window.Date = class extends Right {
        constructor(...given) { given.length ? super(...given) : super(Right.now() + ahead); }
        static now() { return Right.now() + ahead; }
      };
    }`);
    scripts.forEach((script) => window.eval(script));
  }

  get memory() {
    const { localStorage } = this.dom.window;
    return { awsUploads: localStorage.getItem('awsUploads') };
  }

  file(name, bytes, type = 'video/webm') {
    const { window } = this.dom;
    return new window.File([new window.Uint8Array(bytes)], name, { type, lastModified: Date.UTC(2026, 0, 15) });
  }

  send(file, urls, on = {}, options = {}) {
    const sent = this.dom.window.Upload.send(file, urls, hashes, on, options);
    // A window may be closed with nobody waiting any more.
    sent.catch(() => {});
    return sent;
  }

  close() {
    this.dom.window.close();
  }
}

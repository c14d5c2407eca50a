// A jsdom window with EvaporateJS and the driver, with a given clock and localStorage. It sends
// CORS preflights as a browser does.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { here, installed } from './local_cloud.mjs';

const { JSDOM, VirtualConsole } = installed('jsdom');
const scripts = [installed.resolve('evaporate'), join(here, 'driver.js')].map((path) => readFileSync(path, 'utf8'));

const hashes = {
  md5: (data) => createHash('md5').update(new Uint8Array(data)).digest('base64'),
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
};

export class Window {
  /** `clockOffset`: the clock's offset in minutes. `storage`: an earlier window's localStorage. */
  constructor(origin, { clockOffset = 0, storage = {} } = {}) {
    // The virtual console discards messages: some tests provoke the browser's errors about blocked
    // requests.
    this.dom = new JSDOM('', { url: origin, runScripts: 'outside-only', virtualConsole: new VirtualConsole() });
    const { window } = this.dom;
    for (const [name, value] of Object.entries(storage)) window.localStorage.setItem(name, value);
    window.eval(`{
      const RealDate = Date, offset = ${clockOffset} * 60000;
      window.Date = class extends RealDate {
        constructor(...args) { args.length ? super(...args) : super(RealDate.now() + offset); }
        static now() { return RealDate.now() + offset; }
      };
    }`);
    scripts.forEach((script) => window.eval(script));
  }

  get storage() {
    const { localStorage } = this.dom.window;
    return { awsUploads: localStorage.getItem('awsUploads') };
  }

  file(name, bytes, type = 'video/webm') {
    const { window } = this.dom;
    return new window.File([new window.Uint8Array(bytes)], name, { type, lastModified: Date.UTC(2026, 0, 15) });
  }

  send(file, urls, on = {}, options = {}) {
    const sent = this.dom.window.Upload.send(file, urls, hashes, on, options);
    // A test may close the window without awaiting the upload: a rejection is not an unhandled one.
    sent.catch(() => {});
    return sent;
  }

  close() {
    this.dom.window.close();
  }
}

// The hash functions that a page passes to EvaporateJS: MD5 of a buffer in base64, and SHA-256 of a
// text in hexadecimal.
import { Buffer } from 'buffer';
import { createHash } from 'crypto';

export const md5 = (data) => createHash('md5').update(Buffer.from(new Uint8Array(data))).digest('base64');
export const sha256 = (text) => createHash('sha256').update(Buffer.from(text ?? '')).digest('hex');

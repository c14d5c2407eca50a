// The hashes that EvaporateJS wants from its page: MD5 in base64 of a buffer, SHA-256 in hexadecimal of text.
import { Buffer } from 'buffer';
import { createHash } from 'crypto';

export const md5 = (data) => createHash('md5').update(Buffer.from(new Uint8Array(data))).digest('base64');
export const sha256 = (text) => createHash('sha256').update(Buffer.from(text ?? '')).digest('hex');

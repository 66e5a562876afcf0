// What the headers of an upload say about its bytes: their type and their checksum. Pure.

import mime from 'mime';
import { AppError } from '../../shared/errors.ts';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const UNKNOWN_TYPE = 'application/octet-stream';
/** What tools send when nobody told them what it is (curl --data-binary the second). */
const TELLS_NOTHING = [UNKNOWN_TYPE, 'application/x-www-form-urlencoded'];
const TYPE_MAX_CHARS = 255;
const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const MEDIA_TYPE = new RegExp(
  `^${TOKEN}/${TOKEN}(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"))*$`,
);

/** The type that was sent, else the one that goes with the name. @throws AppError `invalid_request` */
export function contentTypeOf(headers: Headers, path: string): string {
  const sent = String(headers['content-type'] ?? '').trim();
  if (sent === '' || TELLS_NOTHING.includes(sent.toLowerCase())) return mime.getType(path) ?? UNKNOWN_TYPE;
  if (sent.length > TYPE_MAX_CHARS || !MEDIA_TYPE.test(sent)) {
    throw headerFault('Content-Type', 'must look like "text/csv" and have at most 255 characters');
  }
  return sent;
}

/** Bytes of the body as announced; null when they come in chunks. */
export function lengthOf(headers: Headers): number | null {
  const announced = headers['content-length'];
  // What is no number Node has refused.
  return announced === undefined ? null : Number(announced);
}

/**
 * What the bytes must hash to, as hex, from `Content-Digest: sha-256=:<base64>:` (RFC 9530) or
 * `X-Checksum-Sha256: <hex>`; null when neither is there.
 * @throws AppError `invalid_request` for one that cannot be checked, as a sender who asks wants to be sure
 */
export function sha256Of(headers: Headers): string | null {
  const hex = headers['x-checksum-sha256'];
  const digest = headers['content-digest'];
  const asked = [
    ...(hex === undefined ? [] : [fromHex(String(hex).trim())]),
    ...(digest === undefined ? [] : [fromDigest(String(digest))]),
  ];
  const [first = null, second = first] = asked;
  if (first !== second) throw headerFault('Content-Digest', 'says another checksum than X-Checksum-Sha256');
  return first;
}

/** RFC 9110, 13.1.2: only `*` makes sense where nobody knows the tags. @throws AppError `invalid_request` */
export function isOnlyNew(headers: Headers): boolean {
  const condition = headers['if-none-match'];
  if (condition === undefined) return false;
  if (String(condition).trim() === '*') return true;
  throw headerFault('If-None-Match', 'must be "*" with an upload');
}

function fromHex(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw headerFault('X-Checksum-Sha256', 'must be 64 hexadecimal digits');
}

function fromDigest(text: string): string {
  const [, base64] = /(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(text) ?? [];
  if (base64 !== undefined) return Buffer.from(base64, 'base64').toString('hex');
  throw headerFault('Content-Digest', 'must hold "sha-256=:<base64>:"; no other checksum is looked at');
}

export function headerFault(field: string, what: string): AppError {
  return new AppError('invalid_request', `the header ${field} ${what}`, {
    details: [{ field, message: what }],
  });
}

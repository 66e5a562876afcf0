// What calls that carry bytes say of their headers.

import Joi from 'joi';
import type { CallDoc, HeaderDoc } from './call-doc.ts';

type Headers = Readonly<Record<string, HeaderDoc>>;

const OF_A_FILE: Headers = {
  ETag: { description: 'The SHA-256 of the whole file, in quotes.' },
  'Accept-Ranges': { description: 'bytes' },
  'Last-Modified': { description: 'When it was kept.' },
  'Content-Disposition': { description: 'A name for the file; a browser saves it.' },
};

/** A call that answers with the bytes of one file. */
export const BYTES_CALL: Pick<CallDoc, 'headers' | 'replies' | 'head'> = {
  head: true,
  headers: {
    Range: { description: 'One range of bytes, for example `bytes=0-1023` or `bytes=-500`.' },
    'If-Range': { description: 'The ETag that the range belongs to: of another file all bytes are sent.' },
    'If-None-Match': { description: 'The ETag that is known: 304 when it is still that.' },
  },
  replies: {
    200: { content: { '*/*': 'bytes' }, headers: OF_A_FILE },
    206: {
      content: { '*/*': 'bytes' },
      headers: { ...OF_A_FILE, 'Content-Range': { description: 'Which bytes, of how many.' } },
    },
    304: { headers: { ETag: { description: 'The SHA-256 of the whole file, in quotes.' } } },
  },
};

export const CHECKSUM: Headers = {
  'X-Checksum-Sha256': { description: 'What the whole must hash to, in hex; else nothing is kept (460).' },
};

export const TUS_REQUEST: Headers = {
  'Tus-Resumable': {
    description: 'The version of tus.',
    schema: Joi.string().valid('1.0.0'),
    required: true,
  },
};
export const TUS_REPLY: Headers = { 'Tus-Resumable': { description: '1.0.0' } };
export const TUS_OPTIONS: Headers = {
  ...TUS_REPLY,
  'Tus-Version': { description: '1.0.0' },
  'Tus-Extension': { description: 'What of tus there is beyond its core.' },
  'Tus-Checksum-Algorithm': { description: 'For `Upload-Checksum`.' },
  'Tus-Max-Size': { description: 'Bytes of the largest upload.' },
};
export const UPLOAD_STANDS: Headers = {
  'Upload-Offset': { description: 'Bytes that are kept; the next one to send.' },
  'Upload-Expires': { description: 'When an upload that is not finished is given up.' },
};

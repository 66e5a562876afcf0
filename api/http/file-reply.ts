// Bytes that users brought, on the origin of the dashboard: whatever they are, a browser saves them and never runs
// them. Headers and status of such replies, whole or in part.

import type { Readable } from 'node:stream';
import type { Request, ResponseObject, ResponseToolkit, RouteOptions } from '@hapi/hapi';
import { AppError } from '../../shared/errors.ts';
import type { FileRecord } from '../../shared/model/file.ts';
import type { ByteRange } from '../../shared/ports/file-store.ts';
import { errorReply } from '../errors.ts';
import { chooseAnswer } from './conditions.ts';
import { attachment } from './content-disposition.ts';
import { IDLE_MS } from './slow-peers.ts';

/** For routes that send bytes. The ranges are ours: hapi's would read the whole file to send a part. */
export const BYTES_ROUTE: RouteOptions = {
  timeout: { socket: IDLE_MS },
  response: { ranges: false },
};

/** Nothing in it may run, load, or be taken for a page of this origin. */
const INERT = "sandbox; default-src 'none'; frame-ancestors 'none'";

/** Answers GET and HEAD; `read` is asked for those bytes only that are sent. */
export async function fileReply(
  request: Request,
  h: ResponseToolkit,
  file: FileRecord,
  read: (range: ByteRange) => Promise<Readable>,
): Promise<ResponseObject> {
  const { sizeBytes } = file;
  const etag = `"${file.sha256}"`;
  const answer = chooseAnswer(
    { method: request.method, headers: request.raw.req.headers },
    { etag, sizeBytes },
  );
  const marked = (response: ResponseObject) =>
    inert(request, response).header('etag', etag).header('accept-ranges', 'bytes');
  if (answer.kind === 'not_modified') return marked(h.response().code(304));
  if (answer.kind === 'unsatisfiable') {
    const message = `the file has ${sizeBytes} bytes, so there is no such range`;
    const { body } = errorReply(new AppError('range_not_satisfiable', message));
    return h.response(body).code(body.statusCode).header('content-range', `bytes */${sizeBytes}`);
  }
  const part = answer.kind === 'part';
  const range = part ? { start: answer.start, end: answer.end } : { start: 0, end: sizeBytes };
  const body = request.method === 'head' ? undefined : leaving(request, await read(range));
  const response = marked(h.response(body).code(part ? 206 : 200))
    .header('content-length', String(range.end - range.start))
    .header('content-disposition', attachment(file.path))
    .header('last-modified', new Date(file.createdAt).toUTCString());
  typed(response, file.contentType);
  if (part) response.header('content-range', `bytes ${range.start}-${range.end - 1}/${sizeBytes}`);
  return response;
}

/** An archive made while it is read: no length, no ranges. */
export function archiveReply(
  request: Request,
  h: ResponseToolkit,
  { body, name, type }: { body: Readable; name: string; type: string },
): ResponseObject {
  const response = inert(request, h.response(leaving(request, body)));
  typed(response, type);
  return response.header('content-disposition', attachment(name));
}

/** Without the second call hapi would add a character set of its own. */
function typed(response: ResponseObject, type: string): void {
  response.header('content-type', type).charset();
}

/** The stream ends with its reader, also one that left before the first byte. */
function leaving(request: Request, body: Readable): Readable {
  const { res } = request.raw;
  if (res.destroyed) body.destroy();
  else res.once('close', () => body.destroy());
  return body;
}

function inert(request: Request, response: ResponseObject): ResponseObject {
  // Packed bytes would have another tag and no length, and most files are packed already.
  request.info.acceptEncoding = 'identity';
  return response
    .header('content-security-policy', INERT)
    .header('cross-origin-resource-policy', 'same-origin')
    .header('cache-control', 'private, no-cache, no-transform');
}

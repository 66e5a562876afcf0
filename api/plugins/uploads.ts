// /api/uploads: uploads that may be sent in several goes, after tus 1.0.0 with creation, expiration, checksum and
// termination. What clients of tus do not use: GET tells in JSON how an upload stands.

import type { Lifecycle, Plugin, Request, ResponseObject, ResponseToolkit, Server } from '@hapi/hapi';
import Joi from 'joi';
import { uploadListReplySchema, uploadReplySchema } from '../../shared/contracts/file-reply-schemas.ts';
import { noQuery, uploadIdParams } from '../../shared/contracts/file-schemas.ts';
import { encodePath } from '../../shared/contracts/files.ts';
import {
  OFFSET_TYPE,
  offsetOf,
  TUS_CHECKSUMS,
  TUS_EXTENSIONS,
  TUS_VERSION,
  type UploadListReply,
  uploadBody,
} from '../../shared/contracts/uploads.ts';
import { AppError } from '../../shared/errors.ts';
import type { Upload } from '../../shared/model/upload.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { errorReply } from '../errors.ts';
import { bodyBytes, STREAMED_BODY } from '../http/body-bytes.ts';
import { IDLE_MS } from '../http/slow-peers.ts';
import { announcedPiece, announcedUpload, isOffsetType } from '../http/tus.ts';
import { headerFault } from '../http/upload-headers.ts';
import { CHECKSUM, TUS_OPTIONS, TUS_REPLY, TUS_REQUEST, UPLOAD_STANDS } from '../openapi/bytes-call.ts';
import { documented } from '../openapi/call-doc.ts';
import type { AuditTrail, Deed } from '../services/audit-trail.ts';
import type { ResumableUploads } from '../services/files/uploads/resumable-uploads.ts';
import { checked, idOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { principalOf } from './auth.ts';

export interface UploadsOptions {
  readonly resumableUploads: ResumableUploads;
  /** Largest upload. */
  readonly maxBytes: number;
  /** A sender from whom next to nothing comes for so long is cut. */
  readonly peerIdleMs?: number | undefined;
  /** Aborted when this process is about to end. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly trail: AuditTrail;
}

const ROOT = '/api/uploads';
const ONE = `${ROOT}/{id}`;

export const uploadsPlugin: Plugin<UploadsOptions> = {
  name: 'uploads',
  register: (
    server: Server,
    { resumableUploads: uploads, maxBytes, stopping, clock, peerIdleMs, trail }: UploadsOptions,
  ) => {
    // For those behind a proxy that knows GET and POST only.
    server.ext('onRequest', (request, h) => {
      const meant = String(request.headers['x-http-method-override'] ?? '');
      if (meant !== '' && request.method === 'post' && request.path.startsWith(`${ROOT}/`)) {
        if (/^(patch|delete)$/i.test(meant)) request.setMethod(meant.toLowerCase() as 'patch');
      }
      return h.continue;
    });
    // On refusals, too.
    server.ext(
      'onPreResponse',
      (request, h) => {
        if ('header' in request.response) request.response.header('tus-resumable', TUS_VERSION);
        return h.continue;
      },
      { sandbox: 'plugin' },
    );

    for (const path of [ROOT, ONE]) {
      server.route({
        method: 'OPTIONS',
        path,
        options: {
          ...documented({
            id: path === ROOT ? 'describeUploads' : 'describeUpload',
            tag: 'files',
            summary: 'What of tus this API speaks.',
            replies: { 204: { headers: TUS_OPTIONS } },
          }),
          auth: false,
        },
        handler: (_request, h) =>
          h
            .response()
            .code(204)
            .header('tus-version', TUS_VERSION)
            .header('tus-extension', TUS_EXTENSIONS.join(','))
            .header('tus-checksum-algorithm', TUS_CHECKSUMS.join(','))
            .header('tus-max-size', String(maxBytes)),
      });
    }

    server.route({
      method: 'GET',
      path: ROOT,
      options: {
        ...documented({
          id: 'listUploads',
          tag: 'files',
          summary: 'Own unfinished uploads, the oldest first.',
          replies: { 200: { content: { 'application/json': uploadListReplySchema }, headers: TUS_REPLY } },
        }),
        validate: checked({ query: noQuery }),
      },
      handler: async (request): Promise<UploadListReply> => {
        const open = await uploads.list(principalOf(request));
        return { uploads: open.map((upload) => uploadBody(upload, clock.now())) };
      },
    });

    server.route({
      method: 'POST',
      path: ROOT,
      options: {
        ...documented({
          id: 'beginUpload',
          tag: 'files',
          summary: 'Begins an upload that may be sent in several goes (tus 1.0.0).',
          notes: 'No body: the bytes go with PATCH to the address in `Location`.',
          headers: {
            ...TUS_REQUEST,
            'Upload-Length': {
              description: 'Bytes of the whole.',
              schema: Joi.number().integer().min(0),
              required: true,
            },
            'Upload-Metadata': {
              description:
                '`path`, and if wanted `content_type` and `sha256`, each with its value in Base64, commas between them.',
              required: true,
            },
            ...CHECKSUM,
            'If-None-Match': { description: '`*`: only if there is none of this path.' },
          },
          replies: {
            201: { headers: { ...TUS_REPLY, ...UPLOAD_STANDS, Location: { description: 'Of the upload.' } } },
          },
          refusals: [403, 409, 412],
        }),
        validate: checked({ query: noQuery }),
        ext: { onPreAuth: { method: speaksTus } },
      },
      handler: async (request, h) => {
        const plan = announcedUpload(request.raw.req.headers);
        const upload = await trail.note(
          originOf(request),
          { action: 'upload.begin', target: plan.path },
          () => uploads.begin(principalOf(request), plan),
          ({ id, sizeBytes }) => ({ details: { upload_id: id, size_bytes: sizeBytes } }),
        );
        return told(h.response().code(201), upload).header('location', `${ROOT}/${upload.id}`);
      },
    });

    server.route({
      method: 'GET',
      path: ONE,
      options: {
        ...documented({
          id: 'getUpload',
          tag: 'files',
          summary: 'How an upload stands.',
          head: true,
          replies: {
            200: {
              content: { 'application/json': uploadReplySchema },
              headers: {
                ...TUS_REPLY,
                ...UPLOAD_STANDS,
                'Upload-Length': { description: 'Bytes of the whole.' },
                'Upload-Metadata': { description: 'As it came.' },
              },
            },
          },
          refusals: [404, 412],
        }),
        validate: checked({ params: uploadIdParams, query: noQuery }),
        ext: { onPreAuth: { method: speaksTus } },
      },
      handler: async (request, h) => {
        const upload = await uploads.get(principalOf(request), idOf(request));
        const reply = told(h.response(uploadBody(upload, clock.now())), upload).header(
          'cache-control',
          'no-store',
        );
        if (upload.metadata !== '') reply.header('upload-metadata', upload.metadata);
        return reply.header('upload-length', String(upload.sizeBytes));
      },
    });

    server.route({
      method: 'PATCH',
      path: ONE,
      options: {
        ...documented({
          id: 'sendPiece',
          tag: 'files',
          summary: 'Sends an upload on from its offset.',
          bytes: [OFFSET_TYPE],
          headers: {
            ...TUS_REQUEST,
            'Upload-Offset': {
              description: 'Where the piece begins: as many bytes as are kept.',
              schema: Joi.number().integer().min(0),
              required: true,
            },
            'Upload-Checksum': {
              description: '`sha1` or `sha256`, a space, and that of the piece in Base64.',
            },
            ...CHECKSUM,
          },
          replies: {
            204: {
              headers: {
                ...TUS_REPLY,
                ...UPLOAD_STANDS,
                ETag: { description: 'Of the file, once it is whole.' },
                'Content-Location': { description: 'Of the file, once it is whole.' },
              },
            },
          },
          refusals: [403, 404, 409, 412, 460],
        }),
        validate: checked({ params: uploadIdParams, query: noQuery }),
        // Asked before the body is: a sender who waits for the word to go on need not send it at all.
        ext: { onPreAuth: [{ method: speaksTus }, { method: bringsBytes }] },
        ...STREAMED_BODY,
      },
      handler: async (request, h) => {
        const piece = { ...announcedPiece(request.raw.req.headers), signal: stopping };
        const content = bodyBytes(request, { onWhole: () => patient(request), idleMs: peerIdleMs });
        const upload = await uploads.append(principalOf(request), idOf(request), piece, content);
        if (upload.result !== null) await trail.note(originOf(request), finished(upload), async () => upload);
        return told(h.response().code(204), upload);
      },
    });

    server.route({
      method: 'DELETE',
      path: ONE,
      options: {
        ...documented({
          id: 'deleteUpload',
          tag: 'files',
          summary: 'Gives an upload up.',
          headers: TUS_REQUEST,
          replies: { 204: { headers: TUS_REPLY } },
          refusals: [404, 409, 412],
        }),
        validate: checked({ params: uploadIdParams, query: noQuery }),
        ext: { onPreAuth: { method: speaksTus } },
      },
      handler: async (request, h) => {
        const id = idOf(request);
        await trail.note(originOf(request), { action: 'upload.delete', target: id }, () =>
          uploads.remove(principalOf(request), id),
        );
        return h.response().code(204);
      },
    });
  },
};

/** All pieces are there: the file is. */
function finished({ id, path, sizeBytes }: Upload): Deed {
  return { action: 'file.upload', target: path, details: { size_bytes: sizeBytes, upload_id: id } };
}

/** Where it stands; at the end also what came of it. */
function told(reply: ResponseObject, upload: Upload): ResponseObject {
  reply
    .header('upload-offset', String(offsetOf(upload)))
    .header('upload-expires', new Date(upload.expiresAt).toUTCString());
  if (upload.result === null) return reply;
  return reply
    .header('etag', `"${upload.result.sha256}"`)
    .header('content-location', `/api/files/${encodePath(upload.path)}`);
}

/** A plain GET is ours and none of tus. */
const speaksTus: Lifecycle.Method = (request, h) => {
  if (request.method === 'get' || request.headers['tus-resumable'] === TUS_VERSION) return h.continue;
  const what = `the header Tus-Resumable must be ${TUS_VERSION}`;
  return refusal(h, 412, what).header('tus-version', TUS_VERSION).takeover();
};

const bringsBytes: Lifecycle.Method = (request, h) => {
  if (!isOffsetType(request.raw.req.headers)) {
    return refusal(h, 415, 'the header Content-Type must be application/offset+octet-stream').takeover();
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw headerFault('Content-Encoding', 'is not understood here: send the bytes as they are to be kept');
  }
  return h.continue;
};

/** What the protocol has a status for and this API has no code. */
function refusal(h: ResponseToolkit, status: number, message: string): ResponseObject {
  const { body } = errorReply(new AppError('invalid_request', message));
  return h.response({ ...body, statusCode: status, error: STATUS_TEXT[status] ?? body.error }).code(status);
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  412: 'Precondition Failed',
  415: 'Unsupported Media Type',
};

/** The sender is silent while the parts of a large file are put together, and must not be cut for that. */
function patient({ raw }: Request): void {
  const { socket } = raw.req;
  socket.setTimeout(0);
  raw.res.once('finish', () => socket.setTimeout(IDLE_MS));
}

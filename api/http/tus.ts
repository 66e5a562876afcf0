// The headers of tus 1.0.0: read into plans and pieces, or refused by name. Pure.

import { OFFSET_TYPE, TUS_CHECKSUMS } from '../../shared/contracts/uploads.ts';
import { filePathFault } from '../../shared/model/file-path.ts';
import { contentTypeOf, headerFault, isOnlyNew, sha256Of } from './upload-headers.ts';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface AnnouncedUpload {
  readonly path: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly sha256: string | null;
  readonly onlyNew: boolean;
  /** `Upload-Metadata` as it came. */
  readonly metadata: string;
}

export interface AnnouncedPiece {
  readonly offset: number;
  /** Of the whole file. */
  readonly sha256: string | null;
  readonly sum: { readonly algorithm: string; readonly digest: Buffer } | null;
}

/** Node takes headers of 16 KB in all. */
const METADATA_MAX_PAIRS = 32;
const METADATA_MAX_CHARS = 8_192;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32 };

/** @throws AppError `invalid_request` */
export function announcedUpload(headers: Headers): AnnouncedUpload {
  if (headers['upload-defer-length'] !== undefined) {
    throw headerFault('Upload-Defer-Length', 'is not understood here: say the size in Upload-Length');
  }
  const sizeBytes = wholeNumber(headers, 'Upload-Length');
  const text = textOf(headers['upload-metadata']) ?? '';
  const metadata = metadataOf(text);
  // What other clients of tus call it.
  const path = metadata.get('path') ?? metadata.get('filename');
  if (path === undefined) throw headerFault('Upload-Metadata', 'must hold "path", or "filename"');
  const wrong = filePathFault(path);
  if (wrong !== null) throw headerFault('Upload-Metadata', `holds a "path" that must be ${wrong}`);
  const type = metadata.get('content_type') ?? metadata.get('filetype');
  const sum = metadata.get('sha256');
  return {
    path,
    sizeBytes,
    contentType: contentTypeOf({ 'content-type': type }, path),
    sha256: sha256Of({ 'x-checksum-sha256': headers['x-checksum-sha256'] ?? sum }),
    onlyNew: isOnlyNew(headers),
    metadata: text,
  };
}

/** @throws AppError `invalid_request` */
export function announcedPiece(headers: Headers): AnnouncedPiece {
  return {
    offset: wholeNumber(headers, 'Upload-Offset'),
    sha256: sha256Of({ 'x-checksum-sha256': headers['x-checksum-sha256'] }),
    sum: sumOf(textOf(headers['upload-checksum'])),
  };
}

export function isOffsetType(headers: Headers): boolean {
  return (textOf(headers['content-type']) ?? '').trim().toLowerCase() === OFFSET_TYPE;
}

function metadataOf(text: string): Map<string, string> {
  if (text.length > METADATA_MAX_CHARS) {
    throw headerFault('Upload-Metadata', `may have ${METADATA_MAX_CHARS} characters at most`);
  }
  const found = new Map<string, string>();
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  if (pairs.length > METADATA_MAX_PAIRS) {
    throw headerFault('Upload-Metadata', `may hold ${METADATA_MAX_PAIRS} values at most`);
  }
  for (const pair of pairs) {
    const [name = '', value = '', ...more] = pair.trim().split(/ +/);
    if (!BASE64.test(value) || more.length > 0) {
      throw headerFault(
        'Upload-Metadata',
        'must be names, each with its value in Base64, separated by commas',
      );
    }
    const bytes = Buffer.from(value, 'base64');
    const decoded = bytes.toString('utf8');
    if (!Buffer.from(decoded).equals(bytes))
      throw headerFault('Upload-Metadata', `holds no UTF-8 in "${name}"`);
    found.set(name, decoded);
  }
  return found;
}

function sumOf(text: string | undefined): AnnouncedPiece['sum'] {
  if (text === undefined) return null;
  const [algorithm = '', value = '', ...more] = text.trim().split(/ +/);
  if (!TUS_CHECKSUMS.some((known) => known === algorithm)) {
    throw headerFault('Upload-Checksum', `must begin with one of ${TUS_CHECKSUMS.join(', ')}`);
  }
  const digest = Buffer.from(value, 'base64');
  if (!BASE64.test(value) || digest.length !== DIGEST_BYTES[algorithm] || more.length > 0) {
    throw headerFault('Upload-Checksum', `must hold the ${algorithm} of the piece in Base64`);
  }
  return { algorithm, digest };
}

function wholeNumber(headers: Headers, field: string): number {
  const text = textOf(headers[field.toLowerCase()])?.trim() ?? '';
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw headerFault(field, 'must be a number of bytes');
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(',');
}

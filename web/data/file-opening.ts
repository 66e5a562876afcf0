// Fetches as much of a file as is shown, and decides what it is by name, type and bytes. Large files are not read whole:
// reading stops, which ends the transfer.

import type { Client, FileDownload, FileOf } from '../../client/client.ts';
import { type DelimitedTable, readTable, separatorOf } from './delimited-table.ts';
import { fileKind, imageType, textOf } from './file-kinds.ts';
import { layOutJson } from './json-layout.ts';

export const TEXT_BYTES = 262_144;
/** A page that holds more for one picture is no help. */
export const IMAGE_BYTES = 16_777_216;

/** What the API says of a file when it is opened. */
export interface FileFacts {
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly sha256: string;
}

export type Shown =
  | {
      readonly kind: 'text';
      readonly text: string;
      /** How much of the file the text is. */
      readonly bytes: number;
      readonly isWhole: boolean;
      /** JSON over lines; null for all else. */
      readonly laidOut: string | null;
      /** Null when it is no table. */
      readonly table: DelimitedTable | null;
    }
  | { readonly kind: 'image'; readonly blob: Blob }
  | { readonly kind: 'empty' }
  | { readonly kind: 'none'; readonly why: string };

export interface OpenedFile {
  readonly facts: FileFacts;
  readonly shown: Shown;
}

/** @param user whose upload it is, when an admin looks at another's
 * @throws ApiError, ConnectionError; what `signal` was aborted with */
export async function openFile(
  client: Client,
  file: FileOf,
  { user, signal }: { readonly user?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<OpenedFile> {
  const download = await client.downloadFile(file, { user, signal });
  const { sizeBytes, contentType, sha256 } = download;
  const named = { path: file.path, contentType };
  try {
    return { facts: { sizeBytes, contentType, sha256 }, shown: await show(download, named) };
  } finally {
    await download.body.cancel().catch(() => undefined);
  }
}

type Named = Parameters<typeof fileKind>[0];

async function show(download: FileDownload, named: Named): Promise<Shown> {
  const kind = fileKind(named);
  if (download.sizeBytes === 0) return { kind: 'empty' };
  if (kind === 'image') return image(download, imageType(named) ?? '');
  if (kind === 'other') return { kind: 'none', why: 'Files of this type are not shown here.' };
  const { bytes, isWhole } = await readUpTo(download.body, TEXT_BYTES);
  const text = textOf(bytes);
  if (text === null) return { kind: 'none', why: 'It is not text, and no picture that is shown here.' };
  return {
    kind: 'text',
    text,
    bytes: bytes.length,
    isWhole,
    laidOut: kind === 'json' && isWhole ? layOutJson(text) : null,
    table: kind === 'table' ? readTable(text, { separator: separatorOf(named.path, text), isWhole }) : null,
  };
}

async function image({ body, sizeBytes }: FileDownload, type: string): Promise<Shown> {
  if (sizeBytes > IMAGE_BYTES) return { kind: 'none', why: 'The picture is too large to be shown here.' };
  const { bytes } = await readUpTo(body, IMAGE_BYTES);
  return { kind: 'image', blob: new Blob([bytes], { type }) };
}

async function readUpTo(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; isWhole: boolean }> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  let isWhole = false;
  // One byte more than the limit tells whether there is more.
  while (length <= limit) {
    const { done, value } = await reader.read();
    if (done) {
      isWhole = true;
      break;
    }
    parts.push(value);
    length += value.length;
  }
  reader.releaseLock();
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes: isWhole ? bytes : bytes.slice(0, limit), isWhole };
}

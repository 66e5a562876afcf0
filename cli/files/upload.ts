// Files of this machine to the user's space on the cluster, one or a whole folder. Reads regular files only: a link
// in a folder may lead anywhere.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { ApiError, type Client, ConnectionError } from '../../client/client.ts';
import { pause } from '../../client/transport.ts';
import type { FileBody } from '../../shared/contracts/files.ts';
import { filePathFault } from '../../shared/model/file-path.ts';
import { CliError, EXIT } from '../exit.ts';

export interface UploadSource {
  /** On this machine, absolute. */
  readonly local: string;
  /** In the user's space. */
  readonly path: string;
  readonly sizeBytes: number;
}

export interface UploadPlan {
  readonly files: readonly UploadSource[];
  /** Links, devices and the like that are left out. */
  readonly leftOut: readonly string[];
}

const CHUNK_BYTES = 262_144;
const MAX_TRIES = 3;
const PAUSE_MS = 500;

/**
 * What is to be uploaded under which names. A folder's files keep their names below `path`; without one, below the
 * folder's own name.
 * @throws {CliError} naming what is not there, empty, or cannot be named so
 */
export async function planUpload(given: string, path: string | undefined): Promise<UploadPlan> {
  const local = resolve(given);
  const found = await stat(local).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(EXIT.usage, `cannot read ${given}: ${error.message}`, 'Name a file or a folder.');
  });
  const name = basename(local);
  if (!found.isDirectory()) {
    if (!found.isFile()) throw new CliError(EXIT.usage, `${given} is neither a file nor a folder`);
    const target = path === undefined ? name : path.endsWith('/') ? `${path}${name}` : path;
    return checked({ files: [{ local, path: target, sizeBytes: found.size }], leftOut: [] });
  }
  const files: UploadSource[] = [];
  const leftOut: string[] = [];
  await walk(local, (path ?? name).replace(/\/+$/, ''), files, leftOut);
  if (files.length === 0) throw new CliError(EXIT.usage, `${given} holds no files`);
  return checked({ files, leftOut });
}

async function walk(folder: string, prefix: string, files: UploadSource[], leftOut: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const local = join(folder, entry.name);
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) await walk(local, path, files, leftOut);
    else if (entry.isFile()) files.push({ local, path, sizeBytes: (await stat(local)).size });
    else leftOut.push(local);
  }
}

/** All names before the first byte. */
function checked(plan: UploadPlan): UploadPlan {
  for (const { path } of plan.files) {
    const fault = filePathFault(path);
    if (fault !== null) throw new CliError(EXIT.usage, `cannot upload as "${path}": it must be ${fault}`);
  }
  return plan;
}

/** @throws {CliError} when the file changed meanwhile; ApiError, ConnectionError; errors of the disk */
export async function uploadFile(
  client: Client,
  source: UploadSource,
  watch: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<FileBody> {
  for (let tries = 1; ; tries += 1) {
    const hash = createHash('sha256');
    let sent = 0;
    let unreadable: unknown;
    const chunks = async function* () {
      const local = createReadStream(source.local, { highWaterMark: CHUNK_BYTES });
      // Kept, as a call that fails for it would tell of a broken connection.
      local.once('error', (error) => {
        unreadable = error;
      });
      for await (const chunk of local as AsyncIterable<Buffer>) {
        hash.update(chunk);
        sent += chunk.length;
        watch.onBytes(chunk.length);
        yield chunk;
      }
    };
    try {
      const content = Readable.toWeb(Readable.from(chunks(), { objectMode: false }));
      const body = content as ReadableStream<Uint8Array>;
      const { file } = await client.uploadFile(source.path, body, { signal: watch.signal });
      if (file.sha256 === hash.digest('hex')) return file;
      throw new CliError(EXIT.failed, 'other bytes arrived than were sent', 'Run the command again.');
    } catch (error) {
      watch.signal.throwIfAborted();
      if (unreadable !== undefined) throw unreadable;
      const mayPass =
        error instanceof ConnectionError ||
        (error instanceof ApiError && [429, 502, 503, 504].includes(error.status));
      if (!mayPass || tries >= MAX_TRIES) throw error;
      watch.onBytes(-sent);
      await pause(PAUSE_MS * tries, watch.signal);
    }
  }
}

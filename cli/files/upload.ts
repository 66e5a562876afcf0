// Files of this machine to the user's space on the cluster, one or a whole folder. Reads regular files only: a link
// in a folder may lead anywhere.

import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { FileBody } from '../../shared/contracts/files.ts';
import { filePathFault } from '../../shared/model/file-path.ts';
import { CliError, EXIT } from '../exit.ts';
import { bytesOf, type LocalFile, sumOf } from './local-file.ts';
import type { Patience } from './patience.ts';
import { type ResumableParts, uploadResumable } from './resumable-upload.ts';
import { unlessStalled } from './stall.ts';

export interface UploadSource extends LocalFile {
  /** In the user's space. */
  readonly path: string;
}

export interface UploadPlan {
  readonly files: readonly UploadSource[];
  /** Links, devices and the like that are left out. */
  readonly leftOut: readonly string[];
}

/** Smaller ones are sent sooner than their checksum is asked for. */
export const RESUMABLE_BYTES = 8 * 1_048_576;

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
    return checked({ files: [{ local, path: target, ...stateOf(found) }], leftOut: [] });
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
    else if (entry.isFile()) files.push({ local, path, ...stateOf(await stat(local)) });
    else leftOut.push(local);
  }
}

function stateOf({ size, mtimeMs }: Stats): Pick<LocalFile, 'sizeBytes' | 'mtimeMs'> {
  return { sizeBytes: size, mtimeMs };
}

/** All names before the first byte. */
function checked(plan: UploadPlan): UploadPlan {
  for (const { path } of plan.files) {
    const fault = filePathFault(path);
    if (fault !== null) throw new CliError(EXIT.usage, `cannot upload as "${path}": it must be ${fault}`);
  }
  return plan;
}

export interface UploadMeans extends ResumableParts {
  /** Also what is there already. */
  readonly force: boolean;
  /** From so many bytes on in pieces. */
  readonly resumableFrom: number;
}

export interface Sent {
  readonly file: FileBody;
  readonly status: 'uploaded' | 'present';
}

/**
 * Sends the file unless these very bytes are there.
 * @throws {CliError} when the file changed meanwhile; ApiError, ConnectionError; errors of the disk; the signal's reason
 */
export async function sendFile(source: UploadSource, means: UploadMeans): Promise<Sent> {
  const { client, watch, patience } = means;
  let sum: string | null = null;
  if (!means.force) {
    const there = await trying(patience, () => client.findFile(source.path, { signal: watch.signal }));
    if (there?.size_bytes === source.sizeBytes) {
      watch.onStep('reading');
      sum = await sumOf(source, { signal: watch.signal, onBytes: () => undefined });
      watch.onStep(null);
      if (sum === there.sha256) {
        watch.onKnown(source.sizeBytes);
        return { file: there, status: 'present' };
      }
    }
  }
  const whole = source.sizeBytes < means.resumableFrom;
  const file = whole ? await uploadWhole(source, means) : await uploadResumable(source, sum, means);
  return { file, status: 'uploaded' };
}

/** In one call: what breaks off begins anew. */
async function uploadWhole(
  source: UploadSource,
  { client, watch, patience }: Pick<UploadMeans, 'client' | 'watch' | 'patience'>,
): Promise<FileBody> {
  return trying(patience, async () => {
    const hash = createHash('sha256');
    let sent = 0;
    try {
      const { file } = await unlessStalled(client.url, watch.signal, async (signal, moves) => {
        const sending = bytesOf(source, 0, source.sizeBytes, (chunk) => {
          hash.update(chunk);
          sent += chunk.length;
          watch.onBytes(chunk.length);
          moves();
        });
        try {
          return await client.uploadFile(source.path, sending.body, { signal });
        } catch (error) {
          throw sending.unreadable() ?? error;
        }
      });
      if (file.sha256 === hash.digest('hex')) return file;
    } catch (error) {
      watch.onBytes(-sent);
      throw error;
    }
    throw new CliError(EXIT.failed, 'other bytes arrived than were sent', 'Run the command again.');
  });
}

async function trying<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await patience.after(error);
    }
  }
}

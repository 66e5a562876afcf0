// One file from the cluster to this machine: goes on where an earlier try broke off, and takes its name only when
// all of its bytes are there and right.

import { createHash, type Hash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import type { Client } from '../../client/client.ts';
import type { FileBody } from '../../shared/contracts/files.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Patience } from './patience.ts';

export interface DownloadTarget {
  /** Where it is to lie, absolute. */
  readonly path: string;
  /** Where it lies until it is whole, in the same folder. */
  readonly part: string;
}

export interface DownloadWatch {
  readonly signal: AbortSignal;
  /** Bytes that came; negative when some turned out to be wrong. */
  readonly onBytes: (bytes: number) => void;
  /** Bytes that were there before. */
  readonly onKnown: (bytes: number) => void;
  readonly patience: Patience;
  /** Whose upload, for admins. */
  readonly user?: string | undefined;
}

export type DownloadOutcome = 'downloaded' | 'present';

const READ_BYTES = 1_048_576;

/**
 * @throws {CliError} for bytes that are not those that were listed; ApiError, ConnectionError; errors of the disk;
 *   the reason of the signal. What has come stays in the part, for the next run.
 */
export async function downloadFile(
  client: Client,
  file: FileBody,
  target: DownloadTarget,
  watch: DownloadWatch,
): Promise<DownloadOutcome> {
  if (await isThere(target.path, file)) {
    watch.onKnown(file.size_bytes);
    return 'present';
  }
  const found = await regular(target.part);
  const resumed = found !== null && found.size > 0 && found.size <= file.size_bytes;
  if (!(await fetchInto(target, client, file, watch, resumed))) {
    // The part may be of another version of the file, or was damaged: once more from the beginning.
    watch.onBytes(-file.size_bytes);
    if (!resumed || !(await fetchInto(target, client, file, watch, false))) {
      throw new CliError(EXIT.failed, 'its bytes do not match its checksum');
    }
  }
  await takeName(target, file);
  return 'downloaded';
}

/** Another run may have brought the same file into the same place a moment ago. */
async function takeName({ path, part }: DownloadTarget, file: FileBody): Promise<void> {
  try {
    await rename(part, path);
  } catch (error) {
    if (absent(error as NodeJS.ErrnoException) === null && (await isThere(path, file))) return;
    throw error;
  }
}

/** False when all bytes came but are not the right ones; then the part is gone. */
async function fetchInto(
  { part }: DownloadTarget,
  client: Client,
  file: FileBody,
  watch: DownloadWatch,
  resume: boolean,
): Promise<boolean> {
  const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  const handle = await open(part, resume ? flags : flags | constants.O_TRUNC, 0o666);
  const growing = new GrowingFile(handle, watch);
  let whole = false;
  try {
    if (resume) await growing.takeStock();
    await fetchRest(growing, client, file, watch);
    // Before it has its name: a power cut must not leave a file that is named and empty.
    await handle.sync();
    // Another run that writes the same part may have emptied it.
    whole = (await handle.stat()).size === growing.size;
  } catch (error) {
    if (growing.size === 0) await rm(part, { force: true });
    throw isFull(error) ? full(part) : error;
  } finally {
    await handle.close();
  }
  if (whole && growing.sum() === file.sha256) return true;
  await rm(part);
  return false;
}

async function fetchRest(
  growing: GrowingFile,
  client: Client,
  file: FileBody,
  watch: DownloadWatch,
): Promise<void> {
  while (growing.size < file.size_bytes) {
    const before = growing.size;
    try {
      const { sha256 } = file;
      const { signal, user } = watch;
      const download = await client.downloadFile(file, { from: before, sha256, signal, user });
      if (download.sha256 !== sha256) {
        await download.body.cancel();
        throw new CliError(EXIT.failed, 'it was replaced while it was downloaded', 'Run the command again.');
      }
      if (download.start !== growing.size) await growing.beginAnew();
      for await (const chunk of download.body) {
        if (growing.size + chunk.length > file.size_bytes) {
          throw new CliError(EXIT.failed, `it is longer than the ${file.size_bytes} bytes that were listed`);
        }
        await growing.add(chunk);
      }
      return;
    } catch (error) {
      if (growing.size > before) watch.patience.moved();
      await watch.patience.after(error);
    }
  }
}

/** A file that is written from its beginning on, hashed as it grows. */
class GrowingFile {
  size = 0;
  readonly #handle: FileHandle;
  readonly #watch: Pick<DownloadWatch, 'onBytes' | 'onKnown'>;
  #hash: Hash = createHash('sha256');

  constructor(handle: FileHandle, watch: Pick<DownloadWatch, 'onBytes' | 'onKnown'>) {
    this.#handle = handle;
    this.#watch = watch;
  }

  /** Reads what is there already. */
  async takeStock(): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.size);
      if (bytesRead === 0) return;
      this.#count(buffer.subarray(0, bytesRead));
      this.#watch.onKnown(bytesRead);
    }
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      at += (await this.#handle.write(chunk, at, chunk.length - at, this.size + at)).bytesWritten;
    }
    this.#count(chunk);
    this.#watch.onBytes(chunk.length);
  }

  async beginAnew(): Promise<void> {
    await this.#handle.truncate(0);
    this.#watch.onBytes(-this.size);
    this.size = 0;
    this.#hash = createHash('sha256');
  }

  sum(): string {
    return this.#hash.copy().digest('hex');
  }

  #count(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.size += chunk.length;
  }
}

/** Whether these very bytes lie there. @throws {CliError} when a folder does */
async function isThere(path: string, file: FileBody): Promise<boolean> {
  const found = await lstat(path).catch(absent);
  if (found?.isDirectory()) throw new CliError(EXIT.failed, `${path} is a folder`);
  if (!found?.isFile() || found.size !== file.size_bytes) return false;
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const there = new GrowingFile(handle, { onBytes: () => undefined, onKnown: () => undefined });
    await there.takeStock();
    return there.sum() === file.sha256;
  } finally {
    await handle.close();
  }
}

async function regular(path: string): Promise<Stats | null> {
  const found = await lstat(path).catch(absent);
  return found?.isFile() ? found : null;
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** What has come stays: it is needed as soon as there is room. */
export class DiskFull extends CliError {}

function full(part: string): DiskFull {
  return new DiskFull(
    EXIT.failed,
    `the disk of ${part} is full`,
    'Make room and run the command again: it goes on where it stopped.',
  );
}

// Bytes of files on disk: <dir>/blobs/<last two characters of the id>/<id>. A file is written beside them, under a
// name nobody reads, and takes its own name when it is whole and on the disk. No path may lead out of <dir>.

import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '../../errors.ts';
import { FileIntake } from '../../platform/file-intake.ts';
import { clipRange, openReading } from '../../platform/file-reading.ts';
import type { ByteRange, FileStore, WrittenFile } from '../../ports/file-store.ts';
import { asAppError, guarded, isMissing } from './errors.ts';

const KEPT = 'files';
/** Nothing that could be a path. The two characters at its end spread files over folders. */
const FILE_ID = /^[a-z0-9][a-z0-9_-]{0,125}[a-z0-9]{2}$/;
/** Three letters and more, so that it is no folder of files. */
const UNFINISHED = 'unfinished';
/** What nobody has written to for so long has lost its writer. */
const ABANDONED_MS = 86_400_000;
const READ_BYTES = 262_144;

/**
 * Makes the folder, so that others on this machine find it, and clears away what dead writers left. Throws
 * `store_unavailable` when the folder cannot be used.
 */
export async function openDiskFileStore(dir: string): Promise<FileStore> {
  const blobs = join(dir, 'blobs');
  await guarded(KEPT, () => mkdir(dir, { recursive: true }));
  await guarded(KEPT, () => removeAbandoned(join(blobs, UNFINISHED)));
  return new DiskFileStore(blobs);
}

class DiskFileStore implements FileStore {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async write(
    id: string,
    content: Readable,
    options: { maxBytes: number; signal?: AbortSignal },
  ): Promise<WrittenFile> {
    const intake = new FileIntake(content, options);
    try {
      const path = this.#pathOf(id);
      const unfinished = join(this.#dir, UNFINISHED, `${id}.${randomUUID()}`);
      try {
        await this.#fill(unfinished, intake);
        await guarded(KEPT, async () => {
          await mkdir(dirname(path), { recursive: true });
          await rename(unfinished, path);
        });
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => undefined);
        throw error;
      }
      return intake.written();
    } finally {
      content.destroy();
    }
  }

  async #fill(path: string, intake: FileIntake): Promise<void> {
    const file = await guarded(KEPT, async () => {
      await mkdir(dirname(path), { recursive: true });
      return open(path, 'wx');
    });
    try {
      // What the source fails with is not a fault of the disk and goes out as it is.
      for await (const piece of intake.pieces()) await guarded(KEPT, () => file.appendFile(piece));
      // Before it has its name: a power cut must not leave a file that is named and empty.
      await guarded(KEPT, () => file.sync());
    } finally {
      await file.close();
    }
  }

  async read(id: string, range?: ByteRange): Promise<Readable> {
    const path = this.#pathOf(id);
    const file = await guarded(KEPT, () => openKept(path));
    try {
      const { size } = await guarded(KEPT, () => file.stat());
      const { start, end } = clipRange(range, size);
      if (start === end) {
        await file.close();
        return Readable.from([], { objectMode: false });
      }
      // Its `end` is the last byte.
      const source = file.createReadStream({ start, end: end - 1, highWaterMark: READ_BYTES });
      return openReading(source, end - start, (error) => asAppError(error, KEPT));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const path of ids.map((id) => this.#pathOf(id)))
      await guarded(KEPT, () => rm(path, { force: true }));
  }

  #pathOf(id: string): string {
    if (!FILE_ID.test(id)) throw new AppError('invalid_request', 'this cannot be the id of a file');
    return join(this.#dir, id.slice(-2), id);
  }
}

async function openKept(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isMissing(error))
      throw new AppError('not_found', 'the bytes of this file are not there', { cause: error });
    throw error;
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of names) {
    const path = join(folder, name);
    // Its writer may finish at this moment.
    const seen = await stat(path).catch(() => null);
    if (seen && seen.mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { force: true });
  }
}

// Bytes of files in GridFS, the id as the name. A file is there once its document in `blobs.files` is, which the
// driver writes last. Chunks without one belong to a writer at work, or to a dead one: `sweep` tells them apart.

import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type GridFSBucket, type GridFSFile, MongoRuntimeError, ObjectId } from 'mongodb';
import { AppError, isAppError } from '../../errors.ts';
import { FileIntake } from '../../platform/file-intake.ts';
import { clipRange, openReading } from '../../platform/file-reading.ts';
import type { ByteRange, FileStore, WrittenFile } from '../../ports/file-store.ts';
import type { Collections } from './collections.ts';
import { asAppError, guarded } from './errors.ts';

/**
 * FerretDB sends up to 250 documents in one message, which may have 48 MB. Chunks of a piece are written side by side.
 */
export const CHUNK_BYTES = 131_072;
/** An upload that was begun so long ago has lost its writer. */
const ABANDONED_MS = 86_400_000;
/** Ids in one command. */
const REMOVE_STEP = 1_000;

export class MongoFileStore implements FileStore {
  readonly #bucket: GridFSBucket;
  readonly #uploads: Collections['uploads'];

  constructor(bucket: GridFSBucket, { uploads }: Pick<Collections, 'uploads'>) {
    this.#bucket = bucket;
    this.#uploads = uploads;
  }

  async write(
    id: string,
    content: Readable,
    options: { maxBytes: number; signal?: AbortSignal },
  ): Promise<WrittenFile> {
    const intake = new FileIntake(content, options);
    const _id = new ObjectId();
    try {
      await guarded(() => this.#uploads.insertOne({ _id, at: Date.now() }));
      try {
        await this.#upload(_id, id, intake);
      } catch (error) {
        await this.#giveUp(_id, isAppError(error, 'store_unavailable')).catch(() => undefined);
        throw error;
      }
      await guarded(async () => {
        await this.#dropOlder(_id, id);
        await this.#uploads.deleteOne({ _id });
      });
      return intake.written();
    } finally {
      content.destroy();
    }
  }

  async #upload(_id: ObjectId, name: string, intake: FileIntake): Promise<void> {
    const upload = this.#bucket.openUploadStreamWithId(_id, name);
    upload.on('error', () => undefined);
    // One piece at a time, so that nothing is on its way when the source fails and the chunks are removed. What the
    // source fails with is not a fault of the server and goes out as it is.
    try {
      for await (const piece of intake.pieces()) {
        const written = new Promise<void>((done, fail) => {
          upload.write(piece, (error) => (error ? fail(error) : done()));
        });
        await guarded(() => written);
      }
      upload.end();
      await guarded(() => finished(upload));
    } finally {
      upload.destroy();
    }
  }

  /** After a fault of the server this may fail, or come before the last chunk: `sweep` looks again then. */
  async #giveUp(_id: ObjectId, again: boolean): Promise<void> {
    await this.#drop(_id);
    if (!again) await this.#uploads.deleteOne({ _id });
  }

  read(id: string, range?: ByteRange): Promise<Readable> {
    return guarded(async () => {
      const [file] = await this.#revisions([id]).sort({ uploadDate: -1, _id: -1 }).limit(1).toArray();
      if (!file) throw new AppError('not_found', 'the bytes of this file are not there');
      const { start, end } = clipRange(range, file.length);
      if (start === end) return Readable.from([], { objectMode: false });
      return openReading(this.#bucket.openDownloadStream(file._id, { start, end }), end - start, asAppError);
    });
  }

  remove(ids: readonly string[]): Promise<void> {
    return guarded(async () => {
      for (let at = 0; at < ids.length; at += REMOVE_STEP) {
        const found = await this.#revisions(ids.slice(at, at + REMOVE_STEP)).toArray();
        for (const { _id } of found) await this.#drop(_id);
      }
    });
  }

  /** Removes what dead writers left. Harmless at any time, by any number of processes. */
  async sweep(): Promise<void> {
    for await (const { _id } of this.#uploads.find({ at: { $lt: Date.now() - ABANDONED_MS } })) {
      const [whole] = await this.#bucket.find({ _id }).limit(1).toArray();
      if (!whole) await this.#drop(_id);
      await this.#uploads.deleteOne({ _id });
    }
  }

  /** Of writers of the same id at the same moment the last one stays, so never all go. */
  async #dropOlder(_id: ObjectId, id: string): Promise<void> {
    const revisions = await this.#revisions([id]).toArray();
    const own = revisions.find((one) => one._id.equals(_id));
    for (const one of revisions) if (own && isOlder(one, own)) await this.#drop(one._id);
  }

  /** Whether it is a whole file or chunks alone; the driver removes the latter too and then complains. */
  async #drop(_id: ObjectId): Promise<void> {
    try {
      await this.#bucket.delete(_id);
    } catch (error) {
      if (!(error instanceof MongoRuntimeError)) throw error;
    }
  }

  #revisions(ids: readonly string[]) {
    return this.#bucket.find({ filename: { $in: [...ids] } });
  }
}

function isOlder(one: GridFSFile, other: GridFSFile): boolean {
  const [a, b] = [one.uploadDate.getTime(), other.uploadDate.getTime()];
  return a < b || (a === b && one._id.toHexString() < other._id.toHexString());
}

// Records of uploads on their way in, in MongoDB. They change by compare-and-set alone; the bytes are elsewhere.

import type { Upload } from '../../model/upload.ts';
import type { UploadStore } from '../../ports/store.ts';
import type { Collections, ResumableUploadDocument } from './collections.ts';
import { guarded } from './errors.ts';

export class MongoUploadStore implements UploadStore {
  readonly #uploads: Collections['resumableUploads'];

  constructor({ resumableUploads }: Pick<Collections, 'resumableUploads'>) {
    this.#uploads = resumableUploads;
  }

  insert(upload: Upload, maxOpen: number): Promise<boolean> {
    const { id: _id, ownerId, createdAt, revision } = upload;
    return guarded(async () => {
      await this.#uploads.insertOne({ _id, ownerId, createdAt, revision, ...changing(upload) });
      // Counted after it is in: two that are inserted at the same moment see each other.
      const found = await this.#uploads
        .find({ ownerId, open: true }, { projection: { _id: 1 } })
        .limit(maxOpen + 1)
        .toArray();
      if (found.length <= maxOpen) return true;
      await this.#uploads.deleteOne({ _id });
      return false;
    });
  }

  get(id: string): Promise<Upload | null> {
    return guarded(async () => {
      const found = await this.#uploads.findOne({ _id: id });
      return found && uploadOf(found);
    });
  }

  commit(next: Upload): Promise<boolean> {
    const { id: _id, revision } = next;
    return guarded(async () => {
      const written = await this.#uploads.updateOne(
        { _id, revision: revision - 1 },
        { $set: { revision, ...changing(next) } },
      );
      return written.matchedCount === 1;
    });
  }

  listOpen(ownerId: string, limit: number): Promise<Upload[]> {
    return guarded(async () => {
      const found = this.#uploads.find({ ownerId, open: true }).sort({ createdAt: 1, _id: 1 }).limit(limit);
      return (await found.toArray()).map(uploadOf);
    });
  }

  listExpired(now: number, limit: number): Promise<Upload[]> {
    return guarded(async () => {
      const found = this.#uploads
        .find({ expiresAt: { $lte: now } })
        .sort({ expiresAt: 1, _id: 1 })
        .limit(limit);
      return (await found.toArray()).map(uploadOf);
    });
  }

  remove({ id, revision }: Pick<Upload, 'id' | 'revision'>): Promise<boolean> {
    return guarded(async () => (await this.#uploads.deleteOne({ _id: id, revision })).deletedCount === 1);
  }
}

function changing(upload: Upload): Pick<ResumableUploadDocument, 'open' | 'expiresAt' | 'record'> {
  return { open: upload.result === null, expiresAt: upload.expiresAt, record: JSON.stringify(upload) };
}

function uploadOf({ record }: Pick<ResumableUploadDocument, 'record'>): Upload {
  return JSON.parse(record) as Upload;
}

// Records of kept files in MongoDB. The bytes are elsewhere; nothing here touches them.

import type { FileRecord } from '../../model/file.ts';
import type { FileRecordStore } from '../../ports/store.ts';
import type { Collections, FileDocument } from './collections.ts';
import { guarded, upserting } from './errors.ts';

export class MongoFileRecordStore implements FileRecordStore {
  readonly #files: Collections['files'];

  constructor({ files }: Pick<Collections, 'files'>) {
    this.#files = files;
  }

  put(file: FileRecord): Promise<void> {
    const taskId = file.taskId ?? '';
    return upserting(async () => {
      await this.#files.replaceOne(
        { _id: keyOf(file.ownerId, taskId, file.path) },
        { id: file.id, ownerId: file.ownerId, taskId, path: file.path, record: JSON.stringify(file) },
        { upsert: true },
      );
    });
  }

  find(where: { ownerId: string; taskId: string | null; path: string }): Promise<FileRecord | null> {
    return guarded(async () => {
      const found = await this.#files.findOne({ _id: keyOf(where.ownerId, where.taskId ?? '', where.path) });
      return found && fileOf(found);
    });
  }

  list(where: { ownerId: string; taskId?: string | null | undefined }): Promise<FileRecord[]> {
    const { ownerId, taskId } = where;
    return guarded(async () =>
      (
        await this.#files
          .find({ ownerId, ...(taskId === undefined ? {} : { taskId: taskId ?? '' }) })
          .sort({ path: 1, taskId: 1 })
          .toArray()
      ).map(fileOf),
    );
  }

  remove(id: string): Promise<boolean> {
    return guarded(async () => (await this.#files.deleteOne({ id })).deletedCount === 1);
  }
}

function keyOf(ownerId: string, taskId: string, path: string): string {
  return JSON.stringify([ownerId, taskId, path]);
}

function fileOf(doc: FileDocument): FileRecord {
  return JSON.parse(doc.record) as FileRecord;
}

// Records of kept files in MongoDB. The bytes are elsewhere; nothing here touches them.

import type { Filter } from 'mongodb';
import type { FileRecord } from '../../model/file.ts';
import { decodeFileCursor, encodeFileCursor, type FilePosition } from '../../platform/file-cursor.ts';
import type { FileFilter, FilePage, FilePlace, FileRecordStore } from '../../ports/store.ts';
import type { Collections, FileDocument } from './collections.ts';
import { guarded, upserting } from './errors.ts';
import { insertNew } from './insert-new.ts';

/** Records in one command. */
const STEP = 1_000;

export class MongoFileRecordStore implements FileRecordStore {
  readonly #files: Collections['files'];

  constructor({ files }: Pick<Collections, 'files'>) {
    this.#files = files;
  }

  async put(files: readonly FileRecord[]): Promise<FileRecord[]> {
    const replaced: FileRecord[] = [];
    const last = new Map<string, FileRecord>();
    for (const file of files) {
      const earlier = last.get(keyOf(file));
      if (earlier && earlier.id !== file.id) replaced.push(earlier);
      last.set(keyOf(file), file);
    }
    const wanted = [...last].map(([_id, file]) => ({ _id, ...contentOf(file) }));
    for (let at = 0; at < wanted.length; at += STEP) {
      const step = wanted.slice(at, at + STEP);
      const taken = await guarded(() => insertNew(this.#files, step));
      replaced.push(...(await this.#replace(taken)));
    }
    return replaced;
  }

  /** One command each, for a bulk would not say what it replaced. */
  async #replace(documents: readonly FileDocument[]): Promise<FileRecord[]> {
    const replaced: FileRecord[] = [];
    for (const { _id, ...content } of documents) {
      const before = await upserting(() =>
        this.#files.findOneAndReplace({ _id }, content, { upsert: true, returnDocument: 'before' }),
      );
      if (before && before.id !== content.id) replaced.push(fileOf(before));
    }
    return replaced;
  }

  find(place: FilePlace): Promise<FileRecord | null> {
    return guarded(async () => {
      const found = await this.#files.findOne({ _id: keyOf(place) });
      return found && fileOf(found);
    });
  }

  list(filter: FileFilter, page: { limit: number; after?: string | undefined }): Promise<FilePage> {
    return guarded(async () => {
      const beyond = page.after === undefined ? {} : beyondOf(decodeFileCursor(page.after));
      const found = await this.#files
        .find({ ...conditionOf(filter), ...beyond })
        .sort({ path: 1, taskId: 1, attempt: 1 })
        .limit(page.limit + 1)
        .toArray();
      const shown = found.slice(0, page.limit);
      const last = found.length > page.limit ? shown.at(-1) : undefined;
      return { files: shown.map(fileOf), next: last ? encodeFileCursor(last) : null };
    });
  }

  total(filter: FileFilter): Promise<{ files: number; bytes: number }> {
    const wanted = conditionOf(filter);
    return guarded(async () => {
      // Apart, because FerretDB gives 0 for the second sum of a group.
      const [files, [sum]] = await Promise.all([
        this.#files.countDocuments(wanted),
        this.#files
          .aggregate<{ bytes: number }>([
            { $match: wanted },
            { $group: { _id: null, bytes: { $sum: '$sizeBytes' } } },
          ])
          .toArray(),
      ]);
      return { files, bytes: sum?.bytes ?? 0 };
    });
  }

  uploadBytes(ownerIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return guarded(async () => {
      const groups = await this.#files
        .aggregate<{ _id: string; bytes: number }>([
          { $match: { ownerId: { $in: [...ownerIds] }, taskId: '' } },
          { $group: { _id: '$ownerId', bytes: { $sum: '$sizeBytes' } } },
        ])
        .toArray();
      return new Map(groups.map(({ _id, bytes }) => [_id, bytes]));
    });
  }

  remove(ids: readonly string[]): Promise<number> {
    return guarded(async () => {
      let removed = 0;
      for (let at = 0; at < ids.length; at += STEP) {
        const step = ids.slice(at, at + STEP);
        removed += (await this.#files.deleteMany({ id: { $in: step } })).deletedCount;
      }
      return removed;
    });
  }
}

function keyOf({ ownerId, taskId, attempt, path }: FilePlace): string {
  return JSON.stringify([ownerId, taskId ?? '', attempt ?? 0, path]);
}

function contentOf(file: FileRecord): Omit<FileDocument, '_id'> {
  const { id, ownerId, taskId, attempt, path, sizeBytes } = file;
  return {
    id,
    ownerId,
    taskId: taskId ?? '',
    attempt: attempt ?? 0,
    path,
    sizeBytes,
    record: JSON.stringify(file),
  };
}

function conditionOf({ ownerId, taskId, attempt }: FileFilter): Filter<FileDocument> {
  return {
    ownerId,
    ...(taskId === undefined ? {} : { taskId: taskId ?? '' }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

/** The first condition bounds the index, the others settle ties. */
function beyondOf({ path, taskId, attempt }: FilePosition): Filter<FileDocument> {
  return {
    path: { $gte: path },
    $or: [{ path: { $gt: path } }, { taskId: { $gt: taskId } }, { taskId, attempt: { $gt: attempt } }],
  };
}

function fileOf(doc: FileDocument): FileRecord {
  return JSON.parse(doc.record) as FileRecord;
}

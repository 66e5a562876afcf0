// Files of attempts as tests bring them and look at them, and a file store that something can be put in front of.

import { readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { FileRecord } from '../../../shared/model/file.ts';
import type { Task } from '../../../shared/model/task.ts';
import { newId } from '../../../shared/platform/ids.ts';
import type { FileStore } from '../../../shared/ports/file-store.ts';
import type { Stage } from './stage.ts';

export function keptFiles(stage: () => Stage) {
  const recordsOf = async ({ ownerId, id }: Task): Promise<FileRecord[]> => [
    ...(await stage().store.files.list({ ownerId, taskId: id }, { limit: 1_000 })).files,
  ];
  const kept = async (task: Task): Promise<Record<string, string>> => {
    const records = await recordsOf(task);
    const texts = records.map(
      async ({ id, path }) => [path, (await buffer(await stage().files.read(id))).toString()] as const,
    );
    return Object.fromEntries(await Promise.all(texts));
  };
  /** How many files there are in the file store, whoever knows of them. */
  const blobs = async (): Promise<number> => {
    const names = await readdir(`${stage().config.dataDir}/files/blobs`, { recursive: true }).catch(() => []);
    return names.filter((name) => /^..\/file-/.test(name)).length;
  };
  const upload = async (path: string, text: string): Promise<FileRecord> => {
    const id = newId('file');
    const written = await stage().files.write(id, Readable.from([Buffer.from(text)]), { maxBytes: 1e9 });
    const place = { ownerId: 'user-1', taskId: null, attempt: null, path };
    const record = { ...written, ...place, id, contentType: 'text/plain', createdAt: 1 };
    await stage().store.files.put([record]);
    return record;
  };
  /** The file store with something in front of each write. */
  const beforeWrites = (before: (count: number) => Promise<void> | void): FileStore => {
    let count = 0;
    return {
      write: async (id, content, options) => {
        count += 1;
        try {
          await before(count);
        } catch (error) {
          content.destroy();
          throw error;
        }
        return stage().files.write(id, content, options);
      },
      read: (...args) => stage().files.read(...args),
      remove: (ids) => stage().files.remove(ids),
    };
  };
  return { recordsOf, kept, blobs, upload, beforeWrites };
}

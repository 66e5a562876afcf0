// What the records of kept files promise.

import { beforeEach, describe, expect, it } from 'vitest';
import type { FileRecord } from '../../../shared/model/file.ts';
import type { FileFilter, Store } from '../../../shared/ports/store.ts';

const makeFile = (over: Partial<FileRecord> = {}): FileRecord => ({
  id: 'file-1',
  ownerId: 'user-1',
  taskId: 'task-1',
  attempt: 1,
  path: 'out/ä $x.y/😀.txt',
  sizeBytes: 2 ** 40,
  contentType: 'text/plain; charset="utf-8"',
  sha256: '00',
  createdAt: 7,
  ...over,
});

const makeUpload = (over: Partial<FileRecord> = {}) => makeFile({ taskId: null, attempt: null, ...over });

export function fileRecords(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });

  const all = async (filter: FileFilter, limit = 1_000) => {
    const files: FileRecord[] = [];
    let after: string | undefined;
    do {
      const page = await other.files.list(filter, { limit, after });
      expect(page.files.length).toBeLessThanOrEqual(limit);
      files.push(...page.files);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return files;
  };

  describe('records of files', () => {
    it('come back exact, one for each owner, task, attempt and path', async () => {
      const file = makeFile();
      expect(await store.files.put([file])).toEqual([]);
      expect(await other.files.find(file)).toStrictEqual(file);
      const retry = makeFile({ id: 'file-2', attempt: 2, sizeBytes: 0 });
      const upload = makeUpload({ id: 'file-3' });
      const foreign = makeFile({ id: 'file-4', ownerId: 'user-2' });
      const elsewhere = makeFile({ id: 'file-5', taskId: 'task-2' });
      expect(await other.files.put([retry, upload, foreign, elsewhere])).toEqual([]);
      for (const one of [file, retry, upload, foreign, elsewhere]) {
        expect(await store.files.find(one)).toStrictEqual(one);
      }
      expect(await store.files.find({ ...file, attempt: 3 })).toBeNull();
      expect(await store.files.find({ ...upload, path: 'a' })).toBeNull();
    });

    it('are replaced at their place, and what was replaced is told', async () => {
      const [a, b] = [makeFile({ id: 'a1', path: 'a' }), makeFile({ id: 'b1', path: 'b' })];
      await store.files.put([a, b]);
      const newer = makeFile({ id: 'a2', path: 'a', sizeBytes: 3, contentType: 'text/csv' });
      const fresh = makeFile({ id: 'c1', path: 'c' });
      expect(await other.files.put([newer, fresh])).toStrictEqual([a]);
      expect(await all({ ownerId: 'user-1' })).toStrictEqual([newer, b, fresh]);
      // A repeat replaces nothing: its bytes are still wanted.
      expect(await store.files.put([newer, fresh])).toEqual([]);
      expect(await store.files.put([])).toEqual([]);
    });

    it('of one place in a call leave the later one', async () => {
      const [one, two, three] = ['f1', 'f2', 'f3'].map((id) => makeFile({ id }));
      await store.files.put([one!]);
      const replaced = await store.files.put([two!, three!]);
      expect(replaced.map(({ id }) => id).sort()).toEqual(['f1', 'f2']);
      expect(await all({ ownerId: 'user-1' })).toStrictEqual([three]);
    });

    it('are listed in order of path, task and attempt, in pages of any size', async () => {
      const files = ['a', 'a/b', 'a.c', 'B', 'ä', '😀'].flatMap((path) => [
        makeUpload({ id: `up ${path}`, path }),
        ...['task-1', 'task-2'].flatMap((taskId) =>
          [1, 2, 10].map((attempt) =>
            makeFile({ id: `${taskId} ${attempt} ${path}`, taskId, attempt, path }),
          ),
        ),
      ]);
      const inOrder = files.toSorted(
        (x, y) =>
          Buffer.compare(Buffer.from(x.path), Buffer.from(y.path)) ||
          Number((x.taskId ?? '') > (y.taskId ?? '')) - Number((x.taskId ?? '') < (y.taskId ?? '')) ||
          (x.attempt ?? 0) - (y.attempt ?? 0),
      );
      await store.files.put([...files.toReversed(), makeFile({ id: 'foreign', ownerId: 'user-2' })]);
      const filters: [FileFilter, (file: FileRecord) => boolean][] = [
        [{ ownerId: 'user-1' }, () => true],
        [{ ownerId: 'user-1', taskId: null }, ({ taskId }) => taskId === null],
        [{ ownerId: 'user-1', taskId: 'task-2' }, ({ taskId }) => taskId === 'task-2'],
        [
          { ownerId: 'user-1', taskId: 'task-1', attempt: 2 },
          (f) => f.taskId === 'task-1' && f.attempt === 2,
        ],
        [{ ownerId: 'user-1', attempt: 10 }, ({ attempt }) => attempt === 10],
        [{ ownerId: 'nobody' }, () => false],
      ];
      for (const [filter, matches] of filters) {
        for (const limit of [1, 5, 6, 1_000]) {
          expect(await all(filter, limit), JSON.stringify(filter)).toStrictEqual(inOrder.filter(matches));
        }
      }
    });

    it('have no next page when the last one is full, and a cursor that was none is refused', async () => {
      await store.files.put([makeFile({ id: 'f1', path: 'a' }), makeFile({ id: 'f2', path: 'b' })]);
      expect((await store.files.list({ ownerId: 'user-1' }, { limit: 2 })).next).toBeNull();
      expect((await store.files.list({ ownerId: 'user-1' }, { limit: 1 })).next).not.toBeNull();
      for (const after of ['', 'x', 'bnVsbA', 'WzFd']) {
        await expect(
          (async () => store.files.list({ ownerId: 'user-1' }, { limit: 1, after }))(),
        ).rejects.toMatchObject({ code: 'invalid_request' });
      }
    });

    it('have a total for every filter', async () => {
      await store.files.put([
        makeFile({ id: 'f1', path: 'a', sizeBytes: 2 ** 40 }),
        makeFile({ id: 'f2', path: 'b', sizeBytes: 3 }),
        makeFile({ id: 'f3', path: 'b', attempt: 2, sizeBytes: 5 }),
        makeFile({ id: 'f4', path: 'b', taskId: 'task-2', sizeBytes: 7 }),
        makeUpload({ id: 'f5', sizeBytes: 11 }),
        makeFile({ id: 'f6', ownerId: 'user-2', sizeBytes: 13 }),
      ]);
      const of = (filter: Omit<FileFilter, 'ownerId'>) => other.files.total({ ownerId: 'user-1', ...filter });
      expect(await of({})).toEqual({ files: 5, bytes: 2 ** 40 + 26 });
      expect(await of({ taskId: 'task-1' })).toEqual({ files: 3, bytes: 2 ** 40 + 8 });
      expect(await of({ taskId: 'task-1', attempt: 2 })).toEqual({ files: 1, bytes: 5 });
      expect(await of({ taskId: null })).toEqual({ files: 1, bytes: 11 });
      expect(await of({ taskId: 'none' })).toEqual({ files: 0, bytes: 0 });
      await store.files.put([makeUpload({ id: 'f7', sizeBytes: 1 })]);
      expect(await of({ taskId: null })).toEqual({ files: 1, bytes: 1 });
    });

    it('are removed by id, and those that were there are counted', async () => {
      await store.files.put(['a', 'b', 'c'].map((path) => makeFile({ id: path, path })));
      expect(await other.files.remove(['a', 'none', 'c'])).toBe(2);
      expect((await all({ ownerId: 'user-1' })).map(({ id }) => id)).toEqual(['b']);
      expect(await other.files.remove(['a'])).toBe(0);
      expect(await other.files.remove([])).toBe(0);
    });

    it('can be put from many places at once: each but the last is replaced by one', async () => {
      const tries = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 ? store : other).files.put([makeFile({ id: `f${n}` })])),
      );
      const left = await all({ ownerId: 'user-1' });
      expect(left).toHaveLength(1);
      const seen = [...tries.flat(), ...left].map(({ id }) => id);
      expect(seen.sort()).toEqual(Array.from({ length: 8 }, (_, n) => `f${n}`));
    });

    it('can be very many in a call', async () => {
      const files = Array.from({ length: 1_200 }, (_, n) =>
        makeFile({ id: `f${n}`, path: `out/${String(n).padStart(5, '0')}`, sizeBytes: n }),
      );
      await store.files.put(files);
      expect(await all({ ownerId: 'user-1', taskId: 'task-1' }, 500)).toStrictEqual(files);
      expect(await other.files.remove(files.map(({ id }) => id))).toBe(1_200);
    });
  });
}

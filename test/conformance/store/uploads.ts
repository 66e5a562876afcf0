// What the records of uploads on their way in promise.

import { beforeEach, describe, expect, it } from 'vitest';
import {
  beginWriting,
  finishUpload,
  newUpload,
  renewWriting,
  type Upload,
} from '../../../shared/model/upload.ts';
import type { Store } from '../../../shared/ports/store.ts';

const makeUpload = (over: Partial<Upload> = {}): Upload => ({
  ...newUpload(
    {
      id: 'upload-1',
      ownerId: 'user-1',
      path: 'in/ä $x.y/😀.bin',
      fileId: 'file-1',
      sizeBytes: 2 ** 40,
      contentType: 'text/plain; charset="utf-8"',
      sha256: null,
      onlyNew: false,
      metadata: 'filename YQ==',
    },
    7,
  ),
  ...over,
});

export function uploads(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });
  const begun = (upload: Upload, token: string) => beginWriting(upload, { token, partId: 'part-1' }, 9)!;

  describe('uploads on their way in', () => {
    it('come back exact, and each id is there once', async () => {
      const upload = makeUpload({
        parts: [{ id: 'part-0', sizeBytes: 5 }],
        writer: { token: 't', partId: 'part-1', until: 9 },
        sha256: 'ab',
      });
      expect(await store.uploads.insert(upload, 1)).toBe(true);
      expect(await other.uploads.get('upload-1')).toStrictEqual(upload);
      expect(await other.uploads.get('upload-2')).toBeNull();
      const again = makeUpload({ ownerId: 'user-2' });
      await expect(other.uploads.insert(again, 1)).rejects.toMatchObject({ code: 'conflict' });
      expect(await other.uploads.get('upload-1')).toStrictEqual(upload);
    });

    it('are written over the revision they were made from, by one of many', async () => {
      const upload = makeUpload();
      await store.uploads.insert(upload, 9);
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 ? store : other).uploads.commit(begun(upload, `t${n}`))),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      const written = await other.uploads.get(upload.id);
      expect(written?.writer?.token).toBe(`t${outcomes.indexOf(true)}`);
      expect(await store.uploads.commit(renewWriting(written!, written!.writer!.token, 20)!)).toBe(true);
      expect(await store.uploads.commit({ ...upload, id: 'upload-2', revision: 2 })).toBe(false);
    });

    it('are open to a number, of each owner, until they are finished', async () => {
      const one = makeUpload({ sizeBytes: 0 });
      const two = makeUpload({ id: 'upload-2', createdAt: 3 });
      const foreign = makeUpload({ id: 'upload-3', ownerId: 'user-2' });
      for (const upload of [one, two, foreign]) expect(await store.uploads.insert(upload, 2)).toBe(true);
      expect(await other.uploads.insert(makeUpload({ id: 'upload-4' }), 2)).toBe(false);
      expect(await other.uploads.get('upload-4')).toBeNull();
      expect(await other.uploads.listOpen('user-1', 9)).toStrictEqual([two, one]);
      expect(await other.uploads.listOpen('user-1', 1)).toStrictEqual([two]);
      const writing = begun(one, 't');
      await store.uploads.commit(writing);
      const done = finishUpload(writing, 't', { sha256: 'ab', replaced: true }, 50)!;
      expect(await store.uploads.commit(done)).toBe(true);
      expect(await other.uploads.get(one.id)).toStrictEqual(done);
      expect(await other.uploads.listOpen('user-1', 9)).toStrictEqual([two]);
      expect(await other.uploads.insert(makeUpload({ id: 'upload-4' }), 2)).toBe(true);
    });

    it('are never more than that, when many are begun at once', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          (n % 2 ? store : other).uploads.insert(makeUpload({ id: `upload-${n}` }), 3),
        ),
      );
      const open = await store.uploads.listOpen('user-1', 99);
      expect(open.length).toBeLessThanOrEqual(3);
      expect(outcomes.filter(Boolean)).toHaveLength(open.length);
    });

    it('are found when they have expired, and removed only as they were seen', async () => {
      const [old, older, young] = [
        makeUpload({ id: 'old', expiresAt: 20 }),
        makeUpload({ id: 'older', expiresAt: 10, result: { sha256: 'ab', replaced: false } }),
        makeUpload({ id: 'young', expiresAt: 30 }),
      ];
      for (const upload of [old, older, young]) await store.uploads.insert(upload, 9);
      expect(await other.uploads.listExpired(9, 9)).toEqual([]);
      expect(await other.uploads.listExpired(20, 9)).toStrictEqual([older, old]);
      expect(await other.uploads.listExpired(20, 1)).toStrictEqual([older]);
      const revived = begun(old, 't');
      await store.uploads.commit(revived);
      expect(await other.uploads.remove(old)).toBe(false);
      expect(await other.uploads.get('old')).toStrictEqual(revived);
      expect(await other.uploads.remove(revived)).toBe(true);
      expect(await other.uploads.remove(revived)).toBe(false);
      expect(await store.uploads.get('old')).toBeNull();
      expect(await store.uploads.commit(renewWriting(revived, 't', 20)!)).toBe(false);
    });
  });
}

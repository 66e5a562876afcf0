import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  announceSum,
  beginWriting,
  endWriting,
  finishUpload,
  isBeingWritten,
  keepPart,
  newUpload,
  renewWriting,
  UNFINISHED_MS,
  type Upload,
  uploadOffset,
  WRITER_LEASE_MS,
} from './upload.ts';

const SIZE = 100;
const fresh = (over: Partial<Upload> = {}): Upload => ({
  ...newUpload(
    {
      id: 'upload-1',
      ownerId: 'user-1',
      path: 'a.bin',
      fileId: 'file-1',
      sizeBytes: SIZE,
      contentType: 'text/plain',
      sha256: null,
      onlyNew: false,
      metadata: 'filename YQ==',
    },
    0,
  ),
  ...over,
});

describe('the lease of a writer', () => {
  const writing = beginWriting(fresh(), { token: 'a', partId: 'part-1' }, 10)!;

  it('keeps others out until it runs out, and then the newer one overrules', () => {
    const other = { token: 'b', partId: 'part-2' };
    expect(beginWriting(writing, other, 10 + WRITER_LEASE_MS - 1)).toBeNull();
    const taken = beginWriting(writing, other, 10 + WRITER_LEASE_MS)!;
    expect(taken.writer).toMatchObject(other);
    for (const late of [
      keepPart(taken, 'a', { sizeBytes: 1, nextPartId: 'part-3' }, 20),
      renewWriting(taken, 'a', 20),
      endWriting(taken, 'a'),
      finishUpload(taken, 'a', { sha256: '', replaced: false }, 20),
    ]) {
      expect(late).toBeNull();
    }
  });

  it('is renewed by a part and by word, and given back at the end', () => {
    const later = 9_000;
    expect(renewWriting(writing, 'a', later)?.writer?.until).toBe(later + WRITER_LEASE_MS);
    const kept = keepPart(writing, 'a', { sizeBytes: 5, nextPartId: 'part-2' }, later)!;
    expect(kept.writer).toEqual({ token: 'a', partId: 'part-2', until: later + WRITER_LEASE_MS });
    expect(kept.parts).toEqual([{ id: 'part-1', sizeBytes: 5 }]);
    expect(kept.expiresAt).toBe(later + UNFINISHED_MS);
    const idle = endWriting(kept, 'a')!;
    expect(isBeingWritten(idle, later)).toBe(false);
    expect(beginWriting(idle, { token: 'b', partId: 'x' }, later)).not.toBeNull();
  });

  it('is for no finished upload', () => {
    const full = keepPart(writing, 'a', { sizeBytes: SIZE, nextPartId: 'x' }, 20)!;
    expect(finishUpload(writing, 'a', { sha256: 'ab', replaced: true }, 30)).toBeNull();
    const done = finishUpload(full, 'a', { sha256: 'ab', replaced: true }, 30)!;
    expect(done).toMatchObject({ parts: [], writer: null, result: { sha256: 'ab', replaced: true } });
    expect(beginWriting(done, { token: 'b', partId: 'y' }, 9e9)).toBeNull();
  });
});

describe('the sum', () => {
  it('may be said later, but not another one', () => {
    const said = announceSum(fresh(), 'ab')!;
    expect(said.sha256).toBe('ab');
    expect(announceSum(said, 'ab')).toBe(said);
    expect(announceSum(said, 'cd')).toBeNull();
  });
});

describe('whatever happens', () => {
  const token = fc.constantFrom('a', 'b', 'c');
  const action = fc.oneof(
    fc.record({ kind: fc.constant('begin' as const), token }),
    fc.record({ kind: fc.constant('keep' as const), token, bytes: fc.integer({ min: -1, max: 60 }) }),
    fc.record({ kind: fc.constant('renew' as const), token }),
    fc.record({ kind: fc.constant('end' as const), token }),
    fc.record({ kind: fc.constant('finish' as const), token }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(2 * WRITER_LEASE_MS) }),
  );

  it('parts never exceed the size, each id is named once, and only the writer changes anything', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        let upload = fresh();
        let now = 0;
        let ids = 0;
        const seen = new Set<string>();
        for (const one of actions) {
          if (one.kind === 'wait') {
            now += one.ms;
            continue;
          }
          ids += 1;
          const next = apply(upload, one, now, `part-${ids}`);
          if (next === null) continue;
          expect(next.revision).toBe(upload.revision + 1);
          if (one.kind !== 'begin') expect(upload.writer?.token).toBe(one.token);
          if (one.kind === 'keep') {
            const id = next.parts.at(-1)!.id;
            expect(seen.has(id)).toBe(false);
            seen.add(id);
          }
          upload = next;
          expect(uploadOffset(upload)).toBeLessThanOrEqual(SIZE);
        }
      }),
    );
  });

  function apply(
    upload: Upload,
    one: { kind: 'begin' | 'keep' | 'renew' | 'end' | 'finish'; token: string; bytes?: number },
    now: number,
    id: string,
  ): Upload | null {
    switch (one.kind) {
      case 'begin':
        return beginWriting(upload, { token: one.token, partId: id }, now);
      case 'keep':
        return keepPart(upload, one.token, { sizeBytes: one.bytes ?? 0, nextPartId: id }, now);
      case 'renew':
        return renewWriting(upload, one.token, now);
      case 'end':
        return endWriting(upload, one.token);
      case 'finish':
        return finishUpload(upload, one.token, { sha256: 'ab', replaced: false }, now);
    }
  }
});

// Every guarantee of shared/ports/file-store.ts, for any adapter. `open` gives another process's view of one place.

import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../shared/platform/ids.ts';
import type { FileStore } from '../../../shared/ports/file-store.ts';
import { waitFor } from '../../support/wait-for.ts';

export interface FilePlace {
  open(): Promise<FileStore>;
  /** How much is kept in all, whole files and parts: what must be 0 after a failure. */
  leftovers(): Promise<number>;
  remove(): Promise<void>;
}

export const NO_LIMIT = { maxBytes: 2 ** 40 };
const MB = 1_048_576;

/** In chunks as a socket gives them. */
export function streamOf(bytes: Buffer, chunkBytes = 65_536): Readable {
  let at = 0;
  return new Readable({
    read() {
      const chunk = bytes.subarray(at, at + chunkBytes);
      at += chunkBytes;
      this.push(chunk.length === 0 ? null : chunk);
    },
  });
}

/** A source that gives `bytes` and then waits for the test. */
function heldStream(bytes: Buffer): Readable {
  const content = new Readable({ read: () => undefined });
  content.push(bytes);
  return content;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** @param chunkBytes the size at which the adapter cuts, for the sizes around it */
export function fileSuite(name: string, chunkBytes: number, makePlace: () => Promise<FilePlace>): void {
  describe(name, () => {
    let place: FilePlace;
    let files: FileStore;
    let reader: FileStore;
    let id: string;

    beforeEach(async () => {
      place = await makePlace();
      [files, reader] = [await place.open(), await place.open()];
      id = newId('file');
    });
    afterEach(() => place?.remove());

    const keep = (bytes: Buffer, as = id) => files.write(as, streamOf(bytes), NO_LIMIT);
    const read = async (of = id, range?: { start: number; end: number }) =>
      buffer(await reader.read(of, range));

    it.each([0, 1, 3 * chunkBytes - 1, 3 * chunkBytes, 3 * chunkBytes + 1, MB, 20 * MB + 7])(
      'gives %i bytes back as they came, to other processes too',
      async (size) => {
        const bytes = randomBytes(size);
        expect(await keep(bytes)).toEqual({ sizeBytes: size, sha256: sha256(bytes) });
        // Not `toEqual`, which would print megabytes.
        expect((await read()).equals(bytes)).toBe(true);
      },
    );

    it('takes sources that give crumbs, text or one large lump', async () => {
      const bytes = randomBytes(2 * MB + 5);
      await files.write(id, streamOf(bytes, 1_000), NO_LIMIT);
      expect((await read()).equals(bytes)).toBe(true);
      await files.write(id, streamOf(bytes, bytes.length), NO_LIMIT);
      expect((await read()).equals(bytes)).toBe(true);
      await files.write(id, Readable.from(['ä', '😀']), NO_LIMIT);
      expect((await read()).toString()).toBe('ä😀');
    });

    it('gives any range, and of it what is there', async () => {
      const size = 3 * chunkBytes + 10;
      const bytes = randomBytes(size);
      await keep(bytes);
      const edges = [
        0,
        1,
        chunkBytes - 1,
        chunkBytes,
        chunkBytes + 1,
        3 * chunkBytes,
        size - 1,
        size,
        size + 9,
      ];
      const offset = fc.oneof(fc.constantFrom(...edges), fc.nat(size + 20));
      await fc.assert(
        fc.asyncProperty(offset, offset, async (a, b) => {
          const range = { start: Math.min(a, b), end: Math.max(a, b) };
          expect((await read(id, range)).equals(bytes.subarray(range.start, range.end))).toBe(true);
        }),
        { numRuns: 25 },
      );
    });

    it('refuses what is no range', async () => {
      await keep(randomBytes(10));
      for (const [start, end] of [
        [-1, 5],
        [5, 4],
        [0.5, 2],
        [0, Number.NaN],
      ] as const) {
        await expect(files.read(id, { start, end })).rejects.toMatchObject({ code: 'invalid_request' });
      }
    });

    it('keeps nothing of what is too large, and what is just not', async () => {
      const bytes = randomBytes(2 * MB);
      const content = streamOf(bytes);
      await expect(files.write(id, content, { maxBytes: 2 * MB - 1 })).rejects.toMatchObject({
        code: 'too_large',
      });
      expect(content.destroyed).toBe(true);
      await expect(reader.read(id)).rejects.toMatchObject({ code: 'not_found' });
      expect(await place.leftovers()).toBe(0);
      await files.write(id, streamOf(bytes), { maxBytes: 2 * MB });
      expect((await read()).equals(bytes)).toBe(true);
      await files.write(newId('file'), streamOf(Buffer.alloc(0)), { maxBytes: 0 });
    });

    it('throws what the source fails with and keeps nothing', async () => {
      const fault = new Error('the line was cut');
      for (const [given, fails] of [
        [2 * MB, (content: Readable) => content.destroy(fault)],
        [0, (content: Readable) => content.destroy(fault)],
      ] as const) {
        const content = heldStream(randomBytes(given + 1));
        const writing = files.write(id, content, NO_LIMIT);
        const outcome = expect(writing).rejects.toBe(fault);
        await waitFor(() => content.readableLength === 0, { what: 'the source to be read' });
        fails(content);
        await outcome;
        await expect(reader.read(id)).rejects.toMatchObject({ code: 'not_found' });
        expect(await place.leftovers()).toBe(0);
      }
    });

    it('copes with a source that has failed before it is read', async () => {
      const fault = new Error('gone already');
      const content = streamOf(randomBytes(10));
      const writing = files.write(id, content, NO_LIMIT);
      const outcome = expect(writing).rejects.toBe(fault);
      content.destroy(fault);
      await outcome;
      const dropped = streamOf(randomBytes(10));
      dropped.destroy();
      await expect(files.write(id, dropped, NO_LIMIT)).rejects.toThrow();
      expect(await place.leftovers()).toBe(0);
    });

    it('is given up when the signal is aborted: before, and in the middle', async () => {
      const early = streamOf(randomBytes(10));
      const given = { ...NO_LIMIT, signal: AbortSignal.abort(new Error('why')) };
      await expect(files.write(id, early, given)).rejects.toMatchObject({ code: 'timed_out' });
      expect(early.destroyed).toBe(true);

      const giveUp = new AbortController();
      const content = heldStream(randomBytes(3 * MB));
      const writing = files.write(id, content, { ...NO_LIMIT, signal: giveUp.signal });
      const outcome = expect(writing).rejects.toMatchObject({ code: 'timed_out' });
      await waitFor(() => content.readableLength === 0, { what: 'the source to be read' });
      giveUp.abort();
      await outcome;
      expect(content.destroyed).toBe(true);
      await expect(reader.read(id)).rejects.toMatchObject({ code: 'not_found' });
      expect(await place.leftovers()).toBe(0);
    });

    it('shows nothing of a file before it is whole', async () => {
      const bytes = randomBytes(2 * MB + 1);
      const content = heldStream(bytes);
      const writing = files.write(id, content, NO_LIMIT);
      await waitFor(async () => (await place.leftovers()) > 0, { what: 'a part to be kept' });
      await expect(reader.read(id)).rejects.toMatchObject({ code: 'not_found' });
      content.push(null);
      await writing;
      expect((await read()).equals(bytes)).toBe(true);
    });

    it('is written over, and until then is what it was', async () => {
      const [old, newer] = [randomBytes(2 * MB), randomBytes(MB + 3)];
      await keep(old);
      const content = heldStream(newer);
      const writing = files.write(id, content, NO_LIMIT);
      await waitFor(() => content.readableLength === 0, { what: 'the source to be read' });
      expect((await read()).equals(old)).toBe(true);
      content.push(null);
      expect(await writing).toEqual({ sizeBytes: newer.length, sha256: sha256(newer) });
      expect((await read()).equals(newer)).toBe(true);
      const fault = new Error('cut');
      await expect(files.write(id, heldStream(old).destroy(fault), NO_LIMIT)).rejects.toBe(fault);
      expect((await read()).equals(newer)).toBe(true);
      await files.remove([id]);
      expect(await place.leftovers()).toBe(0);
    });

    it('takes many files at the same moment', async () => {
      const all = Array.from({ length: 12 }, (_, n) => ({
        as: newId('file'),
        bytes: randomBytes(n * 50_000),
      }));
      await Promise.all(
        all.map(({ as, bytes }, n) => (n % 2 ? files : reader).write(as, streamOf(bytes), NO_LIMIT)),
      );
      const seen = await Promise.all(all.map(({ as }) => read(as)));
      expect(seen.map((bytes, n) => bytes.equals(all[n]!.bytes))).toEqual(all.map(() => true));
    });

    it('takes one id from two writers, and has all of one of them', async () => {
      const both = [randomBytes(MB), randomBytes(MB)];
      await Promise.all([
        files.write(id, streamOf(both[0]!), NO_LIMIT),
        reader.write(id, streamOf(both[1]!), NO_LIMIT),
      ]);
      const seen = await read();
      expect(both.filter((bytes) => bytes.equals(seen))).toHaveLength(1);
    });

    it('is gone once it is removed; what is not there is no fault', async () => {
      const ids = [id, newId('file'), newId('file')];
      for (const one of ids) await keep(randomBytes(10), one);
      await reader.remove([ids[0]!, newId('file'), ids[1]!]);
      await reader.remove([]);
      for (const one of ids.slice(0, 2)) {
        await expect(files.read(one)).rejects.toMatchObject({ code: 'not_found' });
      }
      expect(await read(ids[2])).toHaveLength(10);
      await files.remove(ids);
      expect(await place.leftovers()).toBe(0);
    });

    it('ends a reading that is dropped', async () => {
      await keep(randomBytes(3 * MB));
      const unread = await reader.read(id);
      unread.destroy();
      const begun = await reader.read(id);
      for await (const chunk of begun) {
        expect((chunk as Buffer).length).toBeGreaterThan(0);
        break;
      }
      expect([unread.destroyed, begun.destroyed]).toEqual([true, true]);
    });
  });
}

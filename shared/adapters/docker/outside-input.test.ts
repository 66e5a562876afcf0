// Whatever comes for an archive from an engine, which packs what a program left: entries with safe kinds and sizes, or a fault of
// ours, and always an end.

import { Readable } from 'node:stream';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../errors.ts';
import { archiveEntries } from './archive.ts';

async function read(bytes: Buffer, size: number): Promise<number> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  );
  let count = 0;
  try {
    for await (const entry of archiveEntries(Readable.from(pieces))) {
      count += 1;
      expect(['file', 'directory', 'symlink', 'hardlink', 'other']).toContain(entry.type);
      expect(entry.sizeBytes).toBeGreaterThanOrEqual(0);
      expect(entry.path).not.toBe('');
      for await (const _ of entry.content);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
  }
  return count;
}

describe('an archive', () => {
  it('that is none ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3_000 }),
        fc.integer({ min: 1, max: 700 }),
        async (bytes, size) => {
          await read(Buffer.from(bytes), size);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('that is broken at any place, and cut into any pieces, ends', async () => {
    const archive = pack();
    archive.entry({ name: 'output/a' }, 'x'.repeat(600));
    archive.entry({ name: 'output/b', type: 'symlink', linkname: '/etc/passwd' });
    archive.entry({ name: 'output/c' }, 'y');
    archive.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of archive) chunks.push(chunk as Buffer);
    const whole = Buffer.concat(chunks);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: whole.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        fc.nat({ max: whole.length }),
        fc.integer({ min: 1, max: 900 }),
        async (at, value, end, size) => {
          const bytes = Buffer.from(whole);
          bytes[at] = value;
          await read(bytes.subarray(0, end), size);
        },
      ),
      { numRuns: 60 },
    );
    expect(await read(whole, 512)).toBe(3);
  });
});

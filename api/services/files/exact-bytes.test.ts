import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { exactBytes } from './exact-bytes.ts';

const of = (...sizes: number[]) => Readable.from(sizes.map((size) => Buffer.alloc(size, size)));

describe('a stream of so many bytes', () => {
  it('gives them', async () => {
    expect(await buffer(exactBytes(of(3, 4), 7, 'it'))).toEqual(
      Buffer.concat([Buffer.alloc(3, 3), Buffer.alloc(4, 4)]),
    );
    expect(await buffer(exactBytes(of(), 0, 'it'))).toHaveLength(0);
  });

  it.each([
    ['fewer', of(3), 'it gave 3 bytes where there should be 7'],
    ['more', of(3, 4, 1), 'it gave 8 bytes where there should be 7'],
  ])('fails with %s', async (_what, source, message) => {
    await expect(buffer(exactBytes(source, 7, 'it'))).rejects.toThrow(message);
    expect(source.destroyed).toBe(true);
  });

  it('fails as its source does, and lets it go when the reader leaves', async () => {
    const broken = new Readable({ read: () => broken.destroy(new Error('the disk broke')) });
    await expect(buffer(exactBytes(broken, 7, 'it'))).rejects.toThrow('the disk broke');
    const source = of(3, 4);
    const left = exactBytes(source, 7, 'it');
    left.destroy();
    await expect.poll(() => source.destroyed).toBe(true);
  });
});

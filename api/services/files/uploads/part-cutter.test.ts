import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartCutter, type PartRule } from './part-cutter.ts';

const rule = (maxBytes: number, over: Partial<PartRule> = {}): PartRule => ({
  maxBytes,
  isDue: () => false,
  keepBroken: true,
  ...over,
});

async function cutAll(cutter: PartCutter, maxBytes: number): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  while (await cutter.more()) parts.push(await buffer(cutter.part(rule(maxBytes))));
  return parts;
}

describe('a body that is cut into parts', () => {
  it('is all there, in order, in full parts but the last', async () => {
    const chunk = fc.uint8Array({ maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 20 }),
        fc.integer({ min: 1, max: 60 }),
        async (chunks, max) => {
          const whole = Buffer.concat(chunks);
          const cutter = new PartCutter(
            Readable.from(
              chunks.map((one) => Buffer.from(one)),
              { objectMode: false },
            ),
          );
          const parts = await cutAll(cutter, max);
          expect(Buffer.concat(parts).equals(whole)).toBe(true);
          expect(parts.slice(0, -1).every(({ length }) => length === max)).toBe(true);
          expect(parts.every(({ length }) => length > 0 && length <= max)).toBe(true);
          expect([cutter.bytesSeen, cutter.broken]).toEqual([whole.length, null]);
        },
      ),
    );
  });

  it('gives what came before it broke off, or fails where that is of no use', async () => {
    const fault = new Error('cut');
    for (const keepBroken of [true, false]) {
      const body = new PassThrough();
      const cutter = new PartCutter(body);
      body.write('half');
      expect(await cutter.more()).toBe(true);
      const part = buffer(cutter.part(rule(100, { keepBroken })));
      const outcome = keepBroken
        ? expect(part).resolves.toEqual(Buffer.from('half'))
        : expect(part).rejects.toBe(fault);
      cutter.stop(fault);
      await outcome;
      expect([await cutter.more(), cutter.broken]).toEqual([false, { cause: fault }]);
    }
  });

  it('ends a part that is open for too long, and hashes what goes into it', async () => {
    const cutter = new PartCutter(
      Readable.from([Buffer.from('ab'), Buffer.from('cd')], { objectMode: false }),
    );
    const hash = createHash('sha256');
    const first = await buffer(cutter.part(rule(100, { isDue: () => true, hash })));
    expect(first.toString()).toBe('ab');
    expect(hash.digest('hex')).toBe(createHash('sha256').update('ab').digest('hex'));
    expect(await cutter.more()).toBe(true);
  });
});

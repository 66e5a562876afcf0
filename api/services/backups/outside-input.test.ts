// Whatever is sent as a backup, broken ones of ours among them: it is taken or refused, in time and in our own words.

import { Readable } from 'node:stream';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../../shared/errors.ts';
import { unpackBackup } from './backup-archive.ts';

/** An archive as anybody could make one. */
async function archiveOf(entries: readonly { name: string; text: string }[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, text } of entries) archive.entry({ name }, text);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function unpack(bytes: Buffer): Promise<void> {
  const take = async (_: unknown, database: Readable) => {
    for await (const _chunk of database);
  };
  try {
    await unpackBackup(Readable.from([bytes]), take);
  } catch (error) {
    if (!isAppError(error, 'invalid_request')) throw error;
  }
}

describe('what is sent as a backup', () => {
  it('and is none is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), (bytes) => unpack(Buffer.from(bytes))),
      { numRuns: 100 },
    );
  });

  it('and is broken at any place is refused or taken', async () => {
    const whole = await archiveOf([
      { name: 'cloudai-backup.json', text: '{"format":1}' },
      { name: 'cloudai.db', text: 'x'.repeat(700) },
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: whole.length }),
        fc.nat({ max: whole.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        async (end, at, value) => {
          const bytes = Buffer.from(whole);
          bytes[at] = value;
          await unpack(bytes.subarray(0, end));
        },
      ),
      { numRuns: 100 },
    );
    await expect(unpack(whole)).resolves.toBeUndefined();
  });
});

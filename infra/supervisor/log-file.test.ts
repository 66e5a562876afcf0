import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { LogFile } from './log-file.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

describe('a log file', () => {
  it('sets its beginning aside when it grows too large, and keeps only one such part', async () => {
    const path = join(dir, 'logs/api.log');
    const log = new LogFile(path, 100);
    for (let i = 0; i < 10; i += 1) log.append(Buffer.from(`line ${i} ${'x'.repeat(32)}\n`));
    await log.close();
    const now = await readFile(path, 'utf8');
    const before = await readFile(`${path}.1`, 'utf8');
    expect(Buffer.byteLength(now)).toBeLessThanOrEqual(100);
    expect((before + now).match(/line \d/g)).toEqual(['line 6', 'line 7', 'line 8', 'line 9']);
  });

  it('keeps the last lines, also one that is not complete', async () => {
    const log = new LogFile(join(dir, 'api.log'));
    log.append(Buffer.from('a\nb'));
    log.append(Buffer.from('c\nd'));
    expect(log.tail).toEqual(['a', 'bc', 'd']);
    for (let i = 0; i < 100; i += 1) log.append(Buffer.from(`${i}\n`));
    expect(log.tail).toHaveLength(30);
    expect(log.tail.at(-1)).toBe('99');
    await log.close();
  });

  it('does not fail its process when the disk does', async () => {
    const log = new LogFile('/dev/full');
    log.append(Buffer.from('still here\n'));
    await log.close();
    expect(log.tail).toEqual(['still here']);
  });
});

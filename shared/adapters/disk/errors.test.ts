import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../errors.ts';
import { guarded } from './errors.ts';

describe('a fault of the disk', () => {
  it('is disk_full when a device says so', async () => {
    const full = { code: 'disk_full', retryable: true, message: 'the disk that keeps files is full' };
    await expect(guarded('files', () => writeFile('/dev/full', 'x'))).rejects.toMatchObject(full);
  });

  it('is an unavailable store otherwise, and what is an AppError already stays one', async () => {
    const away = { code: 'store_unavailable', retryable: true };
    await expect(guarded('files', () => readFile('/'))).rejects.toMatchObject(away);
    const own = new AppError('not_found', 'x');
    await expect(guarded('files', () => Promise.reject(own))).rejects.toBe(own);
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from '../../test/support/wait-for.ts';
import { RENEW_MS, renewHealthFile } from './health-file.ts';

describe('the sign of life', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cloudai-health-'));
  afterEach(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is written at once and renewed, and one warning says why it cannot be', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    const path = join(folder, 'health');
    const warnings: unknown[] = [];
    renewHealthFile(path, { warn: (...said: unknown[]) => void warnings.push(said[1]) });
    const written = () =>
      waitFor(() => readFileSync(path, 'utf8') === `${process.pid}\n`, { what: 'the file' });
    await written();
    rmSync(path);
    vi.advanceTimersByTime(RENEW_MS);
    await written();
    rmSync(folder, { recursive: true });
    vi.advanceTimersByTime(RENEW_MS);
    await waitFor(() => warnings.length === 1, { what: 'the warning' });
    vi.advanceTimersByTime(RENEW_MS);
    expect(warnings).toEqual([expect.stringContaining('HEALTH_FILE cannot be written: ENOENT')]);
  });

  it('is not there when nobody wants it', () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    renewHealthFile(null, { warn: () => undefined });
    expect(vi.getTimerCount()).toBe(0);
  });
});

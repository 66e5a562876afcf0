import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { TestReport } from './test-report.ts';
import { isAskedFor } from './test-servers.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

describe('a program that tests start', () => {
  it('is brought up only for tests that ask for it', async () => {
    await mkdir(join(dir, 'test/e2e'), { recursive: true });
    await writeFile(join(dir, 'test/e2e/tasks.test.ts'), 'process.env.CURL_PATH');
    expect(isAskedFor('CHROMIUM_PATH', dir)).toBe(false);
    expect(isAskedFor('CURL_PATH', dir)).toBe(true);
    await writeFile(join(dir, 'test/e2e/pages.test.ts'), 'process.env.CHROMIUM_PATH');
    expect(isAskedFor('CHROMIUM_PATH', dir)).toBe(true);
  });
});

describe('the report of a test run', () => {
  it('is good only when every step was, and says which was not', async () => {
    const report = new TestReport();
    report.add('Docker', true, performance.now());
    expect(report.ok).toBe(true);
    report.add('Lint', false, performance.now() - 1_500);
    expect(report.ok).toBe(false);
    expect(report.lines()).toEqual(['✓ Docker      0.0 s', '✗ Lint        1.5 s']);
    await report.write(join(dir, 'steps.json'));
    expect(JSON.parse(await readFile(join(dir, 'steps.json'), 'utf8'))).toEqual({
      steps: [
        { name: 'Docker', ok: true, seconds: 0 },
        { name: 'Lint', ok: false, seconds: 1.5 },
      ],
    });
  });
});

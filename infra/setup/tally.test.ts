import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { tally, wording } from './tally.mjs';

const steps = (...failed: string[]) => ({
  steps: ['Docker', 'Redis', 'Lint', 'Types', 'Tests'].map((name) => ({ name, ok: !failed.includes(name) })),
});
const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((one) => ({ status: one })),
});
const report = (...testResults: object[]) => ({ testResults });

describe('the count of a run', () => {
  it('is that of the report', () => {
    const counts = tally(
      steps('Tests'),
      report(file('passed', 'passed', 'skipped', 'todo'), file('failed', 'passed', 'failed', 'failed')),
    );
    expect(wording(counts)).toBe('2 passed, 2 failed, 2 skipped');
  });

  it('mentions skipped tests only when there are some', () => {
    expect(wording(tally(steps(), report(file('passed', 'passed'))))).toBe('1 passed, 0 failed');
  });

  it('has one failure more for each check and server that failed', () => {
    const counts = tally(steps('Lint', 'Redis'), report(file('passed', 'passed')));
    expect(counts).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });

  it('has one for a file that could not be loaded or set up', () => {
    expect(tally(steps('Tests'), report(file('failed'), file('failed', 'skipped')))).toEqual({
      passed: 0,
      failed: 2,
      skipped: 1,
    });
  });

  it('has one for a test that did not end', () => {
    expect(tally(steps('Tests'), report(file('passed', 'passed', 'pending')))).toMatchObject({ failed: 1 });
  });

  it('has one for a failed run whose report shows no reason', () => {
    expect(tally(steps('Tests'), report(file('passed', 'passed')))).toMatchObject({ passed: 1, failed: 1 });
  });

  it('is one failure when there is nothing to count', () => {
    const nothing = { passed: 0, failed: 1, skipped: 0 };
    expect(tally(null, null)).toEqual(nothing);
    expect(tally(steps(), null)).toEqual(nothing);
    expect(tally({ steps: [{ name: 'Docker', ok: true }] }, null)).toEqual(nothing);
    expect(tally({ steps: [] }, report(file('passed', 'passed')))).toMatchObject({ passed: 1, failed: 1 });
  });

  it('is the last line and the exit code of the program', async () => {
    const { path, remove } = await tempDir();
    try {
      const args = [join(import.meta.dirname, 'tally.mjs'), join(path, 'steps'), join(path, 'report')];
      await expect(promisify(execFile)(process.execPath, args)).rejects.toMatchObject({
        code: 1,
        stdout: '0 passed, 1 failed\n',
      });
      await writeFile(join(path, 'steps'), JSON.stringify(steps()));
      await writeFile(join(path, 'report'), JSON.stringify(report(file('passed', 'passed'))));
      expect((await promisify(execFile)(process.execPath, args)).stdout).toBe('1 passed, 0 failed\n');
    } finally {
      await remove();
    }
  });
});

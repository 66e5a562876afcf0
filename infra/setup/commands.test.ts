import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { findProgram, fullPath, lastLines, runProgram } from './commands.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

const run = (script: string, deadlineMs = 10_000) =>
  runProgram('sh', ['-c', script], { deadlineMs, logFile: join(dir, 'logs/run.log') });

describe('a program', () => {
  it('ends with its code and its output, which is only its own', async () => {
    expect(await run('echo one; echo two >&2; exit 3')).toEqual({
      code: 3,
      fault: null,
      output: 'one\ntwo\n',
    });
    expect((await run('echo three')).output).toBe('three\n');
  });

  it('is ended when it takes too long', async () => {
    const start = performance.now();
    const result = await run('exec sleep 60', 100);
    expect(result).toMatchObject({ code: null, fault: expect.stringContaining('not done after') });
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('that is not there is a fault, not an exception', async () => {
    const logFile = join(dir, 'run.log');
    expect(await runProgram('/nowhere/program', [], { deadlineMs: 1_000, logFile })).toMatchObject({
      code: null,
      fault: expect.stringContaining('ENOENT'),
    });
  });

  it('is found by name, also where daemons are kept', () => {
    expect(findProgram('sh')).toMatch(/\/sh$/);
    expect(findProgram('no-such-program')).toBeNull();
    expect(findProgram('tmp', '/')).toBeNull();
    expect(fullPath('/bin')).toBe('/bin:/usr/local/sbin:/usr/sbin:/sbin');
    expect(fullPath('/usr/sbin:/bin')).toBe('/usr/sbin:/bin:/usr/local/sbin:/sbin');
  });
});

describe('the last lines', () => {
  it('leave out empty ones and are indented', () => {
    expect(lastLines('a\n\nb\nc\n', 2)).toBe('    b\n    c');
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { Supervisor, type SupervisorEvent } from './supervisor.ts';

const child = join(import.meta.dirname, 'fixture/child.mjs');
const parent = join(import.meta.dirname, 'fixture/parent.mjs');

let dir: string;
let remove: () => Promise<void>;
let supervisor: Supervisor | null;
let other: ChildProcess | null;
let events: SupervisorEvent[];

beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
  supervisor = null;
  other = null;
  events = [];
});
afterEach(async () => {
  supervisor?.killNow();
  await supervisor?.stop();
  other?.kill('SIGKILL');
  await remove();
});

type Env = Record<string, string>;

function supervise(parts: Record<string, Env>, stopDeadlineMs = 10_000): Supervisor {
  supervisor = new Supervisor({
    parts: Object.entries(parts).map(([name, env]) => ({
      name,
      module: child,
      logFile: join(dir, `${name}.log`),
      env: { NAME: name, LIVES: join(dir, 'lives'), ...env },
      stopDeadlineMs: name === 'slow' ? 10_000 : undefined,
    })),
    report: (event) => events.push(event),
    backOff: { firstMs: 20, maxMs: 80, resetAfterMs: 60_000 },
    stopDeadlineMs,
  });
  return supervisor;
}

/** "name what" of each line the children wrote, in order. */
async function lives(): Promise<string[]> {
  const text = await readFile(join(dir, 'lives'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').slice(0, 2).join(' '));
}

const started = (...names: string[]) =>
  waitFor(async () => names.every((name) => ids(name).length > 0) && (await lives()).length >= names.length, {
    what: `${names} to run`,
  });

function ids(name: string): number[] {
  return events.flatMap((event) => (event.kind === 'started' && event.name === name ? [event.pid] : []));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a supervisor', () => {
  it('stops its processes in reverse order, and only once each', async () => {
    const running = supervise({ api: {}, scheduler: {}, runner: {} });
    await started('api', 'scheduler', 'runner');
    await Promise.all([running.stop(), running.stop()]);
    const said = await lives();
    expect(said.slice(0, 3).sort()).toEqual(['api started', 'runner started', 'scheduler started']);
    expect(said.slice(3)).toEqual(['runner SIGTERM', 'scheduler SIGTERM', 'api SIGTERM']);
    expect(running.pids()).toEqual({});
  });

  it('starts again what dies, each time later', async () => {
    supervise({ api: { EXIT_CODE: '3' } });
    await waitFor(() => events.filter(({ kind }) => kind === 'died').length >= 4, { what: 'four deaths' });
    const deaths = events.filter((event) => event.kind === 'died').slice(0, 4);
    expect(deaths.map(({ restartInMs }) => restartInMs)).toEqual([20, 40, 80, 80]);
    expect(deaths[0]).toMatchObject({ name: 'api', how: 'exit code 3', logFile: join(dir, 'api.log') });
    expect(new Set(ids('api')).size).toBe(ids('api').length);
  });

  it('starts again what was killed, and leaves the others alone', async () => {
    const running = supervise({ api: {}, runner: {} });
    await started('api', 'runner');
    const { api, runner } = running.pids();
    process.kill(runner as number, 'SIGKILL');
    await waitFor(() => ids('runner').length === 2, { what: 'a second runner' });
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'died', name: 'runner', how: 'killed by SIGKILL' }),
    );
    expect(running.pids().api).toBe(api);
  });

  it('does not start again what refuses its settings, and passes on what it said', async () => {
    const running = supervise({
      api: { EXIT_CODE: '78', SAY: 'api: wrong settings:\n  PORT must be a number' },
    });
    await waitFor(() => events.find(({ kind }) => kind === 'wrong_settings'), { what: 'the refusal' });
    expect(events.at(-1)).toEqual({
      kind: 'wrong_settings',
      name: 'api',
      output: ['api: wrong settings:', '  PORT must be a number'],
    });
    await running.stop();
    expect(ids('api')).toHaveLength(1);
  });

  it('kills what does not stop in time', async () => {
    const running = supervise({ api: { STUBBORN: 'yes' } }, 200);
    await started('api');
    const { api } = running.pids();
    await running.stop();
    expect(await lives()).toEqual(['api started', 'api SIGTERM']);
    expect(isAlive(api as number)).toBe(false);
  });

  it('waits for a process as long as that needs, and asks it again when it is to hurry', async () => {
    const running = supervise({ slow: { STUBBORN: 'yes' }, api: {} }, 100);
    running.hurry();
    await started('slow', 'api');
    const stopping = running.stop();
    await waitFor(async () => (await lives()).includes('slow SIGTERM'), { what: 'the first signal' });
    running.hurry();
    await waitFor(async () => (await lives()).filter((line) => line === 'slow SIGTERM').length === 2, {
      what: 'the second signal',
    });
    running.killNow();
    await stopping;
    expect((await lives()).filter((line) => line === 'api SIGTERM')).toHaveLength(1);
  });

  it('kills at once when asked in the middle of a stop', async () => {
    const running = supervise({ api: { STUBBORN: 'yes' } }, 60_000);
    await started('api');
    const stop = running.stop();
    await waitFor(async () => (await lives()).includes('api SIGTERM'), { what: 'the polite request' });
    running.killNow();
    await stop;
    expect(running.pids()).toEqual({});
  });

  it('starts nothing again while it still stops another', async () => {
    const running = supervise({ api: { EXIT_CODE: '1' }, runner: { STUBBORN: 'yes' } }, 400);
    await started('runner');
    await waitFor(() => events.some(({ kind }) => kind === 'died'), { what: 'a death' });
    const stop = running.stop();
    const count = ids('api').length;
    await stop;
    // The stop took longer than the longest wait before a restart.
    expect(ids('api')).toHaveLength(count);
    expect(running.pids()).toEqual({});
  });

  it('writes output to the log file and keeps its end at hand', async () => {
    const running = supervise({ api: { SAY: 'first line\nsecond line' } });
    await waitFor(() => running.tail('api').length === 2, { what: 'the output' });
    await running.stop();
    expect(await readFile(join(dir, 'api.log'), 'utf8')).toBe('first line\nsecond line\n');
  });

  it('passes on what a process has to say to a person, and gives it its arguments', async () => {
    supervisor = new Supervisor({
      parts: [
        {
          name: 'runner',
          module: child,
          args: ['--wait', 'a b'],
          firstArgs: ['--once'],
          logFile: join(dir, 'runner.log'),
          env: {
            NAME: 'runner',
            LIVES: join(dir, 'lives'),
            TELL: 'started with',
            EXIT_CODE: '1',
            LIVE_MS: '100',
          },
        },
      ],
      report: (event) => events.push(event),
      backOff: { firstMs: 20, maxMs: 80, resetAfterMs: 60_000 },
    });
    const said = () => events.filter(({ kind }) => kind === 'said');
    await waitFor(() => said().length > 1, { what: 'two lives to say something' });
    expect(said().slice(0, 2)).toEqual([
      { kind: 'said', name: 'runner', text: 'started with --wait a b --once' },
      { kind: 'said', name: 'runner', text: 'started with --wait a b' },
    ]);
  });

  it('is not outlived by its processes, even when it is killed', async () => {
    other = spawn(process.execPath, ['--import', 'tsx', parent, child, join(dir, 'orphan.log')], {
      env: { ...process.env, NAME: 'orphan', LIVES: join(dir, 'lives') },
      stdio: 'ignore',
    });
    await waitFor(async () => (await lives()).includes('orphan started'), {
      what: 'the child',
      deadlineMs: 15_000,
    });
    other.kill('SIGKILL');
    await waitFor(async () => (await lives()).includes('orphan abandoned'), { what: 'the child to notice' });
  });
});

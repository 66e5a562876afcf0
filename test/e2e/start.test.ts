// `npm start` as a new user meets it: first run, second run, a process that dies, Ctrl-C, and a taken port.

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/cluster.ts';
import { tempDir } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const start = resolve(import.meta.dirname, '../../dist/infra/setup/start.js');
let data: Awaited<ReturnType<typeof tempDir>>;
let port = 0;
const started: Started[] = [];

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function npmStart(args: readonly string[] = [], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [start, '--port', String(port), ...args], {
    cwd: resolve(import.meta.dirname, '../..'),
    // A private Redis of its own, as on a fresh machine.
    env: { ...process.env, REDIS_URL: '', STORE_URL: '', DATA_DIR: data.path, GRPC_PORT: 'off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text += chunk;
    });
  }
  const one = {
    child,
    output: () => text,
    ended: new Promise<number | null>((done) => child.once('exit', (code) => done(code))),
  };
  started.push(one);
  return one;
}

/** Command lines of all processes that run now, by pid. */
function commandLines(): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      found.set(Number(pid), readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Pid of the child of `parent` that runs `what`. */
function childOf(parent: number | undefined, what: string): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const lines = commandLines();
  const pid = children.find((child) => lines.get(child)?.includes(what));
  if (pid === undefined) throw new Error(`no child runs ${what}`);
  return pid;
}

beforeAll(async () => {
  data = await tempDir();
  port = await freePort();
});
afterAll(async () => {
  for (const { child, ended } of started) {
    child.kill('SIGTERM');
    await ended;
  }
  await data?.remove();
});

describe('npm start', () => {
  it('brings everything up, runs a first task and says what to do next', async () => {
    const run = npmStart(['--once']);
    expect(await run.ended, run.output()).toBe(0);
    expect(run.output()).toContain('Hello from CloudAI');
    expect(run.output()).toMatch(/password\s+\S{12,}/);
    expect(run.output()).toMatch(/token\s+cloudai_\S+/);
    expect(run.output()).toContain(`http://localhost:${port}`);
    expect(run.output()).toContain('npx cloudai');
    expect((await stat(`${data.path}/admin-token`)).mode & 0o777).toBe(0o600);
  });

  it('comes up again with the same account, restarts what dies, and stops with Ctrl-C', async () => {
    const run = npmStart();
    await waitFor(() => run.output().includes('Try next'), {
      what: `the second start; so far: ${run.output()}`,
      deadlineMs: 60_000,
    });
    expect(run.output()).not.toMatch(/password\s+\S{12,}/);
    const healthy = async () => (await fetch(`http://localhost:${port}/readyz`)).status === 200;
    expect(await healthy()).toBe(true);
    const api = childOf(run.child.pid, 'api/main.js');
    process.kill(api, 'SIGKILL');
    await waitFor(() => /api/i.test(run.output().split('Try next')[1] ?? ''), {
      what: 'word of the restart',
    });
    await waitFor(healthy, { what: 'the API to be back', deadlineMs: 30_000 });

    run.child.kill('SIGINT');
    expect(await run.ended).not.toBeNull();
    expect([...commandLines().values()].filter((line) => line.includes(data.path))).toEqual([]);
    await expect(fetch(`http://localhost:${port}/healthz`)).rejects.toThrow();
  });

  it('works without a container engine when asked to', async () => {
    const run = npmStart(['--once'], { RUNTIME: 'process', DATA_DIR: `${data.path}/plain` });
    expect(await run.ended, run.output()).toBe(0);
    expect(run.output()).toContain('Hello from CloudAI');
    expect(run.output()).toMatch(/isolation/i);
  });

  it('says what to do when the port is taken', async () => {
    const taken = createServer().listen(port, '0.0.0.0');
    try {
      const run = npmStart(['--once']);
      expect(await run.ended).not.toBe(0);
      expect(run.output()).toContain(String(port));
      expect(run.output()).toMatch(/PORT=/);
    } finally {
      taken.close();
    }
  });

  it('names a wrong setting', async () => {
    const run = npmStart(['--once'], { STORE_URL: 'mysql://x' });
    expect(await run.ended).not.toBe(0);
    expect(run.output()).toContain('STORE_URL');
  });
});

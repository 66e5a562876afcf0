// What people watch on the command line, against the real system: `monitor` and the live `status`, also while the API
// is away.

import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { Pty } from '../support/pty.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
let cluster: Cluster;
const ends: (() => void)[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.signIn('alice');
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(() => cluster?.stop());

const env = () => ({
  XDG_CONFIG_HOME: `${cluster.dataDir}/config`,
  CLOUDAI_URL: cluster.url,
  CLOUDAI_TOKEN: cluster.token,
  NO_COLOR: '1',
});

class Ran {
  out = '';
  err = '';
  readonly code: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(...args: string[]) {
    const child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, ...env() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk) => {
      this.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      this.err += chunk;
    });
    this.code = new Promise((done) => child.on('close', (code) => done(code)));
    this.#child = child;
    ends.push(() => child.kill('SIGKILL'));
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  says(what: string, where: 'out' | 'err' = 'out'): Promise<unknown> {
    return waitFor(() => this[where].includes(what), {
      what: `"${what}" on std${where}; so far:\n${this.out}\n${this.err}\n`,
      deadlineMs: 40_000,
    });
  }
}

function terminal(args: string[], size = {}): Pty {
  const pty = new Pty(process.execPath, [main, ...args], { env: env(), ...size });
  ends.push(() => pty.kill());
  return pty;
}

const submit = async (command: string, more = {}): Promise<string> => {
  const body = { docker_image: TEST_IMAGE, cpu_required: 0.25, memory_required: 32, command, ...more };
  return (await cluster.submit(body)).task_id;
};
/** Prints a number every tenth of a second. */
const counting = (to: number) =>
  submit(`n=0; while [ $n -lt ${to} ]; do n=$((n+1)); echo line $n; sleep 0.1; done`);
const lines = (to: number) => Array.from({ length: to }, (_, n) => `line ${n + 1}\n`).join('');

describe('monitor', () => {
  it('prints what a task prints and gives back how it ended, or what its container gave back', async () => {
    const good = await submit('echo hello; echo oops >&2; sleep 1');
    const bad = await submit('echo tried; exit 3', { max_retries: 1 });
    const [plain, failed, own, json] = [
      new Ran('monitor', good),
      new Ran('monitor', bad),
      new Ran('monitor', bad, '--exit-code'),
      new Ran('monitor', good, '--json'),
    ];
    expect(await Promise.all([plain.code, failed.code, own.code, json.code])).toEqual([0, 1, 3, 0]);
    expect(plain.out).toBe('hello\n');
    expect(plain.err).toContain('oops\n');
    expect(plain.err).toContain(`${good} completed after`);
    expect(failed.out).toBe('tried\ntried\n');
    expect(failed.err).toContain(`${bad} failed`);
    const events = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.filter(({ event }) => event === 'log')).toMatchObject([
      { task_id: good, attempt: 1, seq: 1, line: expect.any(String) },
      { task_id: good, attempt: 1, seq: 2 },
    ]);
    expect(events.at(-1)).toMatchObject({ event: 'end', task_id: good, status: 'completed', exit_code: 0 });
    // What has ended is told as it was.
    const again = new Ran('monitor', bad, '--exit-code');
    expect(await again.code).toBe(3);
    expect(again.out).toBe(failed.out);
  });

  it('is left by Ctrl-C, and the task goes on', async () => {
    const id = await submit('echo begun; sleep 100');
    const ran = new Ran('monitor', id);
    await ran.says('begun');
    ran.interrupt();
    expect(await ran.code).toBe(130);
    expect(ran.err).toContain(`Come back with: cloudai monitor ${id}`);
    expect((await cluster.task(id)).status).toBe('running');
    await cluster.call('POST', `/api/tasks/${id}/cancel`, { force: true });
    expect((await cluster.ended(id)).status).toBe('cancelled');
  });

  it('pins the state under the output on a terminal, and leaves the terminal in order', async () => {
    const id = await submit(
      'for n in 1 2 3; do echo line $n; done; echo "::progress 42 half way"; sleep 100',
    );
    const pty = terminal(['monitor', id]);
    await pty.shows(/line 3[\s\S]*running on .* for \d/);
    await pty.shows('42% half way');
    expect(pty.screen().indexOf('line 3')).toBeLessThan(pty.screen().indexOf('running on'));
    pty.press('ctrl-c');
    expect(await pty.exitCode()).toBe(130);
    expect(pty.all()).toContain('Come back with');
    expect(pty.all()).not.toContain('42% half way');
    expect(pty.cursorHidden).toBe(false);
    await cluster.call('POST', `/api/tasks/${id}/cancel`, { force: true });
    await cluster.ended(id);
  });
});

describe('status on a terminal', () => {
  it('is live, and says when nothing comes while monitors wait for the API', async () => {
    const id = await counting(60);
    const patient = new Ran('monitor', id);
    const impatient = new Ran('monitor', id, '--patience', '0.5');
    const status = terminal(['status'], { columns: 110, rows: 30 });
    await Promise.all([patient.says('line 5\n'), impatient.says('line 5\n')]);
    await status.shows(id);
    await status.shows(/1 ready/);

    await cluster.api.end('SIGKILL');
    await status.shows('STALE', { deadlineMs: 40_000 });
    expect(await impatient.code).toBe(3);
    expect(impatient.err).toContain('the connection was lost');
    cluster.api.start();
    await cluster.ready();

    expect(await patient.code).toBe(0);
    expect(patient.out).toBe(lines(60));
    expect(patient.err).toContain('the connection was lost');
    expect(patient.err).toContain(`connected to ${cluster.url} again`);
    await waitFor(() => !status.screen().includes('STALE'), {
      what: 'news in the picture',
      deadlineMs: 30_000,
    });
    await status.shows(/1 completed|\d completed/);

    status.resize(60, 20);
    const widest = () =>
      Math.max(
        ...status
          .screen()
          .split('\n')
          .map((line) => line.length),
      );
    await waitFor(() => widest() <= 60, { what: 'a picture of 60 columns' });
    await status.shows(/cores +[#-]+ 0 of/);
    status.type('q');
    expect(await status.exitCode()).toBe(0);
    expect(status.screen()).toContain('cores');
    expect(status.cursorHidden).toBe(false);
  });

  it('ends with 0 at Ctrl-C, and is one picture with --once', async () => {
    const live = terminal(['status'], { columns: 40, rows: 10 });
    await live.shows('cores');
    live.press('ctrl-c');
    expect(await live.exitCode()).toBe(0);
    const once = terminal(['status', '--once'], { columns: 100 });
    expect(await once.exitCode()).toBe(0);
    expect(once.screen()).toContain('1 ready');
  });
});

// What is live, through real processes and containers: two API copies, clients of others, a browser, and a kill.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLive } from '../../client/live.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { SubscribeReply, TaskLogEvent } from '../../shared/contracts/live.ts';
import type { TelemetryReply } from '../../shared/contracts/workers.ts';
import { type Cluster, type Part, startCluster } from '../support/cluster.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const WSCAT = resolve(import.meta.dirname, '../../node_modules/wscat/bin/wscat');

let cluster: Cluster;
let other: { part: Part; url: string };

beforeAll(async () => {
  cluster = await startCluster();
  other = await cluster.addApi();
  await cluster.signIn('alice');
});
afterAll(async () => {
  await other?.part.end('SIGTERM');
  await cluster?.stop();
});

const submit = (command: string): Promise<TaskBody> =>
  cluster.submit({ docker_image: TEST_IMAGE, command, cpu_required: 0.2, memory_required: 32 });

describe('a client of Socket.io', () => {
  it('on one copy follows a task that was submitted to another, line by line as it runs', async () => {
    const client = io(other.url, { auth: { token: cluster.token }, transports: ['websocket'] });
    onTestFinished(() => void client.disconnect());
    const lines: string[] = [];
    const states: string[] = [];
    let ended = false;
    client.on('task:log', (event: TaskLogEvent) => lines.push(...event.lines.map(({ line }) => line)));
    client.on('task:record', ({ task }: { task: TaskBody }) => states.push(task.status));
    client.on('task:log-end', () => {
      ended = true;
    });
    const task = await submit('echo line 1; echo line 2 >&2; exec sleep 600');
    const room = `task:${task.task_id}`;
    const reply: SubscribeReply = await client.timeout(10_000).emitWithAck('subscribe', { room, logs: {} });
    expect(reply).toMatchObject({ ok: true, task: { task_id: task.task_id } });
    // It still runs: nothing waits for its end.
    await waitFor(() => lines.length === 2, { what: 'two lines', deadlineMs: 60_000 });
    await cluster.call('POST', `/api/tasks/${task.task_id}/cancel`, { force: true });
    await waitFor(() => ended && states.includes('cancelled'), { what: 'the end', deadlineMs: 60_000 });
    expect(lines.toSorted()).toEqual(['line 1', 'line 2']);
  });
});

describe('wscat', () => {
  it('sees telemetry, and is let go when the API stops in good order', async () => {
    const third = await cluster.addApi();
    onTestFinished(async () => void (await third.part.end('SIGKILL')));
    const url = `${third.url.replace('http', 'ws')}/ws/telemetry`;
    const child = spawn(process.execPath, [WSCAT, '--no-color', '-c', url], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    const looks = () =>
      said
        .split('\n')
        .filter((line) => line.includes('"workers"'))
        .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as TelemetryReply);
    await waitFor(() => looks().length >= 2, { what: 'two looks' });
    expect(looks()[0]?.workers.map(({ state }) => state)).toEqual(['ready']);
    expect(await third.part.end('SIGTERM')).toBe(0);
    // It ends by itself, and has nothing to complain of.
    await waitFor(() => child.exitCode !== null, { what: 'wscat to end' });
    expect(child.exitCode).toBe(0);
    const beside = said.split('\n').filter((line) => !line.includes('"workers"'));
    expect(beside.join('\n')).not.toMatch(/error/i);
  });
});

describe('our live client', () => {
  it('outlives the kill of its API copy without losing a line', async () => {
    const live = createLive({ url: cluster.url, token: cluster.token });
    onTestFinished(() => live.close());
    const lines: string[] = [];
    let state = '';
    let ended = false;
    const task = await submit('n=0; while [ $n -lt 300 ]; do n=$((n+1)); echo $n; sleep 0.02; done');
    live.subscribe(
      `task:${task.task_id}`,
      {
        lines: (event) => void lines.push(...event.lines.map(({ line }) => line)),
        record: ({ status }) => {
          state = status;
        },
        logsEnded: () => {
          ended = true;
        },
      },
      {},
    );
    await waitFor(() => lines.length > 20, { what: 'the first lines', deadlineMs: 60_000 });
    await cluster.api.end('SIGKILL');
    await waitFor(() => live.state === 'reconnecting', { what: 'the client to notice' });
    cluster.api.start();
    await waitFor(() => ended && state === 'completed', { what: 'the end', deadlineMs: 60_000 });
    expect(lines).toEqual(Array.from({ length: 300 }, (_, n) => String(n + 1)));
  });
});

describe('a browser on the dashboard', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    });
  });
  afterAll(() => browser?.close());

  it('may open the sockets of its own address under the page policy', async () => {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) faults.push(message.text());
    });
    await page.goto(cluster.url);
    const policy = (await page.reload())?.headers()['content-security-policy'];
    expect(policy).toContain("connect-src 'self'");
    const open = (path: string) =>
      page.evaluate(
        (address) =>
          new Promise<string>((done) => {
            const socket = new WebSocket(address);
            socket.onmessage = ({ data }) => done(String(data));
            socket.onerror = () => done('refused');
          }),
        `${cluster.url.replace('http', 'ws')}${path}`,
      );
    expect(JSON.parse(await open('/ws/telemetry'))).toMatchObject({ queue_depth: 0 });
    expect(await open('/socket.io/?EIO=4&transport=websocket')).toContain('"sid"');
    expect(faults).toEqual([]);
    const strangers = await browser.newPage();
    await strangers.goto(`${other.url}/healthz`);
    const elsewhere = await strangers.evaluate(
      (address) =>
        new Promise<string>((done) => {
          const socket = new WebSocket(address);
          socket.onmessage = () => done('let in');
          socket.onerror = () => done('refused');
        }),
      `${cluster.url.replace('http', 'ws')}/ws/telemetry`,
    );
    expect(elsewhere).toBe('refused');
  });
});

describe('the log of the API', () => {
  it('has no token in it', async () => {
    await fetch(`${cluster.url}/ws/telemetry?token=${cluster.token}`);
    const text = await readFile(`${cluster.dataDir}/api.log`, 'utf8');
    expect(text).not.toContain(cluster.token);
  });
});

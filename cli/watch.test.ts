// `status` and `monitor` where no socket is to be had: they ask instead, and say the same.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import {
  makeEndedBody,
  makeExplainReply,
  makeTaskBody,
  makeTelemetry,
  refusal,
  Status,
  TASK_ID,
} from '../test/support/small-api.ts';
import { TapeScreen } from '../test/support/tape-screen.ts';
import { waitFor } from '../test/support/wait-for.ts';

let stage: CliStage;
let api: CliStage['api'];
let interrupt: AbortController;

beforeAll(async () => {
  stage = await openCliStage();
  api = stage.api;
});
beforeEach(() => {
  interrupt = new AbortController();
  api.asked.length = 0;
  api.on('GET /telemetry', () => makeTelemetry());
  api.on('GET /api/tasks', () => ({ tasks: [running()], next_cursor: null }));
});
afterEach(() => interrupt.abort());
afterAll(() => stage.close());

const running = () =>
  makeTaskBody({ status: 'running', worker_id: 'worker-1', started_at: '2026-01-01T10:00:10.000Z' });

describe('status on a terminal', () => {
  it('is drawn anew as news comes and as the size changes, until q', async () => {
    const screen = new TapeScreen(100, 30);
    const { ended, told } = stage.start(['status'], { screen, signal: interrupt.signal });
    await waitFor(() => screen.picture?.includes(TASK_ID), { what: 'the first picture' });
    expect(screen.picture).toContain('4 of 16 held');
    // No socket answers here, so the picture is asked for.
    api.on('GET /telemetry', () => makeTelemetry({ queue_depth: 77 }));
    await waitFor(() => screen.picture?.includes('waiting  77'), { what: 'a later picture' });
    screen.resize(40, 12);
    expect(screen.tape.slice(-2)).toEqual(['wipe', 'draw']);
    expect(Math.max(...screen.picture!.split('\n').map((line) => line.length))).toBeLessThanOrEqual(40);
    screen.type('x');
    screen.type('q');
    expect((await ended).code).toBe(0);
    expect(screen.isLeft).toBe(true);
    expect(screen.picture).toContain('waiting  77');
    expect(told).toEqual({ out: '', err: '' });
  });

  it('ends with 0 at Ctrl-C', async () => {
    const screen = new TapeScreen();
    const { ended } = stage.start(['status'], { screen, signal: interrupt.signal });
    await waitFor(() => screen.picture, { what: 'the first picture' });
    interrupt.abort();
    expect(await ended).toMatchObject({ code: 0, err: '' });
    expect(screen.isLeft).toBe(true);
  });

  it('shows the cluster without its tasks to those who are not signed in', async () => {
    api.on('GET /api/tasks', () => refusal(401, 'unauthenticated', 'sign in'));
    const screen = new TapeScreen();
    const { ended } = stage.start(['status'], { screen, env: { CLOUDAI_TOKEN: '' } });
    await waitFor(() => screen.picture?.includes('worker-2'), { what: 'the first picture' });
    expect(screen.picture).not.toContain('RUNNING');
    screen.type('q');
    expect((await ended).code).toBe(0);
  });

  it('is one picture with --once, --json and --quiet, and an error when there is nothing to show', async () => {
    const screen = new TapeScreen();
    expect((await stage.cloudai(['status', '--once'], { screen })).out).toContain('1 ready, 1 unreachable');
    expect(JSON.parse((await stage.cloudai(['status', '--json'], { screen })).out)).toEqual(makeTelemetry());
    expect((await stage.cloudai(['status', '--quiet'], { screen })).out).toBe('');
    expect(screen.tape).toEqual([]);
    api.on('GET /telemetry', () => refusal(401, 'unauthenticated', 'sign in'));
    expect((await stage.cloudai(['status'], { screen })).code).toBe(4);
    expect(screen.tape).toEqual([]);
  });
});

describe('monitor', () => {
  const logs = (texts: Record<string, string>) =>
    api.on('GET /api/tasks/:id/logs', ({ query }, reply) => {
      reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
      const line = {
        seq: 1,
        ts: '2026-01-01T10:00:02.000Z',
        stream: 'stdout',
        line: texts[query.attempt ?? ''],
      };
      reply.end(`${JSON.stringify(line)}\n`);
    });
  const secondTry = (over = {}) => {
    const [first] = makeEndedBody().attempts;
    const failed = { ...first!, state: 'failed' as const, reason: 'exit_code' as const, exit_code: 3 };
    return makeEndedBody({ attempt: 2, attempts: [failed, { ...first!, attempt: 2 }], ...over });
  };

  it('tells all attempts of a task that has ended, and asks for no socket', async () => {
    api.on('GET /api/tasks/:id', () => secondTry());
    logs({ 1: 'first try', 2: 'second try' });
    expect(await stage.cloudai(['monitor', TASK_ID])).toEqual({
      code: 0,
      out: 'first try\nsecond try\n',
      err: `${TASK_ID} completed after 3.2s\n`,
    });
    expect(api.asked.filter(({ path }) => path.startsWith('/socket.io'))).toEqual([]);
  });

  it('tells programs one event a line', async () => {
    api.on('GET /api/tasks/:id', () =>
      secondTry({ status: 'failed', reason: 'exit_code', exit_code: 3, message: 'exited with 3' }),
    );
    logs({ 1: 'first try', 2: 'second try' });
    const { code, out, err } = await stage.cloudai(['monitor', TASK_ID, '--json', '--exit-code']);
    expect(code).toBe(3);
    expect(err).toBe('');
    const log = { event: 'log', task_id: TASK_ID, seq: 1, ts: '2026-01-01T10:00:02.000Z', stream: 'stdout' };
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { ...log, attempt: 1, line: 'first try' },
      { ...log, attempt: 2, line: 'second try' },
      {
        event: 'end',
        task_id: TASK_ID,
        status: 'failed',
        attempt: 2,
        worker_id: 'worker-1',
        reason: 'exit_code',
        exit_code: 3,
        message: 'exited with 3',
        started_at: '2026-01-01T10:00:02.000Z',
        finished_at: '2026-01-01T10:00:05.200Z',
      },
    ]);
  });

  it('tells no state of an attempt before the output of those before it', async () => {
    let task = secondTry({ status: 'running', finished_at: null });
    api.on('GET /api/tasks/:id', () => task);
    const said = (seq: number, line: string) =>
      `${JSON.stringify({ seq, ts: '2026-01-01T10:00:02.000Z', stream: 'stdout', line })}\n`;
    api.on('GET /api/tasks/:id/logs', ({ query }, reply) => {
      reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
      if (query.attempt === '1') return void reply.end(said(1, 'first') + said(2, 'try'));
      task = secondTry();
      return void reply.end(said(1, 'second'));
    });
    const { code, out } = await stage.cloudai(['monitor', TASK_ID, '--json']);
    expect(code).toBe(0);
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ event, attempt, line = '' }) => `${event} ${attempt} ${line}`)).toEqual([
      'log 1 first',
      'log 1 try',
      'state 2 ',
      'log 2 second',
      'end 2 ',
    ]);
  });

  it('says why a task waits, on a terminal and in a pipe, and how to come back', async () => {
    api.on('GET /api/tasks/:id', () => makeTaskBody());
    api.on('GET /api/tasks/:id/explain', () => makeExplainReply());
    const screen = new TapeScreen();
    const seen = stage.start(['monitor', TASK_ID], { screen, signal: interrupt.signal });
    const piped = stage.start(['monitor', TASK_ID], { signal: interrupt.signal });
    const json = stage.start(['monitor', TASK_ID, '--json'], { signal: interrupt.signal });
    await waitFor(
      () => screen.picture === `queued  ${TASK_ID}\nNo worker has 4 GPUs free. Place in the queue: 1.`,
      {
        what: 'the reason',
      },
    );
    await waitFor(() => piped.told.err.includes('waits: No worker has 4 GPUs free'), { what: 'the reason' });
    await waitFor(() => json.told.out.includes('"waiting"'), { what: 'the reason' });
    interrupt.abort();
    const goesOn = `${TASK_ID} goes on. Come back with: cloudai monitor ${TASK_ID}\n`;
    expect(await seen.ended).toEqual({ code: 130, out: '', err: goesOn });
    expect(screen).toMatchObject({ isLeft: true, picture: null });
    expect((await piped.ended).err).toContain(`${TASK_ID} is queued\n`);
    expect((await piped.ended).err).toContain(goesOn);
    const events = (await json.ended).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toEqual([
      {
        event: 'state',
        task_id: TASK_ID,
        status: 'queued',
        attempt: 1,
        worker_id: null,
        cancel_requested: false,
        at: '2026-01-01T10:00:00.000Z',
      },
      { event: 'waiting', task_id: TASK_ID, summary: 'No worker has 4 GPUs free.', position: 1 },
    ]);
    expect(await json.ended).toMatchObject({ code: 130, err: '' });
  });

  it('does not wait for what will not come: 4 for those who may not look, 1 where there is no such task', async () => {
    api.on('GET /api/tasks/:id', () => refusal(401, 'unauthenticated', 'sign in'));
    expect((await stage.cloudai(['monitor', TASK_ID])).code).toBe(4);
    api.on('GET /api/tasks/:id', () => refusal(403, 'forbidden', 'not yours'));
    expect((await stage.cloudai(['monitor', TASK_ID])).code).toBe(4);
    api.on('GET /api/tasks/:id', () => refusal(404, 'not_found', 'no such task'));
    expect((await stage.cloudai(['monitor', TASK_ID])).code).toBe(1);
  });

  it('gives up an API that stays away once its patience is at an end', async () => {
    api.on('GET /api/tasks/:id', () => running());
    const piped = stage.start(['monitor', TASK_ID, '--patience', '0']);
    const { told, ended } = piped;
    await waitFor(() => told.err.includes('is running on worker-1'), { what: 'the state' });
    api.on(
      'GET /api/tasks/:id',
      () => new Status(503, { code: 'store_unavailable', message: 'the store is away' }),
    );
    expect((await ended).code).toBe(3);
    expect(told.err).toContain('the connection was lost (the store is away); trying again');
  });

  it('notices by asking that a task moves and ends', async () => {
    let task = running();
    api.on('GET /api/tasks/:id', () => task);
    const { told, ended } = stage.start(['wait', TASK_ID]);
    await waitFor(() => api.asked.length > 1, { what: 'a second question' });
    task = makeEndedBody({ status: 'failed', reason: 'exit_code', exit_code: 7 });
    expect((await ended).code).toBe(1);
    expect(told.err).toContain(`${TASK_ID} failed`);
    expect((await stage.cloudai(['wait', TASK_ID, '--exit-code'])).code).toBe(7);
  });
});

describe('retry', () => {
  it('is sent under a key, its own or the one given', async () => {
    api.on(`POST /api/tasks/${TASK_ID}/retry`, () => new Status(201, makeTaskBody()));
    expect((await stage.cloudai(['retry', TASK_ID])).code).toBe(0);
    expect(api.asked.at(-1)?.headers).toMatchObject({ 'idempotency-key': expect.stringMatching(/.{10}/) });
    expect((await stage.cloudai(['retry', TASK_ID, '--idempotency-key', 'k-1'])).code).toBe(0);
    expect(api.asked.at(-1)?.headers).toMatchObject({ 'idempotency-key': 'k-1' });
  });
});

describe('--exit-code', () => {
  it('is of one task that is waited for', async () => {
    for (const line of [
      'task a --exit-code',
      'retry 2d3e --exit-code',
      `wait ${TASK_ID} ${TASK_ID} --exit-code`,
    ]) {
      const { code, err } = await stage.cloudai(line.split(' '));
      expect(code).toBe(2);
      expect(err).toContain('--exit-code');
    }
    expect(api.asked).toEqual([]);
  });
});

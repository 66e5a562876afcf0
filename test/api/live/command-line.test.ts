// `monitor` and the live `status` on real sockets of a real API, in one process.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { taskProgressBody, taskRoom } from '../../../shared/contracts/live.ts';
import type { Task } from '../../../shared/model/task.ts';
import { type CliStage, openCliStage, type Running, type World } from '../../support/cli-stage.ts';
import { TapeScreen } from '../../support/tape-screen.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';
import { Mover } from './stage.ts';

let api: TestApi;
let url: string;
let alice: Person;
let bob: Person;
let mover: Mover;
let stage: CliStage;
let interrupt: AbortController;

beforeAll(async () => {
  api = await openTestApi();
  url = await api.api.start();
  await api.signUp('root');
  alice = await api.signUp('alice');
  bob = await api.signUp('bob');
  mover = new Mover(api);
  stage = await openCliStage();
  interrupt = new AbortController();
});
afterEach(() => {
  interrupt.abort();
  interrupt = new AbortController();
});
afterAll(async () => {
  await stage?.close();
  await api?.close();
});

function start(argv: string[], world: World = {}, as: Person = alice): Running {
  const env = { CLOUDAI_URL: url, CLOUDAI_TOKEN: as.token };
  return stage.start(argv, { signal: interrupt.signal, ...world, env });
}

const eventsOf = ({ told }: Running) =>
  told.out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const until = (running: Running, what: string) =>
  waitFor(() => running.told.out.includes(what) || running.told.err.includes(what), {
    what: `${what}; so far:\n${running.told.out}${running.told.err}\n`,
  });

/** As a runner tells it. */
function tell(task: Task, percent: number, message: string): void {
  const { id: taskId, attempt } = task;
  const told = { taskId, attempt, phase: 'running', percent, message, layers: null, bytes: null } as const;
  api.redis.rooms.emit(taskRoom(taskId), 'task:progress', taskProgressBody({ ...told, at: Date.now() }));
  const at = new Date().toISOString();
  api.redis.rooms.emit(taskRoom(taskId), 'task:usage', {
    task_id: taskId,
    attempt,
    at,
    cpu: 0.87,
    memory: 210,
  });
}

describe('monitor', () => {
  it('tells a life of two attempts in order, each line once', async () => {
    const queued = await mover.queued(alice);
    const json = start(['monitor', queued.id, '--json']);
    const plain = start(['monitor', queued.id]);
    await until(json, '"queued"');
    await until(plain, 'is queued');
    const first = await mover.start(queued);
    await mover.write(first, 1, 3, 'first');
    await until(json, 'first 3');
    const again = await mover.lose(first);
    await until(plain, 'attempt 1 was lost: gone');
    const second = await mover.start(again);
    await mover.write(second, 1, 2, 'second');
    await until(json, 'second 2');
    // The room is joined by now: what is told comes.
    await waitFor(
      () => {
        tell(second, 42, 'half way');
        return eventsOf(json).some(({ event }) => event === 'usage');
      },
      { what: 'progress and use' },
    );
    await mover.end(second);

    expect(await json.ended).toMatchObject({ code: 0, err: '' });
    const events = eventsOf(json);
    const lines = events.filter(({ event }) => event === 'log');
    expect(lines.map(({ attempt, seq, line }) => `${attempt}:${seq} ${line}`)).toEqual([
      '1:1 first 1',
      '1:2 first 2',
      '1:3 first 3',
      '2:1 second 1',
      '2:2 second 2',
    ]);
    const states = events.filter(({ event }) => event === 'state');
    expect(states.map(({ attempt, status }) => `${attempt} ${status}`)).toEqual(
      expect.arrayContaining(['1 queued', '1 running', '2 queued', '2 running']),
    );
    const at = (found: (one: (typeof events)[number]) => boolean) => events.findIndex(found);
    expect(at((one) => one.event === 'state' && one.attempt === 2)).toBeGreaterThan(
      at((one) => one.line === 'first 3'),
    );
    expect(events.find(({ event }) => event === 'progress')).toMatchObject({
      task_id: queued.id,
      attempt: 2,
      phase: 'running',
      percent: 42,
      message: 'half way',
    });
    expect(events.find(({ event }) => event === 'usage')).toMatchObject({ cpu: 0.87, memory: 210 });
    expect(events.at(-1)).toMatchObject({ event: 'end', status: 'completed', attempt: 2, exit_code: 0 });

    const { code, out, err } = await plain.ended;
    expect(code).toBe(0);
    // Lines with even numbers went to standard error.
    expect(out).toBe('first 1\nfirst 3\nsecond 1\n');
    const said = [
      'is queued',
      'is running on w1',
      'attempt 1 was lost: gone',
      'is running on w1 (attempt 2)',
      'completed',
    ];
    expect(said.map((one) => err.indexOf(one)).sort((a, b) => a - b)).toEqual(
      said.map((one) => err.indexOf(one)),
    );
    expect(err).not.toContain('half way');
  });

  it('keeps state, progress, use and the unfinished line under the output', async () => {
    const task = await mover.running(alice);
    const screen = new TapeScreen(100, 24);
    const monitor = start(['monitor', task.id], { screen });
    await mover.write(task, 1, 3, 'loss');
    await until(monitor, 'loss 3');
    const partial = {
      task_id: task.id,
      attempt: 1,
      stream: 'stdout',
      after_seq: 3,
      text: 'epoch \x1b[32m4\x1b[0m',
    };
    await waitFor(
      () => {
        tell(task, 42, 'half way');
        api.redis.rooms.emit(taskRoom(task.id), 'task:partial', partial);
        return screen.picture?.includes('epoch 4') && screen.picture.includes('210 MB');
      },
      { what: 'the pinned lines' },
    );
    expect(screen.picture!.split('\n')).toEqual([
      'epoch 4',
      expect.stringMatching(new RegExp(`^running on w1 for .* {2}${task.id}$`)),
      '########------------ 42% half way  0.87 cores, 210 MB',
    ]);
    // What was pinned is taken away before more is written, and comes back.
    screen.tape.length = 0;
    await mover.write(task, 4, 4, 'loss');
    await until(monitor, 'loss 4');
    await waitFor(() => screen.picture?.includes('running on'), { what: 'the pinned lines again' });
    expect(screen.tape.slice(0, 2)).toEqual(['clear', 'draw']);
    expect(screen.picture).not.toContain('epoch 4');
    await mover.end(task);
    expect(await monitor.ended).toMatchObject({ code: 0, out: 'loss 1\nloss 3\n' });
    expect(monitor.told.err).toMatch(/^loss 2\nloss 4\ntask-\w+ completed after .*\n$/);
    expect(screen).toMatchObject({ isLeft: true, picture: null });
  });

  it('is for those who may look', async () => {
    const task = await mover.running(alice);
    const [others, forged] = [
      await start(['monitor', task.id], {}, bob).ended,
      await start(['monitor', task.id], {}, { ...bob, token: 'forged' }).ended,
    ];
    expect(others.code).toBe(1);
    expect(others.err).toContain('list-tasks');
    expect(others.out).toBe('');
    expect(forged.code).toBe(4);
  });
});

describe('wait', () => {
  it('is told of the end of the task', async () => {
    const task = await mover.running(alice);
    const wait = start(['wait', task.id]);
    await mover.end(task);
    expect(await wait.ended).toMatchObject({ code: 0 });
    expect(wait.told.err).toContain(`${task.id} completed`);
  });
});

describe('status on a terminal', () => {
  it('shows the own running tasks as they come, get on and go', async () => {
    const [early, others] = [await mover.running(alice), await mover.running(bob)];
    const screen = new TapeScreen(140, 30);
    const status = start(['status'], { screen });
    await waitFor(() => screen.picture?.includes(early.id), { what: 'the task that ran before' });
    const late = await mover.running(alice);
    await waitFor(() => screen.picture?.includes(late.id), { what: 'a task that began later' });
    await waitFor(
      () => {
        tell(early, 42, 'half way');
        return screen.picture?.includes('###----- 42% half way') && screen.picture.includes('0.87 cores');
      },
      { what: 'its progress and use' },
    );
    await mover.end(early);
    await waitFor(() => !screen.picture?.includes(early.id), { what: 'the end of the task' });
    expect(screen.picture).toContain(late.id);
    expect(screen.picture).not.toContain(others.id);
    screen.type('q');
    expect((await status.ended).code).toBe(0);
  });
});

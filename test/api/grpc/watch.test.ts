// Watching over gRPC: every state and every line once, in order, whatever is restarted, however slowly somebody reads; and
// nothing is left open afterwards.

import { type ClientReadableStream, status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LogStore } from '../../../shared/ports/log-store.ts';
import { freePort } from '../../support/cluster.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type TestApiOptions } from '../harness.ts';
import { lines, OutputStage } from '../output-stage.ts';
import { type Answer, collect, openClient, type Watched } from './client.ts';

async function openStage(options: TestApiOptions = {}) {
  const grpcPort = await freePort();
  const test = await openTestApi({ ...options, env: { GRPC_PORT: String(grpcPort), ...options.env } });
  onTestFinished(() => test.close());
  await test.signUp('root');
  const alice = await test.signUp('alice');
  await test.api.start();
  const client = openClient(test.api.grpcPort);
  onTestFinished(() => client.close());
  return { test, alice, client, stage: new OutputStage(test, alice) };
}

const shown = (attempt: number, from: number, to: number) =>
  lines(from, to).map(({ seq, line }) => `${attempt}/${seq} ${line}`);
const statesOf = ({ states }: Watched) =>
  states.map(({ number, attempt, state }) => `${number} ${attempt} ${String(state).slice(11).toLowerCase()}`);

const ALL_STATES = [
  '1 1 queued',
  '2 1 assigned',
  '3 1 running',
  '4 1 lost',
  '5 2 queued',
  '6 2 assigned',
  '7 2 running',
  '8 2 completed',
];

describe('WatchTask', () => {
  it('gives every state and line of every attempt as they come, and ends with the task', async () => {
    const { test, client, alice, stage } = await openStage();
    const task = await stage.queued();
    const seen = collect(client.stream('WatchTask', { task_id: task.id }, alice));
    await waitFor(() => statesOf(seen).length === 1, { what: 'the first state' });
    const first = await stage.started(task);
    await waitFor(() => statesOf(seen).length === 3, { what: 'the task to run' });
    await stage.print(first, lines(1, 500));
    await waitFor(() => seen.lines.length === 500, { what: 'its lines' });
    await stage.print(first, lines(501, 2_000), 'numbers');
    const second = await stage.started(await stage.takenBack(first));
    await stage.print(second, lines(1, 10), 'nothing');
    await stage.ended(second);
    expect(await seen.ended).toBeNull();
    expect(statesOf(seen)).toEqual(ALL_STATES);
    expect(seen.lines).toEqual([...shown(1, 1, 2_000), ...shown(2, 1, 10)]);
    expect(seen.states.at(-1)).toMatchObject({ exit_code: 0, worker_id: 'w1' });
    expect(seen.states[3]).toMatchObject({ message: 'lost' });
    await waitFor(() => test.api.grpcWatches === 0, { what: 'the watch to be let go' });
  });

  it('gives the same of a task that has ended, from any position on', async () => {
    const { client, alice, stage } = await openStage();
    const first = await stage.started();
    await stage.print(first, lines(1, 3));
    const second = await stage.started(await stage.takenBack(first));
    await stage.print(second, lines(1, 2));
    await stage.ended(second);
    const watch = async (from: object) => {
      const seen = collect(client.stream('WatchTask', { task_id: first.id, ...from }, alice));
      expect(await seen.ended).toBeNull();
      return [statesOf(seen), seen.lines, seen.next];
    };
    const end = { attempt: 2, from_seq: 3, from_state: 9 };
    expect(await watch({})).toEqual([ALL_STATES, [...shown(1, 1, 3), ...shown(2, 1, 2)], end]);
    expect(await watch({ attempt: 1, from_seq: 3, from_state: 4 })).toEqual([
      ALL_STATES.slice(3),
      [...shown(1, 3, 3), ...shown(2, 1, 2)],
      end,
    ]);
    expect(await watch({ attempt: 2, from_seq: 2 })).toEqual([ALL_STATES.slice(4), shown(2, 2, 2), end]);
    expect(await watch(end)).toEqual([[], [], undefined]);
    const none = collect(client.stream('WatchTask', { task_id: first.id, attempt: 3 }, alice));
    expect((await none.ended)?.code).toBe(status.NOT_FOUND);
    const odd = collect(client.stream('WatchTask', { task_id: first.id, attempt: 0, from_seq: 0 }, alice));
    expect(await odd.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('goes on by position when the API is restarted in the middle, with nothing missed or twice', async () => {
    const { test, alice, stage } = await openStage();
    const task = await stage.started();
    const port = await freePort();
    let seen: Watched | undefined;
    const rounds = [1, 2, 3];
    for (const round of rounds) {
      const copy = await test.copy(0, port);
      await copy.api.start();
      const client = openClient(port);
      const from: object = seen?.next ?? {};
      const now: Watched = collect(client.stream('WatchTask', { task_id: task.id, ...from }, alice), seen);
      const last = round * 1_000;
      await stage.print(task, lines(last - 999, last - 500));
      await waitFor(() => now.lines.length >= last - 500, { what: 'the lines of this round' });
      const more = stage.print(task, lines(last - 499, last), 'numbers');
      await copy.close();
      await more;
      const error = await now.ended;
      expect(error?.code).toBe(status.UNAVAILABLE);
      expect(error?.metadata.get('retry-after')).toHaveLength(1);
      client.close();
      seen = now;
    }
    await stage.ended(task);
    const copy = await test.copy(0, port);
    await copy.api.start();
    const client = openClient(port);
    const end = collect(client.stream('WatchTask', { task_id: task.id, ...seen?.next }, alice), seen);
    expect(await end.ended).toBeNull();
    client.close();
    await copy.close();
    expect(end.lines).toEqual(shown(1, 1, 3_000));
    expect(statesOf(end)).toEqual(['1 1 queued', '2 1 assigned', '3 1 running', '4 1 completed']);
  });

  it('holds a reader that does not read, keeps nothing for it, and serves it whole later', async () => {
    let read = 0;
    const counting = (logs: LogStore): LogStore => ({
      append: (...args) => logs.append(...args),
      read: async (...args) => {
        const found = await logs.read(...args);
        read += found.length;
        return found;
      },
      position: (...args) => logs.position(...args),
      remove: (...args) => logs.remove(...args),
    });
    const { client, alice, stage } = await openStage({ parts: ({ logs }) => ({ logs: counting(logs) }) });
    const task = await stage.started();
    const text = 'x'.repeat(1_000);
    for (let first = 1; first <= 20_000; first += 1_000) {
      await stage.print(task, lines(first, first + 999, text), 'nothing');
    }
    await stage.ended(task);
    const stream = client.stream('WatchTask', { task_id: task.id }, alice);
    await new Promise((done) => stream.once('data', done));
    stream.pause();
    let before = -1;
    await waitFor(
      () => {
        const isStill = read === before && read > 0;
        before = read;
        return isStill;
      },
      { what: 'nothing more to be read' },
    );
    // 20 MB were written. What was taken for it is what fits into windows and one page.
    expect(read).toBeLessThan(4_000);
    const seen = collect(stream);
    stream.resume();
    expect(await seen.ended).toBeNull();
    expect(seen.lines.at(-1)).toBe(`1/20000 ${text} 20000`);
  });

  it('lets go of a reader that never reads, of one that is out of time, of one that leaves', async () => {
    const { test, client, alice, stage } = await openStage({ parts: () => ({ peerIdleMs: 1_000 }) });
    const task = await stage.started();
    const text = 'x'.repeat(1_000);
    for (let first = 1; first <= 20_000; first += 1_000) {
      await stage.print(task, lines(first, first + 999, text), 'nothing');
    }
    const stuck = await paused(client.stream('WatchTask', { task_id: task.id }, alice));
    // It is told once it reads again, and goes on.
    await waitFor(() => test.api.grpcWatches === 1, { what: 'the watch' });
    const late = collect(client.stream('WatchTask', { task_id: task.id }, alice, Date.now() + 1_500));
    expect((await late.ended)?.code).toBe(status.DEADLINE_EXCEEDED);
    const gone = client.stream('WatchTask', { task_id: task.id }, alice);
    const cancelled = collect(gone);
    await waitFor(() => cancelled.lines.length >= 3_000, { what: 'some lines' });
    gone.cancel();
    expect((await cancelled.ended)?.code).toBe(status.CANCELLED);
    const seen = collect(stuck);
    stuck.resume();
    expect(await seen.ended).toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining('nothing was read'),
    });
    expect(seen.lines.length).toBeLessThan(20_000);
    await waitFor(() => test.api.grpcWatches === 0, { what: 'all watches to be let go' });
    const last = seen.next;
    await stage.ended(task);
    const rest = collect(client.stream('WatchTask', { task_id: task.id, ...last }, alice));
    expect(await rest.ended).toBeNull();
    expect(rest.lines[0]).toBe(`1/${last.from_seq} ${text} ${last.from_seq}`);
  });

  it('ends when the token is taken back', async () => {
    const { test, client, alice, stage } = await openStage();
    const made = await test.call<{ token_id: string; token: string }>('POST', '/api/auth/tokens', {
      as: alice,
      body: { name: 'n' },
    });
    const task = await stage.started();
    const seen = collect(client.stream('WatchTask', { task_id: task.id }, made.body.token));
    await waitFor(() => seen.states.length === 3, { what: 'the states' });
    await test.call('DELETE', `/api/auth/tokens/${made.body.token_id}`, { as: alice });
    expect(await seen.ended).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining('taken back'),
    });
  });
});

describe('WatchTelemetry', () => {
  it('shows the cluster at once and then each second, to many alike', async () => {
    const { test, client, stage } = await openStage();
    await stage.queued();
    const seen: Answer[][] = [[], [], []];
    const streams = seen.map((ticks) => {
      const stream = client.stream('WatchTelemetry');
      stream.on('data', (tick) => ticks.push(tick));
      stream.on('error', () => undefined);
      return stream;
    });
    await waitFor(() => seen.every((ticks) => ticks.length >= 3), { what: 'three looks for each' });
    expect(seen[0]?.[0]).toMatchObject({ queue_depth: 1, tasks_by_state: { queued: 1 } });
    const times = seen[0]?.map(({ at }) => at.seconds * 1_000 + at.nanos / 1e6) ?? [];
    expect(new Set(times).size).toBe(times.length);
    for (const stream of streams) stream.cancel();
    await waitFor(() => test.api.grpcWatches === 0, { what: 'all to be let go' });
  });
});

/** It has begun, and reads no more. */
async function paused(stream: ClientReadableStream<Answer>): Promise<ClientReadableStream<Answer>> {
  await new Promise((done) => stream.once('data', done));
  stream.pause();
  return stream;
}

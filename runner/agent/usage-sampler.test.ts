import { afterEach, describe, expect, it } from 'vitest';
import type { ContainerUsage } from '../../shared/model/usage.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { collectLive } from '../../test/support/live-collectors.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { attemptUsage } from '../core/usage-fold.ts';
import { type Measured, UsageSampler } from './usage-sampler.ts';

const samplers: UsageSampler[] = [];
afterEach(() => {
  for (const sampler of samplers.splice(0)) sampler.stop();
});

interface Told {
  room: string;
  event: string;
  body: unknown;
}

function samplerOf(measure: (id: string) => Promise<ContainerUsage | null>, everyMs = 20) {
  const told: Told[] = [];
  const board = collectLive().parts.usage;
  const sampler = new UsageSampler({
    everyMs,
    runtime: { measure },
    rooms: { emit: (room, event, body) => told.push({ room, event, body }) },
    board,
    random: () => 0.5,
    log: silentLog(),
  });
  samplers.push(sampler);
  return { sampler, told, board };
}

function running(id: string): Measured & { seen: { state: string } } {
  return {
    key: { taskId: `task-${id}`, attempt: 2 },
    seen: { id, state: 'running', startedAt: 500 },
    usage: null,
    series: null,
  };
}

const usage = (n: number): ContainerUsage => ({
  at: 1_000 * n,
  cpuMs: 250 * n,
  memoryMb: 10 * n,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
});

describe('the usage sampler', () => {
  it('folds what it sees and tells it, until the container has ended', async () => {
    let looks = 0;
    const { sampler, told } = samplerOf(async () => usage(++looks));
    const attempt = running('a');
    sampler.watch(attempt);
    sampler.watch(attempt);
    await waitFor(() => told.length >= 3, { what: 'three samples' });
    attempt.seen.state = 'exited';
    expect(told.slice(0, 2)).toEqual([
      {
        room: 'task:task-a',
        event: 'task:usage',
        body: { task_id: 'task-a', attempt: 2, at: '1970-01-01T00:00:01.000Z', cpu: 0.5, memory: 10 },
      },
      {
        room: 'task:task-a',
        event: 'task:usage',
        body: { task_id: 'task-a', attempt: 2, at: '1970-01-01T00:00:02.000Z', cpu: 0.25, memory: 20 },
      },
    ]);
    expect(attemptUsage(attempt.usage!)).toMatchObject({ samples: looks, cpuMeanMillis: 250 });
    const other = running('b');
    sampler.watch(other);
    await waitFor(() => other.usage !== null, { what: 'a look at the other container' });
    expect(attempt.usage?.samples).toBe(told.filter(({ room }) => room === 'task:task-a').length);
  });

  it('keeps what it sees over time, for watchers who come later and for the record', async () => {
    let looks = 0;
    const { sampler, told, board } = samplerOf(async () => usage(++looks));
    const attempt = running('a');
    sampler.watch(attempt);
    await waitFor(() => told.length >= 12, { what: 'twelve samples' });
    attempt.seen.state = 'exited';
    const { startAt, points } = attempt.series!;
    expect(startAt).toBe(500);
    expect(points.reduce((count, [, samples]) => count + samples, 0)).toBe(looks);
    const noted = await board.get('task-a', 2);
    expect(noted?.startAt).toBe(500);
    expect(noted!.points.length).toBeGreaterThan(0);
  });

  it('goes on where the runner before it was', async () => {
    let looks = 100;
    const { sampler, told, board } = samplerOf(async () => usage(++looks));
    await board.set('task-a', 2, { startAt: 500, stepMs: 1_000, points: [[3, 1, 400, 50]] });
    const attempt = running('a');
    sampler.watch(attempt);
    await waitFor(() => told.length >= 3, { what: 'three samples' });
    attempt.seen.state = 'exited';
    // The first look tells of the whole past of the container: no point is made of it.
    expect(attempt.series?.points.slice(0, 2)).toEqual([
      [3, 1, 400, 50],
      [101, 1, 250, 1_020],
    ]);
  });

  it('looks at no more than two at a time, and at all of them in turn', async () => {
    let now = 0;
    let most = 0;
    const seen = new Set<string>();
    const { sampler } = samplerOf(async (id) => {
      now += 1;
      most = Math.max(most, now);
      seen.add(id);
      await new Promise(setImmediate);
      now -= 1;
      return usage(1);
    });
    for (let n = 0; n < 20; n += 1) sampler.watch(running(`c${n}`));
    await waitFor(() => seen.size === 20, { what: 'a look at each' });
    expect(most).toBe(2);
  });

  it('goes on after faults and containers that cannot be measured', async () => {
    const answers = [() => Promise.reject(new Error('away')), async () => null, async () => usage(1)];
    let looks = 0;
    const { sampler, told } = samplerOf(() => (answers[Math.min(looks++, 2)] as () => Promise<null>)());
    sampler.watch(running('d'));
    await waitFor(() => told.length > 0, { what: 'a sample' });
    expect(looks).toBeGreaterThanOrEqual(3);
  });

  it('is off at 0, and silent once stopped', async () => {
    let looks = 0;
    const off = samplerOf(async () => usage(++looks), 0).sampler;
    off.watch(running('e'));
    let answer: (sample: ContainerUsage) => void = () => undefined;
    const { sampler, told } = samplerOf(
      () =>
        new Promise((done) => {
          answer = done;
          looks += 1;
        }),
    );
    sampler.watch(running('f'));
    await waitFor(() => looks === 1, { what: 'the look' });
    sampler.stop();
    answer(usage(1));
    await new Promise(setImmediate);
    expect(told).toEqual([]);
  });
});

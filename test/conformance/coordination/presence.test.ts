import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { NO_USAGE } from '../../../shared/model/worker.ts';
import type { Heartbeat } from '../../../shared/ports/coordination.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let runner: RedisParts;
let scheduler: RedisParts;

beforeAll(async () => {
  runner = await cluster.open();
  scheduler = await cluster.open();
});
beforeEach(() => cluster.dropKeys());
afterAll(() => cluster.close());

const beatOf = (over: Partial<Heartbeat> = {}): Heartbeat => ({
  workerId: 'worker-1',
  identity: 'machine-1',
  incarnation: 'life-1',
  usage: { ...NO_USAGE, cpuPercent: 12.5, memoryUsedMb: 100, storageUsedMb: 2_000 },
  running: ['task-a', 'task-b'],
  troubles: [{ code: 'engine_away', message: 'its Docker does not answer', since: 7 }],
  ...over,
});
const LONG = 60_000;

describe('the presence of workers', () => {
  it('shows what the last beat said and how long ago that was', async () => {
    expect(await scheduler.presence.present()).toEqual([]);
    expect(await runner.presence.beat(beatOf(), LONG, true)).toBe('ok');
    const last = beatOf({
      running: [],
      usage: { ...NO_USAGE, cpuPercent: 0, memoryUsedMb: 1, storageUsedMb: 2 },
    });
    expect(await runner.presence.beat(last, LONG, false)).toBe('ok');
    const [seen, ...others] = await scheduler.presence.present();
    expect(others).toEqual([]);
    expect(seen).toEqual({ ...last, ageMs: expect.any(Number) });
    expect(seen?.ageMs).toBeLessThan(5_000);
    const grown = 1_000;
    await waitFor(async () => ((await scheduler.presence.present())[0]?.ageMs ?? 0) >= grown, {
      what: 'the age to grow',
    });
    await runner.presence.beat(last, LONG, false);
    expect((await scheduler.presence.present())[0]?.ageMs).toBeLessThan(grown);
  });

  it('takes the age from the lease of the beat, whatever its length', async () => {
    await runner.presence.beat(beatOf(), 5_000, true);
    await runner.presence.beat(beatOf(), LONG, false);
    expect((await scheduler.presence.present())[0]?.ageMs).toBeLessThan(4_000);
  });

  it('ends when the lease expires, and leaves nothing behind', async () => {
    await runner.presence.beat(beatOf({ workerId: 'short' }), 100, true);
    await runner.presence.beat(beatOf({ workerId: 'long' }), LONG, true);
    await waitFor(async () => (await scheduler.presence.present()).length === 1, { what: 'one to expire' });
    expect((await scheduler.presence.present())[0]?.workerId).toBe('long');
    expect(await cluster.command('SMEMBERS', `${cluster.prefix}:presence`)).toEqual(['long']);
  });

  it('refuses another machine while the lease lives, even a first beat', async () => {
    await runner.presence.beat(beatOf(), LONG, true);
    const other = beatOf({ identity: 'machine-2', incarnation: 'life-2' });
    expect(await runner.presence.beat(other, LONG, true)).toBe('taken');
    expect(await runner.presence.beat(other, LONG, false)).toBe('taken');
    expect((await scheduler.presence.present())[0]?.identity).toBe('machine-1');
  });

  it('lets another machine in once the lease is gone', async () => {
    await runner.presence.beat(beatOf(), 100, true);
    const other = beatOf({ identity: 'machine-2', incarnation: 'life-2' });
    await waitFor(async () => (await runner.presence.beat(other, LONG, true)) === 'ok', {
      what: 'the lease to expire',
    });
    expect(await runner.presence.beat(beatOf(), LONG, false)).toBe('taken');
  });

  it('lets a new life of the same machine take over at once, and tells the old one', async () => {
    await runner.presence.beat(beatOf(), LONG, true);
    const young = beatOf({ incarnation: 'life-2' });
    expect(await runner.presence.beat(young, LONG, true)).toBe('ok');
    expect(await runner.presence.beat(beatOf(), LONG, false)).toBe('superseded');
    expect(await runner.presence.beat(young, LONG, false)).toBe('ok');
    expect((await scheduler.presence.present())[0]?.incarnation).toBe('life-2');
  });

  it('lets exactly one machine have an id when two come at once', async () => {
    const rivals = Array.from({ length: 20 }, (_, at) =>
      beatOf({ identity: `machine-${at}`, incarnation: `life-${at}` }),
    );
    const answers = await Promise.all(
      rivals.map((rival, at) => (at % 2 === 0 ? runner : scheduler).presence.beat(rival, LONG, true)),
    );
    expect(answers.filter((answer) => answer === 'ok')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(19);
  });

  it('lets who lost its lease back in when nobody else came', async () => {
    await runner.presence.beat(beatOf(), LONG, true);
    await cluster.dropKeys();
    expect(await scheduler.presence.present()).toEqual([]);
    expect(await runner.presence.beat(beatOf(), LONG, false)).toBe('ok');
    expect(await scheduler.presence.present()).toHaveLength(1);
  });

  it('ends at once for the life that leaves, and not for an older one', async () => {
    await runner.presence.beat(beatOf(), LONG, true);
    await runner.presence.beat(beatOf({ incarnation: 'life-2' }), LONG, true);
    await runner.presence.leave('worker-1', 'life-1');
    expect(await scheduler.presence.present()).toHaveLength(1);
    await runner.presence.leave('worker-1', 'life-2');
    expect(await scheduler.presence.present()).toEqual([]);
    await runner.presence.leave('nobody', 'life-1');
    const other = beatOf({ identity: 'machine-2' });
    expect(await runner.presence.beat(other, LONG, true)).toBe('ok');
  });

  it('holds a thousand workers', async () => {
    const ids = Array.from({ length: 1_000 }, (_, at) => `w-${String(at).padStart(4, '0')}`);
    await Promise.all(
      ids.map((workerId) => runner.presence.beat(beatOf({ workerId, identity: workerId }), LONG, true)),
    );
    const seen = await scheduler.presence.present();
    expect(seen.map(({ workerId }) => workerId).toSorted()).toEqual(ids);
  });
});

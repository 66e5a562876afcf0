import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import type { LogLine } from '../../../shared/model/log-line.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import type { LogBatch } from '../../../shared/ports/live.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
const stops: (() => Promise<void>)[] = [];
let runner: RedisParts;
let api: RedisParts;

beforeAll(async () => {
  runner = await cluster.open();
  api = await cluster.open({ patience: 'fail-fast' });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(() => cluster.close());

const line = (seq: number): LogLine => ({
  seq,
  ts: 1_700_000_000_000 + seq,
  stream: seq % 3 === 0 ? 'stderr' : 'stdout',
  line: `grüße ${seq} "€"\t`,
  ...(seq % 5 === 0 ? { more: true } : {}),
});
const batch = (firstSeq: number, lastSeq: number): LogBatch => ({
  firstSeq,
  lastSeq,
  lines: Array.from({ length: lastSeq - firstSeq + 1 }, (_, n) => line(firstSeq + n)),
});

async function listen(redis: RedisParts, taskId: string, attempt = 1, after = 0): Promise<LogBatch[]> {
  const heard: LogBatch[] = [];
  stops.push(await redis.liveLogs.tail(taskId, attempt, after, (one) => heard.push(one)));
  return heard;
}

const heardAll = (heard: readonly unknown[], count: number) =>
  waitFor(() => heard.length >= count, { what: `${count} batches` });
const lastSeqs = (heard: readonly LogBatch[]) => heard.map(({ lastSeq }) => lastSeq);

describe('live output', () => {
  it('reaches every process, whole and in order, also what was there before', async () => {
    const id = newTaskId();
    await runner.liveLogs.publish(id, 1, batch(1, 3));
    const early = await listen(api, id);
    await heardAll(early, 1);
    const more = Array.from({ length: 40 }, (_, n) => batch(4 + n * 7, 10 + n * 7));
    for (const one of more) await runner.liveLogs.publish(id, 1, one);
    const late = await listen(runner, id);
    for (const heard of [early, late]) {
      await heardAll(heard, 41);
      expect(heard).toEqual([batch(1, 3), ...more]);
    }
  });

  it('begins behind a line', async () => {
    const id = newTaskId();
    for (const seq of [1, 2, 3]) await runner.liveLogs.publish(id, 1, batch(seq * 10 - 9, seq * 10));
    const inside = await listen(api, id, 1, 15);
    const atTheEnd = await listen(api, id, 1, 30);
    await runner.liveLogs.publish(id, 1, batch(31, 31));
    await heardAll(inside, 3);
    await heardAll(atTheEnd, 1);
    expect(lastSeqs(inside)).toEqual([20, 30, 31]);
    expect(lastSeqs(atTheEnd)).toEqual([31]);
  });

  it('keeps attempts and tasks apart', async () => {
    const [one, other] = [newTaskId(), newTaskId()];
    const heard = [await listen(api, one, 1), await listen(api, one, 2), await listen(api, other, 1)];
    await runner.liveLogs.publish(one, 2, batch(1, 2));
    await runner.liveLogs.publish(other, 1, batch(1, 3));
    await runner.liveLogs.publish(one, 1, batch(1, 4));
    for (const own of heard) await heardAll(own, 1);
    expect(heard.map(lastSeqs)).toEqual([[4], [2], [3]]);
  });

  it('drops a repeat and what comes too late', async () => {
    const id = newTaskId();
    const heard = await listen(api, id);
    for (const one of [batch(1, 5), batch(1, 5), batch(3, 4), batch(6, 8)]) {
      await runner.liveLogs.publish(id, 1, one);
    }
    await heardAll(heard, 2);
    expect(heard).toEqual([batch(1, 5), batch(6, 8)]);
  });

  it('tells of lines that did not travel', async () => {
    const id = newTaskId();
    const heard = await listen(api, id);
    await runner.liveLogs.publish(id, 1, { firstSeq: 1, lastSeq: 9_000, lines: null });
    const huge = { ...line(9_001), line: 'x'.repeat(100_000) };
    await runner.liveLogs.publish(id, 1, { firstSeq: 9_001, lastSeq: 9_001, lines: [huge] });
    await heardAll(heard, 2);
    expect(heard).toEqual([
      { firstSeq: 1, lastSeq: 9_000, lines: null },
      { firstSeq: 9_001, lastSeq: 9_001, lines: null },
    ]);
  });

  it('keeps the newest 64 batches of an attempt, for an hour', async () => {
    const id = newTaskId();
    for (let seq = 1; seq <= 100; seq += 1) await runner.liveLogs.publish(id, 1, batch(seq, seq));
    const heard = await listen(api, id);
    await heardAll(heard, 64);
    expect(lastSeqs(heard)).toEqual(Array.from({ length: 64 }, (_, n) => 37 + n));
    const [key = ''] = await cluster.keys(`live:${id}:1`);
    const ttl = Number(await cluster.command('PTTL', key));
    expect(ttl).toBeGreaterThan(3_500_000);
    expect(ttl).toBeLessThanOrEqual(3_600_000);
  });

  it('passes over what it cannot read', async () => {
    const id = newTaskId();
    const key = `${cluster.prefix}:live:${id}:1`;
    const heard = await listen(api, id);
    await cluster.command('XADD', key, '1-0', 'firstSeq', 'x');
    await cluster.command('XADD', key, '2-0', 'firstSeq', '2', 'lines', '[[1,1,"a"],[1,1,"b"]]');
    await cluster.command('XADD', key, '3-0', 'firstSeq', '3', 'lines', '{');
    await runner.liveLogs.publish(id, 1, batch(4, 4));
    await heardAll(heard, 3);
    expect(heard).toEqual([
      { firstSeq: 2, lastSeq: 2, lines: null },
      { firstSeq: 3, lastSeq: 3, lines: null },
      batch(4, 4),
    ]);
  });

  it('is heard by others when one handler fails or leaves', async () => {
    const id = newTaskId();
    const left: LogBatch[] = [];
    stops.push(
      await api.liveLogs.tail(id, 1, 0, () => {
        throw new Error('a reader broke');
      }),
    );
    const leave = await api.liveLogs.tail(id, 1, 0, (one) => left.push(one));
    const heard = await listen(api, id);
    await runner.liveLogs.publish(id, 1, batch(1, 1));
    await heardAll(heard, 1);
    await leave();
    await runner.liveLogs.publish(id, 1, batch(2, 2));
    await heardAll(heard, 2);
    expect(lastSeqs(left)).toEqual([1]);
  });

  it('gives a tail that comes later, further back, all of its own', async () => {
    const id = newTaskId();
    for (const seq of [1, 2, 3]) await runner.liveLogs.publish(id, 1, batch(seq, seq));
    const first = await listen(api, id, 1, 3);
    await runner.liveLogs.publish(id, 1, batch(4, 4));
    await heardAll(first, 1);
    const second = await listen(api, id);
    await heardAll(second, 4);
    await runner.liveLogs.publish(id, 1, batch(5, 5));
    await heardAll(second, 5);
    expect([lastSeqs(first), lastSeqs(second)]).toEqual([
      [4, 5],
      [1, 2, 3, 4, 5],
    ]);
  });
});

describe('on a Redis of its own', () => {
  let own: OwnRedis;
  let far: TestCluster;
  let there: RedisParts;
  let here: RedisParts;

  beforeEach(async () => {
    own = await OwnRedis.started();
    far = new TestCluster();
    there = await far.open({ url: own.url });
    here = await far.open({ url: own.url, patience: 'fail-fast' });
  });
  afterEach(async () => {
    own.thaw();
    for (const stop of stops.splice(0)) await stop();
    await far.close();
    await own.remove();
  });

  /** Without the one that asks. */
  const connections = async () =>
    String(await own.call('CLIENT', 'LIST'))
      .trim()
      .split('\n').length - 1;
  const isHeard = (heard: readonly LogBatch[], id: string, seq: number) =>
    waitFor(
      async () => {
        await there.liveLogs.publish(id, 1, batch(seq, seq));
        return lastSeqs(heard).at(-1) === seq;
      },
      { what: `batch ${seq}`, deadlineMs: 20_000 },
    );

  it.each([1, 500, 1_200])('serves %i tails over one connection', async (count) => {
    expect(await connections()).toBe(2);
    const ids = Array.from({ length: count }, () => newTaskId());
    const heard: LogBatch[][] = [];
    for (const id of ids) heard.push(await listen(here, id));
    for (const round of [1, 2, 3]) {
      await Promise.all(ids.map((id) => there.liveLogs.publish(id, 1, batch(round, round))));
    }
    await waitFor(() => heard.every(({ length }) => length === 3), { what: 'three batches of each' });
    expect(heard.every((one) => lastSeqs(one).join() === '1,2,3')).toBe(true);
    expect(await connections()).toBe(3);
  });

  it('lets a new tail in while another one waits, and one go', async () => {
    const [quiet, busy] = [newTaskId(), newTaskId()];
    const heardNothing = await listen(here, quiet);
    await waitFor(async () => String(await own.call('CLIENT', 'LIST')).includes('cmd=xread'), {
      what: 'a blocked read',
    });
    const heard: LogBatch[] = [];
    const leave = await here.liveLogs.tail(busy, 1, 0, (one) => heard.push(one));
    await there.liveLogs.publish(busy, 1, batch(1, 1));
    // Far sooner than the blocked read would have ended by itself.
    await waitFor(() => heard.length === 1, { what: 'the first batch', deadlineMs: 2_500 });
    await leave();
    await there.liveLogs.publish(busy, 1, batch(2, 2));
    await there.liveLogs.publish(quiet, 1, batch(1, 1));
    await heardAll(heardNothing, 1);
    expect(lastSeqs(heard)).toEqual([1]);
  });

  it('goes on where it was after a restart and after being emptied', async () => {
    const id = newTaskId();
    const heard = await listen(here, id);
    for (const seq of [1, 2, 3]) await there.liveLogs.publish(id, 1, batch(seq, seq));
    await heardAll(heard, 3);

    await own.kill();
    await there.liveLogs.publish(id, 1, batch(4, 4));
    const during = await listen(here, id);
    await own.start();
    await isHeard(heard, id, 5);
    await isHeard(during, id, 5);

    await own.call('FLUSHALL');
    await isHeard(heard, id, 6);
    expect(lastSeqs(heard)).toEqual([1, 2, 3, 5, 6]);
    expect(lastSeqs(during)).toEqual([5, 6]);
  });

  it('outlives a Redis that is silent', async () => {
    const id = newTaskId();
    const heard = await listen(here, id);
    await isHeard(heard, id, 1);
    own.freeze();
    const start = performance.now();
    await there.liveLogs.publish(id, 1, batch(2, 2));
    expect(performance.now() - start).toBeLessThan(8_000);
    own.thaw();
    await isHeard(heard, id, 3);
    expect(lastSeqs(heard).filter((seq) => seq !== 2)).toEqual([1, 3]);
  });

  it('closes at once, blocked or without Redis, and hears nothing more', async () => {
    const id = newTaskId();
    const heard = await listen(here, id);
    await isHeard(heard, id, 1);
    const others = await Promise.all([1, 2, 3, 4].map(() => far.open({ url: own.url })));
    for (const other of others) await isHeard(await listen(other, id), id, 1);
    const start = performance.now();
    await others[0]?.close();
    await own.kill();
    await waitFor(() => here.ping().catch(() => true), { what: 'the outage to be noticed' });
    await Promise.all([here, ...others].map((one) => one.close()));
    expect(performance.now() - start).toBeLessThan(5_000);
    await own.start();
    await there.ping();
    await there.liveLogs.publish(id, 1, batch(2, 2));
    expect(lastSeqs(heard)).toEqual([1]);
  });
});

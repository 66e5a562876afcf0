import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let scheduler: RedisParts;
let api: RedisParts;

beforeAll(async () => {
  scheduler = await cluster.open();
  api = await cluster.open();
});
beforeEach(() => cluster.dropKeys());
afterAll(() => cluster.close());

const PLENTY = 1_000_000;
const line = (n: number, length = 100) => `{"n":${n},"who":"grüße"}`.padEnd(length, ' ');
const linesOf = async (redis: RedisParts, after?: string, limit = 1_000) =>
  (await redis.decisions.read({ after, limit })).map((entry) => entry.line);

describe('the log of decisions', () => {
  it('gives to every process what was appended, oldest first', async () => {
    expect(await api.decisions.newest()).toBeNull();
    expect(await linesOf(api)).toEqual([]);
    await scheduler.decisions.append([line(1), line(2)], PLENTY);
    await scheduler.decisions.append([], PLENTY);
    await scheduler.decisions.append([line(3)], PLENTY);
    expect(await linesOf(api)).toEqual([line(1), line(2), line(3)]);
    expect((await api.decisions.newest())?.entries).toBe(3);
  });

  it('goes on from any entry, in pages', async () => {
    const all = Array.from({ length: 25 }, (_, n) => line(n));
    await scheduler.decisions.append(all, PLENTY);
    const seen: string[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await api.decisions.read({ after, limit: 10 });
      expect(page.length).toBeLessThanOrEqual(10);
      if (page.length === 0) break;
      seen.push(...page.map((entry) => entry.line));
      after = page.at(-1)?.id;
    }
    expect(seen).toEqual(all);
    expect((await api.decisions.newest())?.id).toBe(after);
    await scheduler.decisions.append([line(25)], PLENTY);
    expect(await linesOf(api, after)).toEqual([line(25)]);
  });

  it('lets the oldest go that are more than the bound together, however long each is', async () => {
    const bytes = (text: string) => Buffer.byteLength(text);
    const all = Array.from({ length: 60 }, (_, n) => line(n, 30 + ((n * 37) % 200)));
    for (const one of all) await scheduler.decisions.append([one], 2_000);
    const kept = await linesOf(api);
    expect(kept).toEqual(all.slice(-kept.length));
    const size = kept.reduce((sum, one) => sum + bytes(one), 0);
    expect(size).toBeLessThanOrEqual(2_000 + Math.max(...all.map(bytes)));
    expect(size).toBeGreaterThan(2_000 - Math.max(...all.map(bytes)));
    // A smaller bound holds from the next entry on; the newest stays even when it is more by itself.
    await scheduler.decisions.append([line(60, 500)], 10);
    expect(await linesOf(api)).toEqual([line(60, 500)]);
  });

  it('takes more lines than one command carries', async () => {
    const all = Array.from({ length: 2_500 }, (_, n) => line(n, 1_000));
    await scheduler.decisions.append([...all, line(-1, 1_500_000)], 10_000_000);
    expect((await api.decisions.newest())?.entries).toBe(2_501);
    expect(await linesOf(api, undefined, 2)).toEqual(all.slice(0, 2));
    expect(await linesOf(api, undefined, 3_000)).toEqual([...all, line(-1, 1_500_000)]);
  });

  it('begins anew above the old ids after Redis was emptied', async () => {
    await scheduler.decisions.append([line(1), line(2)], PLENTY);
    const before = await api.decisions.newest();
    await cluster.dropKeys();
    expect(await api.decisions.newest()).toBeNull();
    await scheduler.decisions.append([line(3)], PLENTY);
    expect(await linesOf(api)).toEqual([line(3)]);
    expect(await linesOf(api, before?.id)).toEqual([line(3)]);
  });

  it('says that Redis is away', async () => {
    const own = await OwnRedis.prepare();
    onTestFinished(() => own.remove());
    const redis = await cluster.open({ url: own.url, patience: 'fail-fast' });
    const away = { code: 'queue_unavailable' };
    await expect(redis.decisions.append([line(1)], PLENTY)).rejects.toMatchObject(away);
    await expect(redis.decisions.read({ limit: 1 })).rejects.toMatchObject(away);
    await expect(redis.decisions.newest()).rejects.toMatchObject(away);
    await redis.close();
  });
});

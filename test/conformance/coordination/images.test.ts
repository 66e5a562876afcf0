import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import type { PresentImage } from '../../../shared/model/image.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let runner: RedisParts;
let api: RedisParts;

beforeAll(async () => {
  runner = await cluster.open();
  api = await cluster.open();
});
beforeEach(() => cluster.dropKeys());
afterAll(() => cluster.close());

const KEPT_MS = 60_000;
const python: PresentImage = { name: 'python:3.9', sizeBytes: 912_000_000 };
const busybox: PresentImage = { name: 'cloudai/busybox:local', sizeBytes: null };

async function listed(): Promise<Record<string, readonly PresentImage[]>> {
  const lists = await api.images.all();
  return Object.fromEntries(lists.map(({ workerId, images }) => [workerId, images]));
}

describe('the board of images', () => {
  it('shows the newest list of each worker to every process', async () => {
    expect(await api.images.all()).toEqual([]);
    await runner.images.post('w1', [busybox], KEPT_MS);
    await runner.images.post('w1', [busybox, python], KEPT_MS);
    await runner.images.post('w2', [], KEPT_MS);
    expect(await listed()).toEqual({ w1: [busybox, python], w2: [] });
  });

  it('forgets a worker that tells nothing any more, and only that one', async () => {
    await runner.images.post('w1', [python], 50);
    await runner.images.post('w2', [python], KEPT_MS);
    await waitFor(async () => !('w1' in (await listed())), { what: 'the list of w1 to go' });
    expect(await listed()).toEqual({ w2: [python] });
    expect(await cluster.command('SMEMBERS', `${cluster.prefix}:images`)).toEqual(['w2']);
    await runner.images.post('w1', [python], KEPT_MS);
    expect(Object.keys(await listed()).sort()).toEqual(['w1', 'w2']);
  });

  it('keeps a list for longer when it is told again', async () => {
    await runner.images.post('w1', [python], 1_000);
    await runner.images.post('w1', [python], KEPT_MS);
    const left = Number(await cluster.command('PTTL', `${cluster.prefix}:images:w1`));
    expect(left).toBeGreaterThan(1_000);
    expect(left).toBeLessThanOrEqual(KEPT_MS);
  });

  it('gives equal lists equal versions, and reads only what it does not know', async () => {
    await runner.images.post('w1', [python], KEPT_MS);
    await runner.images.post('w2', [python], KEPT_MS);
    await runner.images.post('w3', [busybox], KEPT_MS);
    const known = await api.images.all();
    const version = (id: string) => known.find(({ workerId }) => workerId === id)?.version;
    expect(version('w1')).toBe(version('w2'));
    expect(version('w1')).not.toBe(version('w3'));
    await runner.images.post('w3', [python, busybox], KEPT_MS);
    // What is known is not looked at again: another list under the same version goes unseen.
    await cluster.command('HSET', `${cluster.prefix}:images:w1`, 'list', '[["other:1",1]]');
    const again = await api.images.all(known);
    const imagesOf = (id: string) => again.find(({ workerId }) => workerId === id)?.images;
    expect(imagesOf('w1')).toBe(known.find(({ workerId }) => workerId === 'w1')?.images);
    expect(imagesOf('w3')).toEqual([python, busybox]);
  });

  it('gives those of a thousand workers', async () => {
    const ids = Array.from({ length: 1_003 }, (_, n) => `worker-${n}`);
    await Promise.all(
      ids.map((id, n) => runner.images.post(id, [{ name: `own:${n % 200}`, sizeBytes: n % 200 }], KEPT_MS)),
    );
    const lists = await listed();
    expect(Object.keys(lists).sort()).toEqual(ids.toSorted());
    expect(lists['worker-777']).toEqual([{ name: 'own:177', sizeBytes: 177 }]);
  });

  it('leaves out what it cannot read', async () => {
    await runner.images.post('w1', [python], KEPT_MS);
    await runner.images.post('w2', [busybox], KEPT_MS);
    await cluster.command('HSET', `${cluster.prefix}:images:w2`, 'version', 'x', 'list', '[["half');
    expect(await listed()).toEqual({ w1: [python] });
  });

  it('says that Redis is away', async () => {
    const own = await OwnRedis.prepare();
    onTestFinished(() => own.remove());
    const redis = await cluster.open({ url: own.url, patience: 'fail-fast' });
    await expect(redis.images.all()).rejects.toMatchObject({ code: 'queue_unavailable' });
    await expect(redis.images.post('w1', [], 1_000)).rejects.toMatchObject({ code: 'queue_unavailable' });
    await redis.close();
  });
});

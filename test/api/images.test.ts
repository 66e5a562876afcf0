// /api/images: over the workers that are up, and at little cost.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { mergeImages } from '../../api/services/worker-images.ts';
import type { ImageListReply } from '../../shared/contracts/images.ts';
import { makeRegistration } from '../support/tasks.ts';
import { openTestApi, type Person, type TestApi } from './harness.ts';

let test: TestApi;
let user: Person;
let reads = 0;

beforeAll(async () => {
  test = await openTestApi({
    parts: ({ images }) => ({
      images: {
        post: (...args) => images.post(...args),
        all: (known) => {
          reads += 1;
          return images.all(known);
        },
      },
    }),
  });
  await test.signUp('root');
  user = await test.signUp('alice');
});
afterAll(() => test?.close());

it('lists what workers have that are up, once for all who ask in a while', async () => {
  const { workers } = test.store;
  for (const id of ['w1', 'w2', 'w3']) await workers.register(makeRegistration({ id }));
  await workers.setLiveness('w3', 'down', 5);
  const python = { name: 'python:3.9', sizeBytes: 900 };
  await test.redis.images.post('w2', [{ name: 'a:1', sizeBytes: null }, python], 60_000);
  await test.redis.images.post('w1', [python], 60_000);
  await test.redis.images.post('w3', [{ name: 'lost:1', sizeBytes: 1 }, python], 60_000);
  // Removed from the cluster, and its list is still there.
  await test.redis.images.post('w9', [python], 60_000);
  const ask = () => test.call<ImageListReply>('GET', '/api/images', { as: user });
  const expected = {
    images: [
      { image: 'python:3.9', size_bytes: 900, workers: ['w1', 'w2'], worker_count: 2 },
      { image: 'a:1', size_bytes: null, workers: ['w2'], worker_count: 1 },
    ],
  };
  const replies = await Promise.all([ask(), ask()]);
  expect(replies.map(({ status, body }) => ({ status, body }))).toEqual([
    { status: 200, body: expected },
    { status: 200, body: expected },
  ]);
  expect(reads).toBe(1);
});

it('names twenty of a thousand workers and counts them all', () => {
  const images = [{ name: 'a:1', sizeBytes: 5 }];
  const lists = Array.from({ length: 1_000 }, (_, n) => ({
    workerId: `w${n + 1_000}`,
    version: 'v',
    images,
  }));
  const [body] = mergeImages(lists.toReversed());
  expect(body).toMatchObject({ image: 'a:1', worker_count: 1_000, size_bytes: 5 });
  expect(body?.workers).toEqual(Array.from({ length: 20 }, (_, n) => `w${n + 1_000}`));
});

it('shows at most a thousand images, those on most workers', () => {
  const many = Array.from({ length: 1_500 }, (_, n) => ({ name: `m:${n + 1_000}`, sizeBytes: null }));
  const both = { name: 'z:1', sizeBytes: null };
  const images = mergeImages([
    { workerId: 'w1', version: '1', images: [...many, both] },
    { workerId: 'w2', version: '2', images: [both] },
  ]);
  expect(images).toHaveLength(1_000);
  expect(images[0]).toMatchObject({ image: 'z:1', workers: ['w1', 'w2'] });
});

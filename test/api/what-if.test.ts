// /api/whatif: the answer is the scheduler's own, and nothing is submitted.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundStore } from '../../scheduler/bounded-store.ts';
import { ClusterIndex } from '../../scheduler/cluster-index.ts';
import { plan } from '../../scheduler/core/plan.ts';
import { NO_MEMORY } from '../../scheduler/core/snapshot.ts';
import type { WhatIfReply } from '../../shared/contracts/what-if.ts';
import { assignTask } from '../../shared/model/task-life.ts';
import { NO_QUOTA } from '../../shared/model/user.ts';
import { makeRegistration, makeTask } from '../support/tasks.ts';
import { BARE } from '../support/waiting.ts';
import { countTasks, openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let root: Person;
let alice: Person;

beforeAll(async () => {
  test = await openTestApi({ env: { IMAGE_ALLOW: 'ubuntu*' } });
  root = await test.signUp('root');
  alice = await test.signUp('alice');
  // 4 cores and 8 GB each.
  for (const id of ['worker-1', 'worker-2']) await test.store.workers.register(makeRegistration({ id }));
  const held = makeTask({ resources: { cpuMillis: 3_000, memoryMb: 1_024, gpus: 0, storageMb: 0 } });
  await test.store.tasks.insert([held]);
  const step = assignTask(held, { workerId: 'worker-1', term: 1, now: 1 });
  if (!step.ok || !(await test.store.tasks.commit(step.task))) throw new Error('not placed');
});
afterAll(() => test?.close());

const image = 'ubuntu:latest';
const ask = (body: object, as: Person | null = alice) =>
  test.call<WhatIfReply & Refused>('POST', '/api/whatif', { as, body });
const fields = ({ body }: { body: Refused }) => body.details.map(({ field }) => field).sort();

describe('a question', () => {
  it('is answered with where tasks go, and what that does to the workers', async () => {
    const { status, body } = await ask({ tasks: [{ docker_image: image, count: 7 }] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ placed: 5, waiting: 2, never: 0, behind: 0, more: false });
    expect(body.tasks).toEqual([
      {
        index: 0,
        count: 7,
        placed: 5,
        waiting: 2,
        verdict: 'waits',
        reason: 'no_room',
        summary: expect.stringMatching(/^5 of 7 would be placed now\. The next one waits: needs 1 core/),
        workers: [
          { worker_id: 'worker-2', count: 4 },
          { worker_id: 'worker-1', count: 1 },
        ],
      },
    ]);
    expect(body.workers[0]).toEqual({
      worker_id: 'worker-1',
      added: false,
      state: 'ready',
      capacity: { cpu: 4, memory: 8192, gpu: 0, storage: 100_000 },
      before: {
        reserved: { cpu: 3, memory: 1024, gpu: 0, storage: 0 },
        free: { cpu: 1, memory: 7168, gpu: 0, storage: 100_000 },
      },
      after: {
        reserved: { cpu: 4, memory: 1536, gpu: 0, storage: 0 },
        free: { cpu: 0, memory: 6656, gpu: 0, storage: 100_000 },
      },
      placed: 1,
      placed_ahead: 0,
    });
  });

  it('submits nothing', async () => {
    const before = await countTasks(test.store);
    await ask({ tasks: [{ docker_image: image, count: 10_000 }] });
    expect(await countTasks(test.store)).toBe(before);
  });

  it('may add workers, leave some out and close others', async () => {
    const tasks = [
      { docker_image: image, gpu_required: 1, count: 3 },
      { docker_image: image, worker: 'worker-2' },
      { docker_image: image, worker: 'worker-1' },
    ];
    expect((await ask({ tasks })).body).toMatchObject({ placed: 2, waiting: 0, never: 3 });
    const { body } = await ask({
      tasks,
      add_workers: [{ cpu: 8, memory: 32_768, gpu: 2, count: 2 }],
      without: ['worker-2'],
      cordon: ['worker-1'],
    });
    expect(body).toMatchObject({ placed: 3, waiting: 1, never: 1 });
    expect(body.tasks.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['now', null],
      ['never', 'worker_unknown'],
      ['waits', 'worker_cordoned'],
    ]);
    expect(body.workers.map(({ worker_id, added, state }) => [worker_id, added, state])).toEqual([
      ['worker-1', false, 'cordoned'],
      ['added-1', true, 'ready'],
      ['added-2', true, 'ready'],
    ]);
  });

  it('is behind what waits with the same or a higher priority, whoever it belongs to, and names none of it', async () => {
    const before = Date.now() - 1_000;
    const times = { submittedAt: before, queuedAt: before };
    // Of the same priority the owner who holds less would go first: these two are of one and the same.
    const waiting = [
      ...[5, 5].map((priority) => makeTask({ priority }, { ...times, ownerId: alice.id })),
      ...[7, 1].map((priority) => makeTask({ priority }, times)),
    ];
    await test.store.tasks.insert(waiting);
    try {
      const { body, text } = await ask({ tasks: [{ docker_image: image, count: 5 }] });
      expect(body).toMatchObject({ placed: 2, waiting: 3, behind: 3 });
      expect(body.workers.reduce((sum, { placed_ahead }) => sum + placed_ahead, 0)).toBe(3);
      for (const { id } of waiting) expect(text).not.toContain(id);
      const urgent = await ask({ tasks: [{ docker_image: image, count: 5, priority: 9 }] });
      expect(urgent.body).toMatchObject({ placed: 5, waiting: 0, behind: 0 });
    } finally {
      const next = waiting.map((task) => assignTask(task, { workerId: 'gone', term: 2, now: 2 }));
      for (const step of next) if (step.ok) await test.store.tasks.commit(step.task);
    }
  });

  it('agrees with what the scheduler would do with the same tasks', async () => {
    const sizes = [
      { cpu_required: 0.5, count: 3, priority: 5, worker: '' },
      { cpu_required: 2, count: 2, priority: 7, worker: '' },
      { cpu_required: 1, count: 2, priority: 5, worker: 'worker-1' },
    ].map((one) => ({ docker_image: image, ...one }));
    const { body } = await ask({ tasks: sizes });
    const index = new ClusterIndex(boundStore(test.store), () => ({ medianMs: 300_000 }));
    await index.load(Date.now, () => true);
    const now = Date.now();
    const owner = new Map<string, number>();
    sizes.forEach(({ count, cpu_required, priority, worker }, place) => {
      for (let copy = 0; copy < count; copy += 1) {
        const resources = { cpuMillis: cpu_required * 1_000, memoryMb: 512, gpus: 0, storageMb: 0 };
        const task = makeTask(
          { priority, worker: worker || null, resources },
          { ownerId: alice.id, submittedAt: now, queuedAt: now },
        );
        owner.set(task.id, place);
        index.learn(task, Date.now());
      }
    });
    const made = plan(
      {
        workers: index.ledger.views(),
        groups: index.backlog.groups(),
        ...BARE,
        owners: index.ledger.owners(),
        memory: { ...NO_MEMORY, recent: ['worker-1'] },
        limit: 100,
      },
      Date.now(),
      0,
    );
    const placed = sizes.map(
      (_, place) => made.placements.filter(({ taskId }) => owner.get(taskId) === place).length,
    );
    expect(body.tasks.map((task) => task.placed)).toEqual(placed);
  });
});

describe('a question about labels, quotas and tasks that are there', () => {
  it('gives added workers labels', async () => {
    const tasks = [{ docker_image: image, constraints: { disk: 'ssd' }, count: 2 }];
    const { body } = await ask({ tasks });
    expect(body.tasks[0]).toMatchObject({ verdict: 'never', reason: 'labels_missing' });
    const added = { cpu: 1, memory: 1_024, count: 2 };
    const with2 = await ask({
      tasks,
      add_workers: [
        { ...added, labels: { disk: 'ssd' } },
        { ...added, labels: { disk: 'hdd' } },
      ],
    });
    expect(with2.body.tasks[0]).toMatchObject({ verdict: 'now', placed: 2 });
    expect(with2.body.workers.filter(({ placed }) => placed > 0).map(({ worker_id }) => worker_id)).toEqual([
      'added-1',
      'added-2',
    ]);
  });

  it('keeps to the quota of whoever asks', async () => {
    const carol = await test.join('carol', { quota: { ...NO_QUOTA, cpuMillis: 2_000 } });
    const { body } = await ask({ tasks: [{ docker_image: image, count: 3 }] }, carol);
    expect(body).toMatchObject({ placed: 2, waiting: 1 });
    expect(body.tasks[0]).toMatchObject({ reason: 'quota_used' });
    expect(body.tasks[0]?.summary).toContain('you hold 2 of your 2 cores');
  });

  it('may name a task that is there; admins any, users their own', async () => {
    const own = makeTask(
      { resources: { cpuMillis: 2_000, memoryMb: 512, gpus: 0, storageMb: 0 } },
      { ownerId: alice.id, state: 'failed' },
    );
    await test.store.tasks.insert([own]);
    const { status, body } = await ask({ tasks: [{ task_id: own.id, count: 4 }] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ placed: 2, waiting: 2 });
    const bob = await test.join('bob');
    const nowhere = makeTask().id;
    const tasks = [
      { docker_image: image },
      { task_id: own.id },
      { task_id: nowhere },
      { docker_image: 'alpine:latest' },
    ];
    const refused = await ask({ tasks }, bob);
    expect([refused.status, fields(refused)]).toEqual([
      400,
      ['tasks.1.task_id', 'tasks.2.task_id', 'tasks.3.docker_image'],
    ]);
    // A task of others is told apart from none by nothing.
    const [theirs, none] = [own.id, nowhere].map((id) =>
      refused.body.details.find(({ message }) => message.includes(id))?.message.replace(id, ''),
    );
    expect(theirs?.replace('.1.', '.2.')).toBe(none);
    expect((await ask({ tasks: [{ task_id: own.id }] }, root)).status).toBe(200);
    const odd = await ask({ tasks: [{ task_id: 'x' }, { task_id: own.id, docker_image: image }] });
    expect(fields(odd)).toEqual(['tasks.0.task_id', 'tasks.1.docker_image']);
  });
});

describe('a bad question', () => {
  it('is refused with every fault', async () => {
    const reply = await ask({
      tasks: [{ docker_image: image, count: 0 }, { docker_image: 'A B' }, { docker_image: image, cpus: 1 }],
      add_workers: [{ cpu: 0, memory: 32_768 }, { cpu: 1 }],
      without: ['a b'],
      minus: 1,
    });
    expect(reply.status).toBe(400);
    expect(fields(reply)).toEqual([
      'add_workers.0.cpu',
      'add_workers.1.memory',
      'minus',
      'tasks.0.count',
      'tasks.1.docker_image',
      'tasks.2.cpus',
      'without.0',
    ]);
  });

  it('names workers that are not there and images that are not allowed', async () => {
    const reply = await ask({
      tasks: [{ docker_image: image }, { docker_image: 'alpine:latest' }],
      without: ['worker-1', 'worker-9'],
      cordon: ['worker-8'],
    });
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(fields(reply)).toEqual(['cordon.0', 'tasks.1.docker_image', 'without.1']);
    expect(JSON.stringify(reply.body.details)).toContain('worker-9');
  });

  it.each<[string, object, string]>([
    ['no tasks', { tasks: [] }, 'tasks'],
    ['too many tasks', { tasks: Array(2).fill({ docker_image: image, count: 5_001 }) }, 'tasks'],
    [
      'too many workers',
      { tasks: [{ docker_image: image }], add_workers: Array(2).fill({ cpu: 1, memory: 64, count: 5_001 }) },
      'add_workers',
    ],
    [
      'too many sizes for so many workers',
      {
        tasks: Array.from({ length: 200 }, (_, n) => ({ docker_image: image, memory_required: 64 + n })),
        add_workers: [{ cpu: 1, memory: 64, count: 10_000 }],
      },
      'tasks',
    ],
  ])('is refused with %s', async (_what, body, field) => {
    const reply = await ask(body);
    expect([reply.status, fields(reply)]).toEqual([400, [field]]);
  });

  it('is refused without a sign-in', async () => {
    expect((await ask({ tasks: [{ docker_image: image }] }, null)).status).toBe(401);
  });
});

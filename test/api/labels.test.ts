// What a submission demands of labels, from the door to the record and back; and what an attempt tells of having to leave.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentHash } from '../../api/services/canonical.ts';
import type { BatchReply, TaskBody, TaskListReply } from '../../shared/contracts/http.ts';
import { assignTask, evictTask, type Step, startTask } from '../../shared/model/task-life.ts';
import { makeSpec, makeTask } from '../support/tasks.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let alice: Person;

beforeAll(async () => {
  test = await openTestApi();
  alice = await test.signUp('alice');
});
afterAll(() => test?.close());

type Reply = TaskBody & BatchReply & Refused;
const submit = (body: unknown, headers: Record<string, string> = {}) =>
  test.call<Reply>('POST', '/api/tasks', { as: alice, body, headers });
const image = { docker_image: 'ubuntu:latest' };
const labels = { constraints: { disk: ['ssd', 'nvme'], rack: '7' }, prefer: { zone: 'a' } };

describe('labels', () => {
  it('stand in the record and come back as they are written', async () => {
    const { status, body } = await submit({ ...image, ...labels, prefer: { zone: ['a'] } });
    expect(status).toBe(201);
    expect(body).toMatchObject(labels);
    expect((await test.store.tasks.get(body.task_id))?.spec).toMatchObject({
      constraints: { disk: ['ssd', 'nvme'], rack: ['7'] },
      prefer: { zone: ['a'] },
    });
    const path = `/api/tasks/${body.task_id}`;
    expect((await test.call<TaskBody>('GET', path, { as: alice })).body).toMatchObject(labels);
    const list = await test.call<TaskListReply>('GET', '/api/tasks?limit=1', { as: alice });
    expect(list.body.tasks[0]).toMatchObject(labels);
    const retried = await test.call<TaskBody>('POST', `${path}/retry`, { as: alice });
    expect(retried).toMatchObject({ status: 201, body: labels });
  });

  it('are none when nothing is said', async () => {
    expect((await submit(image)).body).toMatchObject({ constraints: {}, prefer: {} });
  });

  it('are each task’s own in a batch', async () => {
    const tasks = [{ ...image, ...labels }, image];
    const { body } = await test.call<Reply>('POST', '/api/tasks/batch', { as: alice, body: { tasks } });
    expect(body.tasks).toMatchObject([labels, { constraints: {}, prefer: {} }]);
  });

  it('are part of what an idempotency key stands for, but not where there are none', async () => {
    const key = { 'idempotency-key': 'labels-1' };
    const first = await submit({ ...image, ...labels }, key);
    // One value is the same as a list of one, and names come in any order.
    const same = { prefer: { zone: ['a'] }, constraints: { rack: '7', disk: ['ssd', 'nvme'] } };
    const again = await submit({ ...image, ...same }, key);
    expect(again).toMatchObject({ status: 201, body: { task_id: first.body.task_id } });
    expect((await submit({ ...image, ...labels, prefer: {} }, key)).body.code).toBe('idempotency_mismatch');
    // Keys of before there were labels are good as ever.
    const plain = await submit(image, { 'idempotency-key': 'labels-2' });
    const record = await test.store.tasks.get(plain.body.task_id);
    const { constraints: _, prefer: __, mounts: ____, maxLosses: ___, ...known } = record?.spec ?? makeSpec();
    const { retryOn: a, retryOnExitCodes: b, retryDelaySeconds: c, queueTimeoutSeconds: d, ...older } = known;
    expect(record?.requestHash).toBe(contentHash([older]));
  });

  it.each<[object, string, string]>([
    [
      { constraints: { 'disk!': 'ssd' } },
      'constraints.disk!',
      '"constraints.disk!" is not a name of a label: write 1 to 63 letters, digits, ".", "_" and "-"',
    ],
    [
      { prefer: { zone: ['a', 'b c'] } },
      'prefer.zone.1',
      '"prefer.zone[1]" is not a value of a label: write 0 to 63 letters, digits, ".", "_" and "-"',
    ],
    [
      { constraints: { rack: 7 } },
      'constraints.rack',
      '"constraints.rack" must be text or a list of texts, for example "ssd" or ["ssd", "nvme"]',
    ],
    [
      { constraints: { disk: { in: ['ssd'] } } },
      'constraints.disk',
      '"constraints.disk" must be text or a list of texts, for example "ssd" or ["ssd", "nvme"]',
    ],
    [
      { constraints: 'disk=ssd' },
      'constraints',
      '"constraints" must be labels with their values, for example {"disk": "ssd"}',
    ],
    [
      { constraints: { disk: [] } },
      'constraints.disk',
      '"constraints.disk" must hold at least one value; leave the label out when any will do',
    ],
    [
      { prefer: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`l${n}`, 'a'])) },
      'prefer',
      '"prefer" must name at most 16 labels',
    ],
  ])('that are wrong are named in their place: %j', async (body, field, message) => {
    const reply = await submit({ ...image, ...body });
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(reply.body.details).toEqual([{ field, message }]);
  });

  it('that are wrong are all named', async () => {
    const reply = await submit({ ...image, constraints: { 'a b': 'x', c: 'y z' }, prefer: { d: [1, ''] } });
    expect(reply.body.details.map(({ field }) => field).sort()).toEqual([
      'constraints.a b',
      'constraints.c',
      'prefer.d.0',
    ]);
  });
});

describe('an attempt that has to leave its worker', () => {
  it('says so, with its devices, and is evicted when it has gone', async () => {
    const task = makeTask({}, { ownerId: alice.id, ownerName: 'alice' });
    await test.store.tasks.insert([task]);
    const commit = async (step: Step) => {
      if (!step.ok || !(await test.store.tasks.commit(step.task))) throw new Error('not committed');
      return step.task;
    };
    const read = async () =>
      (await test.call<TaskBody>('GET', `/api/tasks/${task.id}`, { as: alice })).body.attempts;
    const of = { attempt: 1, workerId: 'w-1' };
    const gpuIds = ['gpu-1', 'gpu-3'];
    const eviction = { requestedAt: 5_000, cause: 'drained', message: 'w-1 is being emptied' } as const;
    const told = {
      requested_at: '1970-01-01T00:00:05.000Z',
      cause: 'drained',
      message: 'w-1 is being emptied',
    };
    const placed = await commit(assignTask(task, { workerId: 'w-1', gpuIds, term: 1, now: 1 }));
    expect(await read()).toMatchObject([{ state: 'assigned', gpu_ids: gpuIds, eviction: null }]);
    const started = await commit(
      startTask(placed, { ...of, now: 2, containerId: 'c', imageId: null, gpuIds }),
    );
    await commit(evictTask(started, { ...of, ...eviction }));
    expect(await read()).toMatchObject([{ state: 'running', gpu_ids: gpuIds, eviction: told }]);

    const other = makeTask({}, { ownerId: alice.id, ownerName: 'alice' });
    await test.store.tasks.insert([other]);
    const waiting = await commit(assignTask(other, { workerId: 'w-1', term: 1, now: 1 }));
    await commit(evictTask(waiting, { ...of, ...eviction }));
    const { body } = await test.call<TaskBody>('GET', `/api/tasks/${other.id}`, { as: alice });
    expect(body).toMatchObject({ status: 'queued', attempt: 2, message: 'w-1 is being emptied' });
    expect(body.attempts).toMatchObject([{ state: 'evicted', eviction: told }]);
  });
});

// Submitting: what is taken, what is refused with which words, repeats, and a queue or store that is away.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchReply, TaskBody } from '../../shared/contracts/http.ts';
import type { FileRecord } from '../../shared/model/file.ts';
import { newId } from '../../shared/platform/ids.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  countTasks,
  openRedisLine,
  openTestApi,
  type Person,
  type Refused,
  type TestApi,
} from './harness.ts';

let test: TestApi;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  test = await openTestApi({ env: { IMAGE_ALLOW: 'ubuntu:*,registry.example.com/team/*' } });
  alice = await test.signUp('alice');
  bob = await test.signUp('bob');
});
afterAll(() => test?.close());

type Reply = TaskBody & BatchReply & Refused;

const submit = (body: unknown, as: Person = alice, headers: Record<string, string> = {}) =>
  test.call<Reply>('POST', '/api/tasks', { as, body, headers });
const batch = (tasks: unknown, headers: Record<string, string> = {}) =>
  test.call<Reply>('POST', '/api/tasks/batch', { as: alice, body: { tasks }, headers });
const image = { docker_image: 'ubuntu:latest' };

describe('a submission', () => {
  it('is answered with the whole record, stands in the store and enters the queue', async () => {
    const reply = await submit({
      ...image,
      command: 'echo hello',
      tag: 'batch-job',
      k_value: 3,
      cpu_required: 1.0,
    });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      task_id: expect.stringMatching(/^task-[0-9a-z]{26}$/),
      status: 'queued',
      user: 'alice',
      docker_image: 'ubuntu:latest',
      command: 'echo hello',
      tag: 'batch-job',
      memory_required: 512,
      attempt: 1,
      attempts: [],
      worker_id: null,
      cancel_requested: false,
    });
    expect(reply.headers.location).toBe(`/api/tasks/${reply.body.task_id}`);
    expect(await test.store.tasks.get(reply.body.task_id)).toMatchObject({
      state: 'queued',
      ownerId: alice.id,
    });
    await waitFor(async () => (await test.redis.intake.page(0, 1_000)).includes(reply.body.task_id), {
      what: 'the task to be in the intake queue',
    });
  });

  it('takes a worker that is not known yet and needs no queue for it', async () => {
    expect((await submit({ ...image, worker: 'worker-of-tomorrow' })).body).toMatchObject({
      status: 'queued',
      worker: 'worker-of-tomorrow',
    });
  });

  it('takes the largest legal task', async () => {
    const reply = await submit({
      ...image,
      command: '"'.repeat(131_072),
      env: { A: '\\'.repeat(131_071) },
    });
    expect(reply.status).toBe(201);
  });
});

const megabyte = 'x'.repeat(1_048_576);

describe('a bad submission names its fault and makes nothing', () => {
  it.each<[string, unknown, string[]]>([
    ['an unknown field', { ...image, cpus: 1 }, ['cpus']],
    ['text for a number', { ...image, cpu_required: '1.0' }, ['cpu_required']],
    ['a number for text', { ...image, tag: 5 }, ['tag']],
    ['true for a number', { ...image, priority: true }, ['priority']],
    ['negative cpu', { ...image, cpu_required: -1 }, ['cpu_required']],
    ['negative memory', { ...image, memory_required: -512 }, ['memory_required']],
    ['absurd memory', { ...image, memory_required: 1e15 }, ['memory_required']],
    ['absurd cpu', { ...image, cpu_required: 1e9 }, ['cpu_required']],
    ['half a GPU', { ...image, gpu_required: 0.5 }, ['gpu_required']],
    ['a command of 1 MB', { ...image, command: megabyte }, ['command']],
    ['an empty image', { docker_image: '' }, ['docker_image']],
    ['no image', {}, ['docker_image']],
    ['shell characters in the image', { docker_image: 'ubuntu; rm -rf /' }, ['docker_image']],
    ['a substitution in the image', { docker_image: 'ubuntu$(id)' }, ['docker_image']],
    ['an image that is not allowed', { docker_image: 'alpine:3' }, ['docker_image']],
    ['a file that was not uploaded', { ...image, files: ['in/a.csv', 'b'] }, ['files.0', 'files.1']],
    ['a path that climbs', { ...image, files: ['../../etc/passwd'] }, ['files.0']],
    ['a prototype in env', '{"docker_image":"ubuntu:latest","env":{"__proto__":"x"}}', []],
    [
      'several faults at once',
      { cpu_required: -1, nope: 1, tag: 5 },
      ['cpu_required', 'docker_image', 'nope', 'tag'],
    ],
    ['a list', [image], ['']],
    ['nothing', '', ['']],
    ['null', 'null', ['']],
    ['a word', '"ubuntu"', ['']],
  ])('%s', async (_what, body, fields) => {
    const before = await countTasks(test.store);
    const reply = await submit(body);
    expect({ status: reply.status, text: reply.text.slice(0, 300) }).toMatchObject({ status: 400 });
    expect(reply.body).toMatchObject({ statusCode: 400, error: 'Bad Request', code: 'invalid_request' });
    expect(reply.body.details.map(({ field }) => field).sort()).toEqual(fields);
    expect(reply.body.message.length).toBeGreaterThan(10);
    expect(reply.text.length).toBeLessThan(5_000);
    expect(await countTasks(test.store)).toBe(before);
  });

  it.each([['{"docker_image":'], ['{docker_image:ubuntu}'], ['\u0000'], ["{'a':1}"]])(
    'invalid JSON %j',
    async (body) => {
      const before = await countTasks(test.store);
      const reply = await submit(body);
      expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(reply.body.message).toMatch(/^the body is not valid JSON: /);
      expect(await countTasks(test.store)).toBe(before);
    },
  );

  it('more than 2 MB', async () => {
    const reply = await submit({ ...image, name: 'x'.repeat(3_000_000) });
    expect(reply).toMatchObject({ status: 413, body: { code: 'too_large' } });
    expect(reply.body.message).toMatch(/2097152 bytes/);
  });

  it('a form instead of JSON', async () => {
    const reply = await test.call<Refused>('POST', '/api/tasks', {
      as: alice,
      body: 'docker_image=ubuntu',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(reply).toMatchObject({ status: 415, body: { code: 'invalid_request' } });
    expect(reply.body.message).toContain('Content-Type: application/json');
  });

  it('a thousand faults, of which it names a hundred', async () => {
    const strange = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`field${n}`, 1]));
    const reply = await submit({ ...image, ...strange });
    expect(reply.body.details).toHaveLength(101);
    expect(reply.body.details.at(-1)?.message).toBe('and 900 more faults');
  });
});

describe('IMAGE_ALLOW', () => {
  it.each([
    ['ubuntu:22.04'],
    ['ubuntu'],
    ['registry.example.com/team/app:1.2'],
    ['registry.example.com/team/a/b'],
  ])('lets %s through', async (docker_image) => {
    expect((await submit({ docker_image })).status).toBe(201);
  });
  it.each([
    ['ubuntux:1'],
    ['evil/ubuntu:1'],
    ['registry.example.com/other/app'],
    ['registry.example.com:5000/team/a'],
  ])('keeps %s out', async (docker_image) => {
    const reply = await submit({ docker_image });
    expect(reply).toMatchObject({ status: 400, body: { details: [{ field: 'docker_image' }] } });
    expect(reply.body.message).toContain('not allowed');
  });
});

describe('files', () => {
  const upload = (owner: Person, path: string): Promise<unknown> => {
    const file: FileRecord = {
      id: newId('file'),
      ownerId: owner.id,
      taskId: null,
      attempt: null,
      path,
      sizeBytes: 1,
      contentType: 'text/csv',
      sha256: '00',
      createdAt: 1,
    };
    return test.store.files.put([file]);
  };

  it('must be uploads of the owner', async () => {
    await upload(alice, 'in/data.csv');
    await upload(bob, 'in/secret.csv');
    expect((await submit({ ...image, files: ['in/data.csv'] })).status).toBe(201);
    const reply = await submit({ ...image, files: ['in/data.csv', 'in/secret.csv'] });
    expect(reply).toMatchObject({ status: 400, body: { details: [{ field: 'files.1' }] } });
    expect(reply.body.message).toContain('in/secret.csv');
  });

  it('may be many', async () => {
    const paths = Array.from({ length: 40 }, (_, n) => `many/${n}`);
    for (const path of paths) await upload(alice, path);
    expect((await submit({ ...image, files: paths })).status).toBe(201);
    const reply = await submit({ ...image, files: [...paths, 'many/40'] });
    expect(reply.body.details).toMatchObject([{ field: 'files.40' }]);
  });
});

describe('a batch', () => {
  it('comes back in its order and is queued whole', async () => {
    const reply = await batch(['a', 'b', 'c'].map((name) => ({ ...image, name })));
    expect(reply.status).toBe(201);
    expect(reply.body.tasks.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    const ids = reply.body.tasks.map(({ task_id }) => task_id);
    expect([...ids].sort()).toEqual(ids);
    await waitFor(
      async () => {
        const waiting = await test.redis.intake.page(0, 5_000);
        return ids.every((id) => waiting.includes(id));
      },
      { what: 'the batch to be in the intake queue' },
    );
  });

  it.each<[string, unknown, string[]]>([
    ['one bad task', [image, { ...image, cpu_required: -1 }], ['tasks.1.cpu_required']],
    ['an image that is not allowed', [image, { docker_image: 'alpine' }], ['tasks.1.docker_image']],
    ['a missing file', [image, { ...image, files: ['no'] }], ['tasks.1.files.0']],
    ['no task', [], ['tasks']],
    ['too many', Array.from({ length: 1_001 }, () => image), ['tasks']],
    ['no list', 'x', ['tasks']],
  ])('is refused whole for %s', async (_what, tasks, fields) => {
    const before = await countTasks(test.store);
    const reply = await batch(tasks);
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(reply.body.details.map(({ field }) => field)).toEqual(fields);
    expect(await countTasks(test.store)).toBe(before);
  });

  it('of a thousand is taken', async () => {
    const reply = await batch(Array.from({ length: 1_000 }, (_, n) => ({ ...image, name: `n${n}` })));
    expect(reply.status).toBe(201);
    expect(reply.body.tasks).toHaveLength(1_000);
  });
});

describe('an idempotency key', () => {
  const keyed = (key: string, body: unknown, as = alice) => submit(body, as, { 'idempotency-key': key });

  it('makes a repeat return the first task, whatever the order of fields', async () => {
    const first = await keyed('k-1', { ...image, tag: 't', name: 'n' });
    expect(first.status).toBe(201);
    expect(first.headers['idempotent-replay']).toBeUndefined();
    const before = await countTasks(test.store);
    const again = await keyed('k-1', { name: 'n', tag: 't', ...image, priority: 5 });
    expect(again.status).toBe(201);
    expect(again.headers['idempotent-replay']).toBe('true');
    expect(again.body).toEqual(first.body);
    expect(await countTasks(test.store)).toBe(before);
  });

  it('with another body is refused', async () => {
    await keyed('k-2', image);
    const before = await countTasks(test.store);
    expect(await keyed('k-2', { ...image, tag: 'other' })).toMatchObject({
      status: 409,
      body: { code: 'idempotency_mismatch' },
    });
    expect(await countTasks(test.store)).toBe(before);
  });

  it('is one per owner', async () => {
    const one = await keyed('k-3', image);
    const two = await keyed('k-3', image, bob);
    expect(two.status).toBe(201);
    expect(two.body.task_id).not.toBe(one.body.task_id);
  });

  it('makes one task of many at once', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => keyed('k-4', image)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(replies.map(({ body }) => body.task_id)).size).toBe(1);
    expect(replies.filter(({ headers }) => headers['idempotent-replay'] === 'true')).toHaveLength(19);
  });

  it('works for a batch as a whole', async () => {
    const tasks = [image, { ...image, name: 'second' }];
    const first = await batch(tasks, { 'idempotency-key': 'k-5' });
    const again = await batch(tasks, { 'idempotency-key': 'k-5' });
    expect(again.status).toBe(201);
    expect(again.headers['idempotent-replay']).toBe('true');
    expect(again.body).toEqual(first.body);
    for (const other of [[...tasks, image], [image], [...tasks].reverse()]) {
      expect(await batch(other, { 'idempotency-key': 'k-5' })).toMatchObject({
        status: 409,
        body: { code: 'idempotency_mismatch' },
      });
    }
  });

  it.each([['a b'], ['ü'], ['x'.repeat(256)]])('is refused when it is %j', async (key) => {
    const before = await countTasks(test.store);
    expect(await keyed(key, image)).toMatchObject({
      status: 400,
      body: { details: [{ field: 'Idempotency-Key' }] },
    });
    expect(await countTasks(test.store)).toBe(before);
  });
});

describe('when a part is away', () => {
  it('the queue: submissions are taken, quickly, and readiness says so', async () => {
    const line = await openRedisLine();
    const cut = await openTestApi({ redisUrl: line.url });
    try {
      const someone = await cut.signUp('alice');
      await line.cut();
      const begin = performance.now();
      const reply = await cut.call<TaskBody>('POST', '/api/tasks', { as: someone, body: image });
      expect(reply.status).toBe(201);
      expect(performance.now() - begin).toBeLessThan(5_000);
      expect(await cut.store.tasks.get(reply.body.task_id)).toMatchObject({ state: 'queued' });
      const cancelled = await cut.call('POST', `/api/tasks/${reply.body.task_id}/cancel`, { as: someone });
      expect(cancelled).toMatchObject({ status: 202, body: { status: 'cancelled' } });
      expect(await cut.call('GET', '/telemetry')).toMatchObject({
        status: 200,
        body: { tasks_by_state: { cancelled: 1 } },
      });
      expect(await cut.call('GET', '/readyz')).toMatchObject({
        status: 503,
        body: { status: 'unavailable', checks: { store: { ok: true }, queue: { ok: false } } },
      });
      expect((await cut.call('GET', '/healthz')).status).toBe(200);

      await line.mend();
      await waitFor(async () => (await cut.call('GET', '/readyz')).status === 200, {
        what: 'the API to be ready again',
        deadlineMs: 20_000,
      });
      const later = await cut.call<TaskBody>('POST', '/api/tasks', { as: someone, body: image });
      await waitFor(async () => (await cut.redis.intake.page(0, 10)).includes(later.body.task_id), {
        what: 'a new task to be in the intake queue again',
      });
    } finally {
      await cut.close();
      await line.cut().catch(() => undefined);
    }
  });

  it('the store: 503 with Retry-After, and nothing of its inside in the words', async () => {
    const gone = await openTestApi();
    try {
      const someone = await gone.signUp('alice');
      await gone.store.close();
      for (const [method, path, body] of [
        ['POST', '/api/tasks', image],
        ['POST', '/api/tasks/batch', { tasks: [image] }],
        ['GET', '/api/tasks', undefined],
        ['GET', '/api/tasks/task-01jd8x2b9q3v5w7y8z0a1c2d3e', undefined],
        ['GET', '/telemetry', undefined],
        ['POST', '/api/auth/login', { username: 'alice', password: 'secure123' }],
      ] as const) {
        const reply = await gone.call<Refused>(method, path, { as: someone, body });
        expect({ path, status: reply.status }).toEqual({ path, status: 503 });
        expect(reply.body.code).toBe('store_unavailable');
        expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
        expect(reply.text).not.toMatch(/sqlite|libsql|\.db|at \//i);
      }
      expect(await gone.call('GET', '/readyz')).toMatchObject({
        status: 503,
        body: { checks: { store: { ok: false }, queue: { ok: true } } },
      });
    } finally {
      await gone.close().catch(() => undefined);
    }
  });
});

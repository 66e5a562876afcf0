// The calls with one answer, as a program makes them: the same rules, words and limits as REST has.

import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadContract } from '../../../api/grpc/contract.ts';
import { taskMessage } from '../../../shared/contracts/grpc.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import { freePort } from '../../support/cluster.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';
import { openClient, type TestClient } from './client.ts';

let test: TestApi;
let client: TestClient;
let admin: Person;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  test = await openTestApi({ env: { GRPC_PORT: String(await freePort()) } });
  admin = await test.signUp('root');
  [alice, bob] = await Promise.all([test.signUp('alice'), test.signUp('bob')]);
  await test.api.start();
  client = openClient(test.api.grpcPort);
});
afterAll(async () => {
  client?.close();
  await test?.close();
});

const FULL = {
  docker_image: 'registry.example.com/a:1',
  command_words: { words: ['echo', 'a b'] },
  cpu_required: 0.5,
  memory_required: 64,
  storage_required: 10,
  tag: 't',
  k_value: 2.5,
  name: 'n',
  env: { A: 'b', at: '2020', S: 'hidden' },
  secrets: ['S'],
  priority: 0,
  timeout_seconds: 5,
  max_retries: 2,
  retry_on: ['exit_code'],
  retry_on_exit_codes: [3],
  retry_delay_seconds: 0,
  queue_timeout_seconds: 9,
  worker: 'w1',
  constraints: { disk: { values: ['ssd'] }, zone: { values: ['a', 'b'] } },
  prefer: { fast: { values: ['yes'] } },
  pull_policy: 'never',
  network: 'none',
  webhook: { url: 'http://a.example/', events: ['completed'] },
  mounts: [{ source: '/sets', target: '/data', read_only: true }],
};

describe('SubmitTask', () => {
  it('submits what REST would, and REST shows it', async () => {
    const { body } = await client.call('SubmitTask', FULL, alice);
    const { command_words: words, constraints: _, prefer: __, ...same } = FULL;
    const seen = await test.call<TaskBody>('GET', `/api/tasks/${body.task.task_id}`, { as: alice });
    expect(seen.body).toMatchObject({
      ...same,
      env: { ...FULL.env, S: '********' },
      command: words.words,
      constraints: { disk: 'ssd', zone: ['a', 'b'] },
      prefer: { fast: 'yes' },
      status: 'queued',
    });
    expect(body.task).toMatchObject({
      ...FULL,
      env: { ...FULL.env, S: '********' },
      status: 'TASK_STATE_QUEUED',
      user: 'alice',
    });
    const { submitted_at: at } = body.task;
    expect(new Date(at.seconds * 1_000 + at.nanos / 1e6).toISOString()).toBe(seen.body.submitted_at);
  });

  it('has the defaults of REST', async () => {
    const { body } = await client.call('SubmitTask', { docker_image: 'a', command: 'echo' }, alice);
    const rest = await test.call<TaskBody>('POST', '/api/tasks', {
      as: alice,
      body: { docker_image: 'a', command: 'echo' },
    });
    const mine = await test.call<TaskBody>('GET', `/api/tasks/${body.task.task_id}`, { as: alice });
    const bare = ({ task_id, submitted_at, queued_at, timeline, sla, kept_until, ...same }: TaskBody) => same;
    expect(bare(mine.body)).toEqual(bare(rest.body));
  });

  it('makes one task of one key, and refuses the key for something else', async () => {
    const ask = { docker_image: 'a', idempotency_key: 'k1' };
    const first = await client.call('SubmitTask', ask, alice);
    const again = await client.call('SubmitTask', ask, alice);
    expect(again.body.task.task_id).toBe(first.body.task.task_id);
    expect([first.body.replayed, again.body.replayed]).toEqual([false, true]);
    const other = await client.refusal('SubmitTask', { ...ask, name: 'other' }, alice);
    expect(other.code).toBe(status.ALREADY_EXISTS);
    expect(other.metadata.get('error-code')).toEqual(['idempotency_mismatch']);
    const bad = await client.refusal('SubmitTask', { ...ask, idempotency_key: 'a b' }, alice);
    expect(bad).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('idempotency_key'),
    });
  });

  it('names every fault, as data too', async () => {
    const refusal = await client.refusal(
      'SubmitTask',
      { docker_image: 'NOT OK', cpu_required: 0, worker: '-', network: 'host' },
      alice,
    );
    expect(refusal.code).toBe(status.INVALID_ARGUMENT);
    expect(refusal.details).toContain('and 3 more');
    const { rpc } = loadContract();
    const [bytes] = refusal.metadata.get('grpc-status-details-bin');
    const rich = rpc('Status').deserialize(bytes as Buffer) as {
      details: { type_url: string; value: Buffer }[];
    };
    expect(rich.details.map(({ type_url }) => type_url)).toEqual([
      'type.googleapis.com/google.rpc.ErrorInfo',
      'type.googleapis.com/google.rpc.BadRequest',
    ]);
    const faults = rpc('BadRequest').deserialize(rich.details[1]?.value as Buffer) as {
      field_violations: { field: string }[];
    };
    expect(faults.field_violations.map(({ field }) => field)).toEqual([
      'docker_image',
      'cpu_required',
      'worker',
      'network',
    ]);
  });

  it('refuses a request that is larger than the largest task, and goes on', async () => {
    const refusal = await client.refusal(
      'SubmitTask',
      { docker_image: 'a', env: { A: 'x'.repeat(2.5 * 2 ** 20) } },
      alice,
    );
    expect(refusal.code).toBe(status.RESOURCE_EXHAUSTED);
    // More at once than may be on their way in.
    const dave = await test.join('dave');
    const large = { docker_image: 'a', env: { A: 'x'.repeat(100_000) } };
    const many = Array.from({ length: 30 }, () => client.call('SubmitTask', large, dave));
    expect((await Promise.all(many)).every(({ body }) => body.task.task_id)).toBe(true);
  });
});

describe('GetTask, ListTasks, CancelTask', () => {
  it('show one task, pages of tasks, and the wish to stop', async () => {
    const carol = await test.join('carol');
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const { body } = await client.call('SubmitTask', { docker_image: 'x', name, tag: 'page' }, carol);
      ids.unshift(body.task.task_id);
    }
    const one = (await client.call('GetTask', { task_id: ids[0] }, carol)).body;
    expect(one).toMatchObject({ name: 'c', timeline: [{ state: 'TASK_STATE_QUEUED', attempt: 1 }] });
    expect(one.sla.expected_seconds).toBeGreaterThan(0);
    const page = (await client.call('ListTasks', { limit: 2, status: ['TASK_STATE_QUEUED'] }, carol)).body;
    expect(page.tasks.map((task: TaskBody) => task.task_id)).toEqual(ids.slice(0, 2));
    const rest = (await client.call('ListTasks', { limit: 2, cursor: page.next_cursor }, carol)).body;
    expect(rest.tasks.map((task: TaskBody) => task.task_id)).toEqual(ids.slice(2));
    expect(rest.next_cursor).toBeUndefined();
    expect(
      (await client.call('ListTasks', { status: ['TASK_STATE_FAILED'] }, carol)).body.tasks,
    ).toBeUndefined();
    expect((await client.call('CancelTask', { task_id: ids[1] }, carol)).body).toMatchObject({
      status: 'TASK_STATE_CANCELLED',
      cancel_requested: true,
    });
    const again = await client.refusal('CancelTask', { task_id: ids[1] }, carol);
    expect(again.code).toBe(status.FAILED_PRECONDITION);
    const odd = await client.refusal(
      'ListTasks',
      { status: ['TASK_STATE_UNSPECIFIED'], limit: 5_000 },
      carol,
    );
    expect(odd.details).toMatch(/"status" must be one or more of queued.*and 1 more/);
    expect((await client.refusal('GetTask', { task_id: 'x' }, carol)).details).toContain('"task_id"');
  });
});

describe('the audit log', () => {
  it('tells of submissions and cancels over gRPC as of those over REST', async () => {
    const { body } = await client.call('SubmitTask', { docker_image: 'x' }, bob);
    await client.call('CancelTask', { task_id: body.task.task_id, force: true }, bob);
    const wanted = () =>
      test.call<{ entries: object[] }>('GET', `/api/audit?target=${body.task.task_id}`, { as: admin });
    await waitFor(async () => (await wanted()).body.entries.length === 2, { what: 'both entries' });
    expect((await wanted()).body.entries).toMatchObject([
      { action: 'task.cancel', actor: { username: 'bob' }, address: '127.0.0.1' },
      { action: 'task.submit', actor: { username: 'bob' }, address: '127.0.0.1' },
    ]);
  });
});

describe('a token', () => {
  it('that is forged is refused, and the caller told why', async () => {
    const forged = await client.refusal('ListTasks', {}, `${alice.token}x`);
    expect(forged).toMatchObject({ code: status.UNAUTHENTICATED, details: expect.stringContaining('token') });
  });
});

describe('the contract', () => {
  it('has a field for all that REST tells of tasks, workers and the cluster', async () => {
    const contract = loadContract();
    const { body } = await client.call('SubmitTask', FULL, alice);
    const task = await test.call<TaskBody>('GET', `/api/tasks/${body.task.task_id}`, { as: alice });
    expect(contract.missing('Task', taskMessage(task.body))).toEqual([]);
    const telemetry = await test.call<object>('GET', '/telemetry');
    expect(contract.missing('Telemetry', telemetry.body)).toEqual([]);
    expect(contract.missing('Task', { ...task.body, unheard_of: 1, attempts: [{ odd: 1 }] })).toEqual(
      expect.arrayContaining(['unheard_of', 'attempts.odd']),
    );
  });
});

// What a task says of its retries and of the limit of its waits: taken, refused in words, kept, copied and shown.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { QueueReply } from '../../shared/contracts/queue.ts';
import type { ExplainReply } from '../../shared/contracts/workers.ts';
import type { Task } from '../../shared/model/task.ts';
import { assignTask, expireTask, finishTask, takeBackTask } from '../../shared/model/task-life.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let alice: Person;

beforeAll(async () => {
  test = await openTestApi({ env: { MAX_PLATFORM_RETRIES: '1' } });
  alice = await test.signUp('alice');
});
afterAll(() => test?.close());

const chosen = {
  max_retries: 2,
  retry_on: ['exit_code', 'image_error'],
  retry_on_exit_codes: [75],
  retry_delay_seconds: 30,
  queue_timeout_seconds: 600,
};
const submit = (body: object, headers: Record<string, string> = {}) =>
  test.call<TaskBody & Refused>('POST', '/api/tasks', {
    as: alice,
    body: { docker_image: 'a:1', ...body },
    headers,
  });
const show = async (id: string) => (await test.call<TaskBody>('GET', `/api/tasks/${id}`, { as: alice })).body;

async function commit(step: { ok: true; task: Task } | { ok: false; refusal: string }): Promise<Task> {
  if (!step.ok || !(await test.store.tasks.commit(step.task))) throw new Error('not committed');
  return step.task;
}
const record = async (id: string) => (await test.store.tasks.get(id)) as Task;
const place = async (task: Task, now: number) =>
  commit(assignTask(task, { workerId: 'worker-1', term: 1, now }));

describe('a retry by hand under an idempotency key', () => {
  const retry = (id: string, key: string, as = alice) =>
    test.call<TaskBody & Refused>('POST', `/api/tasks/${id}/retry`, {
      as,
      headers: { 'idempotency-key': key },
    });
  const made = async () => (await submit({})).body.task_id;

  it('makes one new task, however often it is asked for', async () => {
    const id = await made();
    const replies = await Promise.all(Array.from({ length: 5 }, () => retry(id, 'r-1')));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(replies.map(({ body }) => body.task_id)).size).toBe(1);
    expect(replies[0]?.body.task_id).not.toBe(id);
    expect(replies.filter(({ headers }) => headers['idempotent-replay'] === 'true')).toHaveLength(4);
    expect((await retry(id, 'r-2')).body.task_id).not.toBe(replies[0]?.body.task_id);
  });

  it('is no key of another task, nor of a submission', async () => {
    const [one, two] = [await made(), await made()];
    expect((await retry(one, 'r-3')).status).toBe(201);
    const mismatch = { status: 409, body: { code: 'idempotency_mismatch' } };
    expect(await retry(two, 'r-3')).toMatchObject(mismatch);
    expect(await submit({}, { 'idempotency-key': 'r-3' })).toMatchObject(mismatch);
    expect(await retry(two, 'a b')).toMatchObject({
      status: 400,
      body: { details: [{ field: 'Idempotency-Key' }] },
    });
  });
});

describe('a task with retries of its own', () => {
  it('is kept as it was asked for, and copied by a retry by hand', async () => {
    const { status, body } = await submit(chosen);
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...chosen, failures: 0, losses: 0, max_losses: 1 });
    expect(Date.parse(body.expires_at ?? '')).toBe(Date.parse(body.queued_at) + 600_000);
    const again = await test.call<TaskBody>('POST', `/api/tasks/${body.task_id}/retry`, { as: alice });
    expect(again.body).toMatchObject({ ...chosen, max_losses: 1, status: 'queued' });
    expect(again.body.task_id).not.toBe(body.task_id);
  });

  it('has the retries of before, and waits for ever, when it says nothing', async () => {
    expect((await submit({})).body).toMatchObject({
      retry_on: ['exit_code', 'oom_killed', 'timed_out', 'output_error'],
      retry_on_exit_codes: [],
      retry_delay_seconds: 1,
      queue_timeout_seconds: 0,
      expires_at: null,
    });
  });

  it('is refused with every fault of it in words', async () => {
    const { status, body } = await submit({
      retry_on: ['exit_code', 'worker_lost', 'queue_timed_out', 'often'],
      retry_on_exit_codes: [0],
      retry_delay_seconds: -1,
      queue_timeout_seconds: 1.5,
    });
    expect(status).toBe(400);
    expect(body.details.map(({ field }) => field).sort()).toEqual([
      'queue_timeout_seconds',
      'retry_delay_seconds',
      'retry_on.1',
      'retry_on.2',
      'retry_on.3',
      'retry_on_exit_codes.0',
    ]);
    const said = body.details.map(({ message }) => message).join('\n');
    expect(said).toContain(
      'cannot name worker_lost: faults of workers are tried again anyway and cost no retry',
    );
    expect(said).toContain(
      'cannot name queue_timed_out: a task that has waited for too long is not tried again',
    );
    const idle = await submit({ retry_on: ['oom_killed'], retry_on_exit_codes: [75] });
    expect(idle.body.message).toContain(
      '"retry_on_exit_codes" means nothing unless "retry_on" names exit_code',
    );
  });

  it('is the same submission when it says the defaults, and another one when it does not', async () => {
    const keyed = (body: object) => submit(body, { 'idempotency-key': 'k-retries' });
    const first = await keyed({});
    const order = ['timed_out', 'exit_code', 'oom_killed', 'output_error'];
    const same = await keyed({ retry_on: order, retry_delay_seconds: 1, queue_timeout_seconds: 0 });
    expect(same.body.task_id).toBe(first.body.task_id);
    expect((await keyed({ queue_timeout_seconds: 5 })).body.code).toBe('idempotency_mismatch');
    expect((await keyed({ retry_on: ['exit_code'] })).body.code).toBe('idempotency_mismatch');
  });

  it('shows the pause before a retry, and what each attempt waited for', async () => {
    const { body } = await submit(chosen);
    const now = Date.now();
    const placed = await place(await record(body.task_id), now);
    const outcome = { kind: 'failed', reason: 'exit_code', exitCode: 75, message: 'exited with 75' } as const;
    const failed = await commit(
      finishTask(placed, { attempt: 1, workerId: 'worker-1', now, dice: 0, outcome }),
    );
    const due = new Date(now + 15_000).toISOString();
    expect(await show(body.task_id)).toMatchObject({
      status: 'queued',
      failures: 1,
      not_before: due,
      expires_at: new Date(now + 15_000 + 600_000).toISOString(),
      message: 'attempt 1 failed (exited with 75); it is tried again, retry 1 of 2',
    });
    await place(failed, now + 16_000);
    const { attempts, timeline, expires_at } = await show(body.task_id);
    expect(attempts.map(({ not_before }) => not_before)).toEqual([null, due]);
    expect(timeline?.find(({ attempt, state }) => attempt === 2 && state === 'queued')).toMatchObject({
      message: 'tried again after a pause of 15 s',
    });
    expect(expires_at).toBeNull();
  });

  it('is given up after as many faults of workers as the cluster allows', async () => {
    const { body } = await submit({});
    let task = await record(body.task_id);
    for (const attempt of [1, 2]) {
      const lost = { attempt, workerId: 'worker-1', now: Date.now(), message: 'worker worker-1 was lost' };
      task = await commit(takeBackTask(await place(task, lost.now), lost));
    }
    expect(await show(body.task_id)).toMatchObject({
      status: 'failed',
      reason: 'worker_lost',
      message: 'worker worker-1 was lost; given up: faults of workers have lost it 2 times',
    });
  });
});

describe('a task that may wait for so long', () => {
  it('tells in the queue and when asked until when', async () => {
    const { body } = await submit({ queue_timeout_seconds: 600 });
    const explained = await test.call<ExplainReply>('GET', `/api/tasks/${body.task_id}/explain`, {
      as: alice,
    });
    expect(explained.body.expires_at).toBe(body.expires_at);
    expect(explained.body.summary).toMatch(/It is given up in 10 min unless it is placed before\.$/);
    const { entries } = (await test.call<QueueReply>('GET', '/api/queue', { as: alice })).body;
    const entry = entries.find(({ task_id }) => task_id === body.task_id);
    expect(entry?.expires_at).toBe(body.expires_at);
  });

  it('shows why it was given up', async () => {
    const { body } = await submit({ queue_timeout_seconds: 600 });
    const late = { now: Date.now() + 601_000, waitedFor: 'no worker had room for it' };
    await commit(expireTask(await record(body.task_id), late));
    const shown = await show(body.task_id);
    expect(shown).toMatchObject({
      status: 'failed',
      reason: 'queue_timed_out',
      attempts: [],
      expires_at: null,
    });
    expect(shown.message).toBe(
      'waited 601 s in the queue, and its limit is 600 s: no worker had room for it',
    );
    expect(shown.timeline?.map(({ state }) => state)).toEqual(['queued', 'failed']);
    const { summary } = (
      await test.call<ExplainReply>('GET', `/api/tasks/${body.task_id}/explain`, { as: alice })
    ).body;
    expect(summary).toBe(`Failed: ${shown.message}.`);
  });
});

// What becomes of tasks of every kind, with real processes, Redis and Docker.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { ExplainReply } from '../../shared/contracts/workers.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { containersOf } from '../support/containers.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ env: { STOP_GRACE_SECONDS: '2' } });
  await cluster.signIn('alice');
});
afterAll(() => cluster?.stop());

const run = async (body: Record<string, unknown>): Promise<TaskBody> => {
  const { task_id } = await cluster.submit({
    docker_image: TEST_IMAGE,
    memory_required: 64,
    cpu_required: 0.5,
    ...body,
  });
  return cluster.ended(task_id);
};

describe('a task that', () => {
  it('prints, completes and leaves its lines, in order, from both streams', async () => {
    const done = await run({ command: 'echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three' });
    expect(done).toMatchObject({ status: 'completed', exit_code: 0, reason: null, attempt: 1 });
    expect(await cluster.logs(done.task_id)).toBe('one\ntwo\nthree\n');
    const ndjson = await cluster.call<string>('GET', `/api/tasks/${done.task_id}/logs?from=2`, undefined, {
      accept: 'application/x-ndjson',
    });
    expect(
      ndjson.body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { seq: 2, stream: 'stderr', line: 'two' },
      { seq: 3, stream: 'stdout', line: 'three' },
    ]);
    await waitFor(async () => (await containersOf(done.task_id)).length === 0, {
      what: 'the container to be removed',
    });
  });

  it('is given as a list runs without a shell', async () => {
    const done = await run({ command: ['echo', '$HOME', 'a b'] });
    expect(await cluster.logs(done.task_id)).toBe('$HOME a b\n');
  });

  it('gets its environment, and its secrets stay unseen', async () => {
    const done = await run({
      command: 'echo "$GREETING $KEY"',
      env: { GREETING: 'hi', KEY: 'hunter2-hunter2' },
      secrets: ['KEY'],
    });
    expect(await cluster.logs(done.task_id)).toBe('hi ********\n');
    expect(JSON.stringify(done)).not.toContain('hunter2');
  });

  it('fails says its exit code', async () => {
    const done = await run({ command: 'echo oops >&2; exit 3' });
    expect(done).toMatchObject({ status: 'failed', reason: 'exit_code', exit_code: 3 });
    expect(await cluster.logs(done.task_id)).toBe('oops\n');
  });

  it('calls an unknown command fails in words', async () => {
    const shell = await run({ command: 'no-such-command' });
    expect(shell).toMatchObject({ status: 'failed', reason: 'exit_code', exit_code: 127 });
    const exec = await run({ command: ['/no/such/binary'] });
    expect(exec).toMatchObject({ status: 'failed', reason: 'start_error' });
    expect(exec.message).toMatch(/no\/such\/binary/);
  });

  it('takes more memory than it asked for is killed for it', async () => {
    const done = await run({ command: 'x=a; while true; do x=$x$x; done', memory_required: 32 });
    expect(done).toMatchObject({ status: 'failed', reason: 'oom_killed' });
    expect(done.message).toContain('32 MB');
  });

  it('exceeds its time is stopped', async () => {
    const done = await run({ command: 'echo begin; sleep 600', timeout_seconds: 2 });
    expect(done).toMatchObject({ status: 'failed', reason: 'timed_out' });
    expect(await cluster.logs(done.task_id)).toBe('begin\n');
    const ms = Date.parse(done.finished_at ?? '') - Date.parse(done.started_at ?? '');
    expect(ms).toBeGreaterThanOrEqual(1_900);
    await waitFor(async () => (await containersOf(done.task_id)).length === 0, {
      what: 'the container to be removed',
    });
  });

  it('is tried again when it asked for it', async () => {
    const done = await run({ command: 'exit 1', max_retries: 1 });
    expect(done).toMatchObject({ status: 'failed', attempt: 2 });
    expect(done.attempts.map(({ state, exit_code }) => [state, exit_code])).toEqual([
      ['failed', 1],
      ['failed', 1],
    ]);
  });

  it('names an image that is not there fails and the worker stays well', async () => {
    const done = await run({
      docker_image: 'cloudai/no-such-image:latest',
      command: 'true',
      pull_policy: 'never',
    });
    expect(done).toMatchObject({ status: 'failed', reason: 'image_error' });
    expect(done.message).toContain('cloudai/no-such-image');
    expect((await run({ command: 'true' })).status).toBe('completed');
  });

  it('asks for more than any worker has waits, explained, and can be cancelled', async () => {
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      cpu_required: 4_000,
      command: 'true',
    });
    const { body } = await cluster.call<ExplainReply>('GET', `/api/tasks/${task_id}/explain`);
    expect(body).toMatchObject({ status: 'queued', feasible: false, fits_now: false, position: 1 });
    expect(body.workers[0]?.missing).toMatchObject([{ dimension: 'cpu', unit: 'cores', required: 4_000 }]);
    // It blocks nobody.
    expect((await run({ command: 'true' })).status).toBe('completed');
    const cancelled = await cluster.call<TaskBody>('POST', `/api/tasks/${task_id}/cancel`);
    expect(cancelled.status).toBe(202);
    expect(cancelled.body.status).toBe('cancelled');
  });

  it('names a worker that is not there waits for it', async () => {
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      worker: 'worker-nowhere',
      command: 'true',
    });
    const { body } = await cluster.call<ExplainReply>('GET', `/api/tasks/${task_id}/explain`);
    expect(body.summary).toContain('worker-nowhere');
    expect((await cluster.call('DELETE', `/api/tasks/${task_id}`)).status).toBe(202);
  });
});

describe('cancelling', () => {
  it('lets a program that listens end by itself', async () => {
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      command: "trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.1; done",
    });
    await waitFor(async () => (await cluster.logs(task_id)).includes('up'), {
      what: 'the program to be up',
      deadlineMs: 30_000,
    });
    await cluster.call('POST', `/api/tasks/${task_id}/cancel`);
    expect((await cluster.ended(task_id)).status).toBe('cancelled');
    expect(await cluster.logs(task_id)).toBe('up\nbye\n');
    expect(await containersOf(task_id)).toEqual([]);
  });

  it('kills a program that ignores SIGTERM once the grace is over', async () => {
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      command: "trap '' TERM; echo up; while true; do sleep 0.1; done",
    });
    await waitFor(async () => (await cluster.logs(task_id)).includes('up'), {
      what: 'the program to be up',
      deadlineMs: 30_000,
    });
    const asked = performance.now();
    expect((await cluster.call<TaskBody>('POST', `/api/tasks/${task_id}/cancel`)).body.cancel_requested).toBe(
      true,
    );
    expect((await cluster.ended(task_id)).status).toBe('cancelled');
    expect(performance.now() - asked).toBeGreaterThan(1_900);
    expect(await containersOf(task_id)).toEqual([]);
  });

  it('by force does not wait', async () => {
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      command: "trap '' TERM; sleep 600",
    });
    await cluster.until(task_id, ['running']);
    await cluster.call('POST', `/api/tasks/${task_id}/cancel`, { force: true });
    expect((await cluster.ended(task_id, 15_000)).status).toBe('cancelled');
    expect(await containersOf(task_id)).toEqual([]);
  });

  it('of what has ended is refused with its state', async () => {
    const done = await run({ command: 'true' });
    expect(await cluster.call('POST', `/api/tasks/${done.task_id}/cancel`)).toMatchObject({
      status: 409,
      body: { statusCode: 409, code: 'conflict', message: expect.stringContaining('completed') },
    });
  });
});

describe('retrying', () => {
  it('makes a new task of the same spec', async () => {
    const first = await run({ command: 'exit 4', tag: 'again', name: 'mine' });
    const retried = await cluster.call<TaskBody>('POST', `/api/tasks/${first.task_id}/retry`);
    expect(retried.status).toBe(201);
    expect(retried.body.task_id).not.toBe(first.task_id);
    expect(await cluster.ended(retried.body.task_id)).toMatchObject({
      status: 'failed',
      exit_code: 4,
      tag: 'again',
      name: 'mine',
    });
  });
});

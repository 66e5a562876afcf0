// What an attempt used over time, as it is asked for over HTTP.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskUsageReply } from '../../shared/contracts/task-usage.ts';
import { assignTask, finishTask, type Step, startTask, takeBackTask } from '../../shared/model/task-life.ts';
import { newTaskId } from '../../shared/platform/ids.ts';
import { taken } from '../support/tasks.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  test = await openTestApi();
  await test.signUp('root');
  alice = await test.signUp('alice');
  bob = await test.signUp('bob');
});
afterAll(() => test?.close());

const START = Date.parse('2026-01-02T03:04:05.000Z');
const series = (cpu: number) => ({
  startAt: START,
  stepMs: 2_000,
  points: [
    [0, 1, cpu, 64],
    [3, 2, 250, 80.5],
  ] as const,
});
const usage = (id: string, query = '', as: Person | null = alice) =>
  test.call<TaskUsageReply & Refused>('GET', `/api/tasks/${id}/usage${query}`, { as });

async function submitted(): Promise<string> {
  const { body } = await test.call<TaskBody>('POST', '/api/tasks', {
    as: alice,
    body: { docker_image: 'a', max_retries: 1 },
  });
  return body.task_id;
}

async function move(id: string, by: (task: Parameters<typeof assignTask>[0]) => Step): Promise<void> {
  const task = taken(by((await test.store.tasks.get(id))!));
  expect(await test.store.tasks.commit(task)).toBe(true);
}

const assigned = (id: string) => move(id, (task) => assignTask(task, { workerId: 'w', term: 1, now: START }));
const started = (id: string, attempt: number) =>
  move(id, (task) =>
    startTask(task, { attempt, workerId: 'w', now: START, containerId: 'c', imageId: null, gpuIds: [] }),
  );

describe('usage over time', () => {
  it('is empty before the first start', async () => {
    const id = await submitted();
    expect((await usage(id)).body).toEqual({ task_id: id, attempt: 1, step_seconds: 0, points: [] });
    await assigned(id);
    expect((await usage(id, '?attempt=1')).body).toMatchObject({ attempt: 1, points: [] });
  });

  it('is what the runner noted so far, then what the record says, of each attempt', async () => {
    const id = await submitted();
    await assigned(id);
    await started(id, 1);
    expect((await usage(id)).body).toMatchObject({ points: [] });
    await test.redis.usage.set(id, 1, series(500));
    const soFar = {
      task_id: id,
      attempt: 1,
      step_seconds: 2,
      points: [
        ['2026-01-02T03:04:05.000Z', 0.5, 64],
        ['2026-01-02T03:04:11.000Z', 0.25, 80.5],
      ],
    };
    expect((await usage(id)).body).toEqual(soFar);

    await move(id, (task) =>
      finishTask(task, {
        attempt: 1,
        workerId: 'w',
        now: START + 9_000,
        dice: 0.5,
        outcome: { kind: 'failed', reason: 'exit_code', exitCode: 1, message: 'exited with 1' },
        usageSeries: series(700),
      }),
    );
    const ended = { ...soFar, points: [['2026-01-02T03:04:05.000Z', 0.7, 64], soFar.points[1]] };
    expect((await usage(id)).body).toEqual(ended);
    await assigned(id);
    await started(id, 2);
    expect((await usage(id)).body).toEqual({ task_id: id, attempt: 2, step_seconds: 0, points: [] });
    expect((await usage(id, '?attempt=1')).body).toEqual(ended);
  });

  it('of an attempt that was lost with its worker is what had been noted', async () => {
    const id = await submitted();
    await assigned(id);
    await started(id, 1);
    await test.redis.usage.set(id, 1, series(500));
    await move(id, (task) => takeBackTask(task, { attempt: 1, workerId: 'w', now: START, message: 'gone' }));
    expect((await usage(id)).body.points).toHaveLength(2);
  });

  it('is no part of a task, in lists or alone', async () => {
    const id = await submitted();
    await assigned(id);
    await started(id, 1);
    await move(id, (task) =>
      finishTask(task, {
        attempt: 1,
        workerId: 'w',
        now: START,
        dice: 0.5,
        outcome: { kind: 'completed', exitCode: 0, message: null },
        usageSeries: series(1),
      }),
    );
    for (const path of [`/api/tasks/${id}`, '/api/tasks']) {
      const { text } = await test.call('GET', path, { as: alice });
      expect(text).toContain(id);
      expect(text).not.toMatch(/series|80\.5/i);
    }
  });

  it('is for the owner and admins, and of what there is', async () => {
    const id = await submitted();
    expect((await usage(id, '', bob)).status).toBe(404);
    expect((await usage(id, '', null)).status).toBe(401);
    expect(await usage(id, '?attempt=2')).toMatchObject({
      status: 404,
      body: { message: expect.stringContaining('no attempt 2') },
    });
    expect((await usage(newTaskId())).status).toBe(404);
    for (const query of ['?attempt=0', '?attempt=x', '?step=1'])
      expect((await usage(id, query)).status).toBe(400);
  });
});

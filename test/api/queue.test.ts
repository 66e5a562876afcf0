// /api/queue, estimates and SLA: what waits, why, when it starts, and how tasks do against their deadlines.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupKey } from '../../scheduler/core/backlog.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { QueueReply } from '../../shared/contracts/queue.ts';
import type { ExplainReply, TelemetryReply } from '../../shared/contracts/workers.ts';
import { DEFAULT_RULES } from '../../shared/model/scheduling.ts';
import type { Task, TaskSpec } from '../../shared/model/task.ts';
import { assignTask, finishTask, startTask } from '../../shared/model/task-life.ts';
import { NO_QUOTA } from '../../shared/model/user.ts';
import { NO_SCORES } from '../support/small-api.ts';
import { makeRegistration, makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let root: Person;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  test = await openTestApi({
    env: { DEFAULT_RUN_SECONDS: '120' },
    parts: () => ({ learnEveryMs: 50, scoreEveryMs: 50 }),
  });
  root = await test.signUp('root');
  alice = await test.signUp('alice');
  bob = await test.signUp('bob');
});
afterAll(() => test?.close());

const FOUR_CORES = { cpuMillis: 4000, memoryMb: 64, gpus: 0, storageMb: 0 };
const kind = { image: 'train:1', tag: 'nightly' };
const insert = async (spec: Partial<TaskSpec>, over: Partial<Task> = {}) => {
  const now = Date.now();
  const task = makeTask(
    { ...kind, ...spec },
    { ownerId: alice.id, submittedAt: now, queuedAt: now, ...over },
  );
  await test.store.tasks.insert([task]);
  return task;
};
const queue = async (as: Person, query = '') =>
  (await test.call<QueueReply>('GET', `/api/queue${query}`, { as })).body;
const places = ({ entries }: QueueReply) => entries.map(({ position, task_id }) => [position, task_id]);

async function commit(step: { ok: true; task: Task } | { ok: false; refusal: string }): Promise<Task> {
  if (!step.ok || !(await test.store.tasks.commit(step.task))) throw new Error('not committed');
  return step.task;
}

/** A task that ran for so long and has just ended. */
async function completed(runMs: number, over: Partial<Task> = {}): Promise<Task> {
  const end = Date.now();
  const submittedAt = end - runMs - 10;
  const task = await insert({ name: 'done' }, { submittedAt, queuedAt: submittedAt, ...over });
  const placed = await commit(assignTask(task, { workerId: 'worker-1', term: 1, now: end - runMs }));
  const by = { attempt: 1, workerId: 'worker-1' };
  const start = { ...by, containerId: 'c', imageId: null, gpuIds: [], now: end - runMs };
  const running = await commit(startTask(placed, start));
  const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
  return commit(finishTask(running, { ...by, outcome, now: end, dice: 0 }));
}

describe('the queue', () => {
  it('is empty when nothing waits', async () => {
    expect(await queue(alice)).toEqual({ total: 0, entries: [], forecasts: NO_SCORES, next_cursor: null });
  });

  it('goes by priority, then age; users see their own at their places among all', async () => {
    const [a, b, c, d] = [
      await insert({ name: 'low', priority: 1 }),
      await insert({ name: 'first' }, { ownerId: bob.id, ownerName: 'bob' }),
      await insert({ name: 'second', resources: { cpuMillis: 1500, memoryMb: 64, gpus: 1, storageMb: 5 } }),
      await insert({ name: 'urgent', priority: 9 }, { ownerId: bob.id, ownerName: 'bob' }),
    ];
    const all = await queue(root);
    expect(all.total).toBe(4);
    expect(places(all)).toEqual([
      [1, d.id],
      [2, b.id],
      [3, c.id],
      [4, a.id],
    ]);
    const hers = await queue(alice);
    expect(hers.total).toBe(4);
    expect(places(hers)).toEqual([
      [3, c.id],
      [4, a.id],
    ]);
    expect(hers.entries[0]).toEqual({
      position: 3,
      task_id: c.id,
      name: 'second',
      user: 'alice',
      tag: 'nightly',
      docker_image: 'train:1',
      priority: 5,
      cpu_required: 1.5,
      memory_required: 64,
      gpu_required: 1,
      storage_required: 5,
      worker: '',
      attempt: 1,
      submitted_at: new Date(c.submittedAt).toISOString(),
      queued_at: new Date(c.queuedAt).toISOString(),
      not_before: null,
      expires_at: null,
      reason: 'no_workers',
      summary: 'Waits: no workers have joined yet.',
      estimate: null,
    });
    expect(places(await queue(bob))).toEqual([
      [1, d.id],
      [2, b.id],
    ]);
  });

  it('comes in pages', async () => {
    const first = await queue(root, '?limit=3');
    expect(first.next_cursor).not.toBeNull();
    const rest = await queue(root, `?limit=3&cursor=${first.next_cursor}`);
    expect([...places(first), ...places(rest)]).toEqual(places(await queue(root)));
    expect(rest.next_cursor).toBeNull();
    const hers = await queue(alice, '?limit=1');
    expect(places(await queue(alice, `?limit=1&cursor=${hers.next_cursor}`))).toEqual([
      [4, expect.any(String)],
    ]);
    const wrong = await test.call<Refused>('GET', '/api/queue?limit=0&cursor=5.task-1', { as: alice });
    expect(wrong.status).toBe(400);
    expect(wrong.body.details.map(({ field }) => field).sort()).toEqual(['cursor', 'limit']);
  });

  it('says why and when, by what the workers have and what runs', async () => {
    // 4 cores each, no GPU.
    await test.store.workers.register(makeRegistration());
    const held = await insert({
      resources: { cpuMillis: 4000, memoryMb: 64, gpus: 0, storageMb: 0 },
      priority: 9,
    });
    await commit(assignTask(held, { workerId: 'worker-1', term: 1, now: Date.now() }));
    const entryOf = async (name: string) => {
      const found = (await queue(root)).entries.find((entry) => entry.name === name);
      if (!found) throw new Error(`${name} does not wait`);
      return found;
    };
    // The picture is up to a second old.
    await waitFor(async () => (await entryOf('first')).reason === 'no_room', {
      what: 'the worker to be seen',
    });
    const first = await entryOf('first');
    expect(first.summary).toBe('Waits: needs 1 core, the only worker (worker-1) has 0 free of 4.');
    expect(await entryOf('second')).toMatchObject({ reason: 'never', estimate: null });
    const { at, earliest, latest } = first.estimate ?? { at: '', earliest: '', latest: '' };
    const inSeconds = (when: string) => (Date.parse(when) - Date.now()) / 1000;
    // Nothing is learned yet, so what runs takes two minutes by the setting, or from a quarter to four times as long.
    expect(inSeconds(at)).toBeGreaterThan(60);
    expect(inSeconds(at)).toBeLessThanOrEqual(120);
    expect(inSeconds(earliest)).toBeLessThanOrEqual(30);
    expect(inSeconds(latest)).toBeGreaterThan(400);
    const explained = await test.call<ExplainReply>('GET', `/api/tasks/${first.task_id}/explain`, {
      as: root,
    });
    expect(explained.body.estimate).toMatchObject({ at: expect.any(String) });
    expect(explained.body.summary).toContain(first.summary);
  });
});

describe('the reasons of the rules', () => {
  const explainOf = async (id: string, as: Person) =>
    (await test.call<ExplainReply>('GET', `/api/tasks/${id}/explain`, { as })).body;
  const entryOf = async (id: string) =>
    (await queue(root, '?limit=500')).entries.find(({ task_id }) => task_id === id);
  const reasonIs = (id: string, reason: string) =>
    waitFor(async () => (await entryOf(id))?.reason === reason, { what: `${id} to be told ${reason}` });

  it('tell of labels: which are missing where', async () => {
    await test.store.workers.register(makeRegistration({ id: 'with-hdd', labels: { disk: 'hdd' } }));
    const task = await insert({ constraints: { disk: ['ssd'] }, priority: 0 });
    await reasonIs(task.id, 'labels_missing');
    const told = await explainOf(task.id, alice);
    expect(told).toMatchObject({ reason: 'labels_missing', feasible: false, fits_now: false });
    expect(told.summary).toContain('No worker of the cluster has the labels it needs (disk=ssd)');
    expect(told.workers.find(({ worker_id }) => worker_id === 'with-hdd')).toMatchObject({
      excluded_by: 'labels',
      unmet_labels: [{ name: 'disk', needs: ['ssd'], has: 'hdd' }],
    });
    await test.store.workers.setMaintenance('with-hdd', 'cordoned');
  });

  it('tell of the quota, to its owner as theirs', async () => {
    await test.store.workers.register(makeRegistration({ id: 'roomy' }));
    const carol = await test.join('carol', {
      quota: { ...NO_QUOTA, cpuMillis: 2_000 },
    });
    const own = { ownerId: carol.id, ownerName: 'carol' };
    const resources = { cpuMillis: 2_000, memoryMb: 64, gpus: 0, storageMb: 0 };
    const first = await insert({ resources }, own);
    await commit(assignTask(first, { workerId: 'roomy', term: 1, now: Date.now() }));
    const [next, large] = [
      await insert({ resources: { ...resources, cpuMillis: 1_000 }, priority: 9 }, own),
      await insert({ resources: { ...resources, cpuMillis: 3_000 } }, own),
    ];
    await reasonIs(next.id, 'quota_used');
    await reasonIs(large.id, 'over_quota');
    const told = await explainOf(next.id, carol);
    expect(told).toMatchObject({ reason: 'quota_used', feasible: true, fits_now: false });
    expect(told.summary).toContain('you hold 2 of your 2 cores; it starts when your running task ends.');
    expect(told.quota).toEqual([
      { dimension: 'cpu', unit: 'cores', limit: 2, held: 2, required: 1, missing: 1 },
    ]);
    expect((await entryOf(next.id))?.summary).toContain('its owner holds 2 of the 2 cores of the quota');
    expect(await explainOf(large.id, carol)).toMatchObject({ reason: 'over_quota', feasible: false });
  });

  it('tell of workers that the leader keeps free', async () => {
    const mine = await insert({ worker: 'roomy', priority: 8 });
    const large = await insert({
      worker: 'roomy',
      resources: { cpuMillis: 4_000, memoryMb: 64, gpus: 0, storageMb: 0 },
    });
    await reasonIs(mine.id, 'behind');
    const now = Date.now();
    const { spec } = large;
    const line = { ...spec, ownerId: large.ownerId, labels: spec };
    const kept = { workerId: 'roomy', groupKey: groupKey(line), taskId: large.id, tried: [] };
    await test.redis.schedulerBoard.post(
      {
        at: now,
        term: 1,
        rules: DEFAULT_RULES,
        recent: [],
        served: [],
        reservations: [{ ...kept, since: now, until: now + 60_000 }],
        waiting: 2,
        lines: 2,
        placed: 0,
        preempted: 0,
      },
      60_000,
    );
    await reasonIs(large.id, 'reserved');
    await reasonIs(mine.id, 'no_room');
    expect(await explainOf(large.id, alice)).toMatchObject({ reason: 'reserved', reserved_worker: 'roomy' });
    const told = await explainOf(mine.id, alice);
    expect(told).toMatchObject({ fits_now: false, reserved_worker: null });
    expect(told.summary).toContain('roomy has room, but is kept free for a task that has waited longer');
    expect(told.summary).not.toContain(large.id);
    expect(told.workers.find(({ worker_id }) => worker_id === 'roomy')).toMatchObject({
      excluded_by: 'reserved',
    });
  });
});

describe('scores of forecasts', () => {
  it('are told when a task has started of which a forecast was kept', async () => {
    const foretold = async () => {
      const task = await insert({ worker: 'worker-1', priority: 9, resources: FOUR_CORES });
      const isThere = async () =>
        (await queue(root, '?limit=500')).entries.some(
          ({ task_id, estimate }) => task_id === task.id && estimate !== null,
        );
      await waitFor(isThere, { what: `a forecast of ${task.id}` });
      return task;
    };
    const task = await foretold();
    // Of another picture, a second later: by then a sample was taken of the first.
    await foretold();
    const now = Date.now();
    const placed = await commit(assignTask(task, { workerId: 'worker-1', term: 1, now }));
    const by = { attempt: 1, workerId: 'worker-1', containerId: 'c', imageId: null, gpuIds: [] };
    await commit(startTask(placed, { ...by, now }));
    await waitFor(
      async () => (await test.call<TelemetryReply>('GET', '/telemetry')).body.forecasts.scored > 0,
      { what: 'the start to be scored' },
    );
    const { body } = await test.call<TelemetryReply>('GET', '/telemetry');
    expect(body.forecasts).toMatchObject({ window_seconds: 86_400, scored: 1 });
    expect((await queue(root)).forecasts).toEqual(body.forecasts);
  });
});

describe('deadlines', () => {
  const get = async (id: string) => (await test.call<TaskBody>('GET', `/api/tasks/${id}`, { as: root })).body;

  it('come from the default until three tasks of the kind have completed, then from what they took', async () => {
    const other = { spec: makeTask({ image: 'other:1' }).spec };
    const guessed = await insert(other.spec);
    expect((await get(guessed.id)).sla).toEqual({
      expected_seconds: 120,
      learned_from: 0,
      deadline: new Date(guessed.submittedAt + 360_000).toISOString(),
      state: 'safe',
    });
    for (const runMs of [20_000, 30_000, 90_000]) await completed(runMs);
    const task = await insert({ kValue: 2 });
    const { sla } = await waitFor(
      async () => {
        const body = await get(task.id);
        return body.sla?.learned_from === 3 ? body : null;
      },
      { what: 'the runs to be learned from' },
    );
    expect(sla).toMatchObject({
      expected_seconds: 30,
      deadline: new Date(task.submittedAt + 60_000).toISOString(),
    });
  });

  it('are met or missed by what was known at the submission, and counted', async () => {
    const late = await completed(30_000, { submittedAt: Date.now() - 3_600_000 });
    const { sla } = await get(late.id);
    // An hour ago nothing was known.
    expect(sla).toMatchObject({ learned_from: 0, state: 'missed' });
    const telemetry = await waitFor(
      async () => {
        const { body } = await test.call<TelemetryReply>('GET', '/telemetry');
        return body.sla && body.sla.met + body.sla.missed === 4 ? body : null;
      },
      { what: 'all four to be counted' },
    );
    expect(telemetry.sla).toEqual({ window_seconds: 86_400, met: 3, missed: 1, attainment: 0.75 });
  });

  it('are none for a task that was cancelled', async () => {
    const task = await insert({});
    await test.call('POST', `/api/tasks/${task.id}/cancel`, { as: alice });
    expect(await get(task.id)).not.toHaveProperty('sla');
  });
});

// Folders of workers that tasks mount: from the door to the record and back, where they may run, and why not elsewhere.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { WhatIfReply } from '../../shared/contracts/what-if.ts';
import type { ExplainReply, WorkerListReply } from '../../shared/contracts/workers.ts';
import { makeRegistration } from '../support/tasks.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let alice: Person;
const image = { docker_image: 'ubuntu:latest' };
const sets = { source: '/sets/images', target: '/data', read_only: true };

beforeAll(async () => {
  test = await openTestApi();
  alice = await test.signUp('alice');
  await test.store.workers.register(makeRegistration({ id: 'none' }));
  await test.store.workers.register(
    makeRegistration({ id: 'reads', labels: { disk: 'ssd' }, mounts: [{ path: '/sets', readOnly: true }] }),
  );
});
afterAll(() => test?.close());

const submit = (body: object, headers: Record<string, string> = {}) =>
  test.call<TaskBody & Refused>('POST', '/api/tasks', { as: alice, body: { ...image, ...body }, headers });
const explain = async (body: object) => {
  const { task_id } = (await submit(body)).body;
  return (await test.call<ExplainReply>('GET', `/api/tasks/${task_id}/explain`, { as: alice })).body;
};

describe('mounts', () => {
  it('stand in the record and come back, for writing unless it is said otherwise', async () => {
    const written = { source: '/work', target: '/w' };
    const { status, body } = await submit({ mounts: [sets, written] });
    expect(status).toBe(201);
    expect(body.mounts).toEqual([sets, { ...written, read_only: false }]);
    expect((await test.store.tasks.get(body.task_id))?.spec.mounts).toEqual([
      { source: '/sets/images', target: '/data', readOnly: true },
      { source: '/work', target: '/w', readOnly: false },
    ]);
    const retried = await test.call<TaskBody>('POST', `/api/tasks/${body.task_id}/retry`, { as: alice });
    expect(retried.body.mounts).toEqual(body.mounts);
    expect((await submit({})).body.mounts).toEqual([]);
  });

  it('are part of what an idempotency key stands for', async () => {
    const key = { 'idempotency-key': 'mounts-1' };
    const first = await submit({ mounts: [sets] }, key);
    expect((await submit({ mounts: [sets] }, key)).body.task_id).toBe(first.body.task_id);
    expect((await submit({}, key)).body.code).toBe('idempotency_mismatch');
  });

  it('that can be on no machine are refused by name', async () => {
    const { status, body } = await submit({
      mounts: [
        { source: '/var/run/docker.sock', target: '/s' },
        { ...sets, target: '/output' },
      ],
    });
    expect(status).toBe(400);
    expect(body.details).toEqual([
      { field: 'mounts.0.source', message: expect.stringContaining('never mounted') },
      { field: 'mounts.1.target', message: expect.stringContaining('outside /output') },
    ]);
  });
});

describe('workers', () => {
  it('tell what they let be mounted', async () => {
    const { body } = await test.call<WorkerListReply>('GET', '/workers');
    expect(body.workers.map(({ worker_id, mounts }) => [worker_id, mounts])).toEqual([
      ['none', []],
      ['reads', [{ path: '/sets', read_only: true }]],
    ]);
  });
});

describe('the answer to why a task waits', () => {
  it('names the folder that no worker lets be mounted', async () => {
    const told = await explain({ mounts: [{ ...sets, source: '/other' }] });
    expect(told).toMatchObject({ reason: 'mounts_missing', feasible: false, fits_now: false });
    expect(told.summary).toContain(
      'No worker of the cluster lets tasks mount /other (MOUNT_ALLOW of its runner)',
    );
    const unmet = { source: '/other', read_only: true, only_read_only: false };
    for (const worker of told.workers)
      expect(worker).toMatchObject({ excluded_by: 'mounts', unmet_mounts: [unmet], unmet_labels: [] });
  });

  it('says of each worker what it lacks', async () => {
    const told = await explain({ mounts: [{ ...sets, read_only: false }], constraints: { disk: 'ssd' } });
    expect(told.summary).toContain('No worker with disk=ssd lets tasks mount /sets/images for writing');
    const [none, reads] = told.workers;
    expect(none).toMatchObject({ excluded_by: 'labels', unmet_labels: [{ name: 'disk' }] });
    expect(reads).toMatchObject({
      excluded_by: 'mounts',
      unmet_labels: [],
      unmet_mounts: [{ source: '/sets/images', read_only: false, only_read_only: true }],
    });
  });

  it('is none where one lets it', async () => {
    const told = await explain({ mounts: [sets] });
    expect(told.workers.map(({ fits_now }) => fits_now)).toEqual([false, true]);
    expect(told.feasible).toBe(true);
  });
});

describe('a question what would be', () => {
  it('goes by what may be mounted where', async () => {
    const body = {
      tasks: [
        { ...image, mounts: [sets] },
        { ...image, mounts: [{ ...sets, source: '/other' }] },
      ],
    };
    const { body: told } = await test.call<WhatIfReply>('POST', '/api/whatif', { as: alice, body });
    expect(told.tasks[0]).toMatchObject({ workers: [{ worker_id: 'reads' }] });
    expect(told.tasks[1]).toMatchObject({ verdict: 'never', reason: 'mounts_missing' });
    const add_workers = [{ cpu: 64, memory: 65_536, mounts: [{ path: '/other', read_only: true }] }];
    const more = await test.call<WhatIfReply>('POST', '/api/whatif', {
      as: alice,
      body: { ...body, add_workers },
    });
    expect(more.body.tasks[1]).toMatchObject({ workers: [{ worker_id: 'added-1' }] });
  });
});

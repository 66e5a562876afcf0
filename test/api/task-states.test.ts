// How far many tasks are, in one call: of those who may know, and nothing of anybody else's.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchReply, TaskStatesReply } from '../../shared/contracts/http.ts';
import { newTaskId } from '../../shared/platform/ids.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let admin: Person;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  test = await openTestApi();
  admin = await test.signUp('root');
  alice = await test.signUp('alice');
  bob = await test.signUp('bob');
});
afterAll(() => test?.close());

const states = (task_ids: unknown, as: Person | null) =>
  test.call<TaskStatesReply & Refused>('POST', '/api/tasks/states', { as, body: { task_ids } });

async function submitted(as: Person, count: number): Promise<string[]> {
  const tasks = Array.from({ length: count }, (_, index) => ({ docker_image: 'a', name: `n${index}` }));
  const { body } = await test.call<BatchReply>('POST', '/api/tasks/batch', { as, body: { tasks } });
  return body.tasks.map(({ task_id }) => task_id);
}

describe('the states of many tasks', () => {
  it('are told for a thousand at once, small, each task once', async () => {
    const ids = await submitted(alice, 999);
    await test.call('POST', `/api/tasks/${ids[1]}/cancel`, { as: alice });
    const { status, body } = await states([...ids, ids[0]], alice);
    expect(status).toBe(200);
    expect(body.unknown).toEqual([]);
    expect(new Set(body.tasks.map(({ task_id }) => task_id))).toEqual(new Set(ids));
    expect(body.tasks).toHaveLength(999);
    expect(body.tasks.find(({ task_id }) => task_id === ids[1])).toEqual({
      task_id: ids[1],
      name: 'n1',
      status: 'cancelled',
      reason: null,
      message: 'cancelled by alice',
      exit_code: null,
      attempt: expect.any(Number),
      worker_id: null,
      finished_at: expect.stringContaining('T'),
    });
  });

  it('of others are unknown, but to an admin', async () => {
    const [mine = ''] = await submitted(alice, 1);
    const [theirs = ''] = await submitted(bob, 1);
    const nobodys = newTaskId();
    const asked = [mine, theirs, nobodys];
    const seen = await states(asked, alice);
    expect(seen.body).toMatchObject({ tasks: [{ task_id: mine }], unknown: [theirs, nobodys] });
    expect((await states(asked, admin)).body).toMatchObject({ unknown: [nobodys] });
    expect((await states(asked, admin)).body.tasks).toHaveLength(2);
  });

  it('are refused without a token, and for what is no list of ids', async () => {
    expect((await states([newTaskId()], null)).status).toBe(401);
    for (const wrong of [[], ['x'], 'task-1', Array.from({ length: 1_001 }, newTaskId), undefined]) {
      expect(await states(wrong, alice)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
  });
});

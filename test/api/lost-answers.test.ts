// A store that does what it is asked and whose answer is lost on the way: whoever asked must not be told to ask again.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchReply, TaskBody } from '../../shared/contracts/http.ts';
import { AppError } from '../../shared/errors.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';
import { openTestApi, type Person, type TestApi } from './harness.ts';

let test: TestApi;
let alice: Person;
/** Of the next write: `after` it was done, or before. */
let lost: 'after' | 'before' | null = null;

function losing(real: TaskStore): TaskStore {
  return new Proxy(real, {
    get: (tasks, name) => {
      const member = Reflect.get(tasks, name);
      if (name !== 'insert' && name !== 'commit')
        return typeof member === 'function' ? member.bind(tasks) : member;
      return async (...args: unknown[]) => {
        const how = lost;
        lost = null;
        if (how !== 'before') {
          const answer = await member.apply(tasks, args);
          if (how === null) return answer;
        }
        throw new AppError('store_unavailable', 'the answer was lost', { retryable: true });
      };
    },
  });
}

beforeAll(async () => {
  test = await openTestApi({
    parts: ({ store }) => ({
      store: {
        ...store,
        tasks: losing(store.tasks),
        nextTerm: () => store.nextTerm(),
        ping: () => store.ping(),
        close: () => store.close(),
      },
    }),
  });
  alice = await test.signUp('alice');
});
afterAll(() => test?.close());

const body = { docker_image: 'ubuntu:latest' };
const count = async () => (await test.store.tasks.list({ ownerId: alice.id }, { limit: 100 })).tasks.length;

describe('when the answer of the store is lost', () => {
  it('a submission that stands is answered as one', async () => {
    lost = 'after';
    const reply = await test.call<TaskBody>('POST', '/api/tasks', { as: alice, body });
    expect(reply).toMatchObject({ status: 201, body: { status: 'queued' } });
    expect(await test.store.tasks.get(reply.body.task_id)).not.toBeNull();
    lost = 'after';
    const tasks = { tasks: [body, body] };
    expect((await test.call<BatchReply>('POST', '/api/tasks/batch', { as: alice, body: tasks })).status).toBe(
      201,
    );
    expect(await count()).toBe(3);
  });

  it('one that does not stand is refused, and may be sent again', async () => {
    const before = await count();
    lost = 'before';
    expect((await test.call('POST', '/api/tasks', { as: alice, body })).status).toBe(503);
    expect(await count()).toBe(before);
  });

  it('a cancel that stands is answered as one, and one that does not is refused', async () => {
    const { task_id } = (await test.call<TaskBody>('POST', '/api/tasks', { as: alice, body })).body;
    const cancel = () => test.call<TaskBody>('POST', `/api/tasks/${task_id}/cancel`, { as: alice });
    lost = 'before';
    expect((await cancel()).status).toBe(503);
    lost = 'after';
    expect(await cancel()).toMatchObject({ status: 202, body: { status: 'cancelled' } });
  });
});

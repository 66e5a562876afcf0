// Cursors as anybody may send them: what never was one is refused by name, and none shows what is not one's own.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newTaskId } from '../../shared/platform/ids.ts';
import { makeTask } from '../support/tasks.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let alice: Person;
let ids: string[];

beforeAll(async () => {
  test = await openTestApi({ env: { RATE_LIMIT_READS: '0' } });
  const bob = await test.join('bob');
  alice = await test.join('alice');
  // In turns, so that whatever place a cursor names, tasks of both are on either side of it.
  const tasks = Array.from({ length: 8 }, (_, n) => {
    const { id: ownerId, username: ownerName } = n % 2 === 0 ? alice : bob;
    return makeTask({}, { ownerId, ownerName });
  });
  await test.store.tasks.insert(tasks);
  ids = tasks.map(({ id }) => id);
});
afterAll(() => test?.close());

interface Listed extends Refused {
  tasks?: { user: string }[];
  entries?: { user: string }[];
  files?: unknown[];
}
const list = (path: string, cursor: string) =>
  test.call<Listed>('GET', `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`, {
    as: alice,
  });

const text = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(...'task-0189abz5.%&="[]{}'), minLength: 1, maxLength: 40 }),
  fc.string({ minLength: 1 }).map((one) => `task-${one}`),
  fc.string({ minLength: 1 }).map((one) => `5.task-${one}`),
  fc
    .oneof(
      fc.jsonValue().filter((value) => !Array.isArray(value)),
      fc.tuple(fc.string(), fc.nat(), fc.string()),
    )
    .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
);

describe.each(['/api/tasks', '/api/tasks?view=summary', '/api/queue', '/api/files'])(
  'a cursor of %s',
  (path) => {
    it('that is none is refused by name', () =>
      fc.assert(
        fc.asyncProperty(text, async (cursor) => {
          const { status, body } = await list(path, cursor);
          expect({ cursor, status }).toEqual({ cursor, status: 400 });
          expect(body).toMatchObject({ code: 'invalid_request', details: [{ field: 'cursor' }] });
          expect(body.details[0]?.message).toContain('"cursor" ');
        }),
        { numRuns: 60 },
      ));
  },
);

describe('a cursor that names a place', () => {
  it.each(['/api/tasks', '/api/tasks?view=summary', '/api/queue'])(
    'shows of %s one’s own alone, also when it names a task of somebody else or none',
    async (path) => {
      for (const id of [...ids, newTaskId(), `task-${'0'.repeat(26)}`, `task-${'z'.repeat(26)}`]) {
        const { status, body } = await list(path, path === '/api/queue' ? `5.${id}` : id);
        expect(status).toBe(200);
        const users = (body.tasks ?? body.entries ?? []).map(({ user }) => user);
        expect(users.filter((user) => user !== 'alice')).toEqual([]);
      }
      const all = await test.call<Listed>('GET', path, { as: alice });
      expect((all.body.tasks ?? all.body.entries ?? []).length).toBe(4);
    },
  );
});

// Every room of the live server, as nobody, as a viewer, as some other user, as the owner and as an admin, against the table
// in docs/DOCUMENTATION.md.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import { documentedRooms, PEOPLE, type Who } from '../../support/access-table.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';
import { Ear } from './stage.ts';

describe.each([['open'], ['required']] as const)('with OBSERVE_AUTH=%s', (observeAuth) => {
  let test: TestApi;
  let url: string;
  let people: Record<Who, Person | null>;
  let taskId: string;

  beforeAll(async () => {
    test = await openTestApi({ env: { OBSERVE_AUTH: observeAuth } });
    url = await test.api.start();
    const [admin, owner, other] = await Promise.all([
      test.join('root', { role: 'admin' }),
      test.join('alice'),
      test.join('bob'),
    ]);
    people = { nobody: null, viewer: await test.join('vera', { role: 'viewer' }), other, owner, admin };
    const { body } = await test.call<TaskBody>('POST', '/api/tasks', {
      as: owner,
      body: { docker_image: 'a' },
    });
    taskId = body.task_id;
  });
  afterAll(() => test?.close());

  const rooms = [...documentedRooms(observeAuth)];

  it('there are three rooms', () => {
    expect(rooms.map(([room]) => room)).toEqual(['telemetry', 'tasks', 'task:<id>']);
  });

  it.each(
    rooms.flatMap(([room, admitted]) => PEOPLE.map((who) => [room, who, admitted.includes(who)] as const)),
  )('%s as %s: %s', async (room, who, isAdmitted) => {
    const ear = new Ear(url, people[who]?.token ?? null);
    try {
      await waitFor(() => ear.client.connected || ear.refusal, { what: 'a connection or a refusal' });
      const joined = ear.refusal === null && (await ear.ask({ room: room.replace('<id>', taskId) })).ok;
      expect(joined).toBe(isAdmitted);
    } finally {
      ear.client.disconnect();
    }
  });

  it('tells viewers of the tasks of others, and users of their own alone', async () => {
    const ears = [people.viewer, people.other].map((who) => new Ear(url, who?.token ?? null));
    try {
      for (const ear of ears) {
        await ear.connected();
        await ear.ask({ room: 'tasks' });
      }
      const submit = (who: Person | null) =>
        test.call<TaskBody>('POST', '/api/tasks', { as: who, body: { docker_image: 'a' } });
      const foreign = (await submit(people.owner)).body.task_id;
      const own = (await submit(people.other)).body.task_id;
      const [viewer, other] = ears as [Ear, Ear];
      const told = (ear: Ear) => ear.of('task').map((event) => (event as { task_id: string }).task_id);
      await waitFor(() => told(other).includes(own) && told(viewer).includes(own), {
        what: 'the second event',
      });
      expect(told(viewer)).toContain(foreign);
      expect(told(other)).not.toContain(foreign);
    } finally {
      for (const { client } of ears) client.disconnect();
    }
  });
});

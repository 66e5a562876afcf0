// Sockets while Redis is away and after it came back: slower, but nothing is lost and nothing breaks.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskRoom } from '../../../shared/contracts/live.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';
import { Ear, Mover, seqs } from './stage.ts';

let own: OwnRedis;
let here: TestApi;
let there: TestApi;
let alice: Person;
let hereUrl: string;
let thereUrl: string;

beforeAll(async () => {
  own = await OwnRedis.started();
  here = await openTestApi({ redisUrl: own.url });
  there = await openTestApi({ redisUrl: own.url, beside: here });
  hereUrl = await here.api.start();
  thereUrl = await there.api.start();
  alice = await here.signUp('alice');
});
afterAll(async () => {
  await there?.close();
  await here?.close();
  await own?.remove();
});

describe('when Redis goes away and comes back empty', () => {
  it('sockets stay, see changes and lines a little later, and then at once again', async () => {
    const mover = new Mover(here);
    const task = await mover.running(alice);
    const ears = [new Ear(hereUrl, alice.token), new Ear(thereUrl, alice.token)];
    for (const ear of ears) {
      await ear.connected();
      expect(await ear.ask({ room: taskRoom(task.id), logs: {} })).toMatchObject({ ok: true });
    }
    const allHave = (count: number) =>
      waitFor(() => ears.every((ear) => ear.lines().length === count), {
        what: `${count} lines`,
        deadlineMs: 20_000,
      });
    await mover.write(task, 1, 5);
    await allHave(5);

    await own.kill();
    await mover.write(task, 6, 9);
    const late = await new Ear(thereUrl, alice.token).connected();
    expect(await late.ask({ room: taskRoom(task.id), logs: { from: 8 } })).toMatchObject({
      ok: true,
      progress: null,
    });
    await allHave(9);
    await waitFor(() => late.lines().length === 2, { what: 'lines of a newcomer', deadlineMs: 20_000 });

    await own.start();
    for (const ear of ears) ear.said.length = 0;
    for (const ear of ears) expect(await ear.ask({ room: 'tasks' })).toEqual({ ok: true });
    await waitFor(
      async () => {
        here.redis.rooms.emit(taskRoom(task.id), 'task:usage', { task_id: task.id });
        return ears.every((ear) => ear.of('task:usage').length > 0);
      },
      { what: 'what runners send', everyMs: 100, deadlineMs: 20_000 },
    );
    await waitFor(
      async () => {
        const { id } = await mover.queued(alice);
        await here.call('POST', `/api/tasks/${id}/cancel`, { as: alice });
        return ears.every((ear) => ear.of('task').some(({ status }) => status === 'cancelled'));
      },
      { what: 'what the other copy did', everyMs: 100, deadlineMs: 20_000 },
    );
    await mover.write(task, 10, 12);
    await mover.end(task);
    for (const ear of [...ears, late]) await ear.heard('task:log-end');
    for (const ear of ears) expect(ear.lines()).toEqual(seqs(1, 10, 12));
    expect(late.lines()).toEqual(seqs(1, 8, 12));
    for (const ear of [...ears, late]) {
      expect(ear.reason).toBeNull();
      ear.client.disconnect();
    }
  });
});

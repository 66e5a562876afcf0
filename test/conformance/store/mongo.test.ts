import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMongo } from '../../../shared/adapters/mongo/open.ts';
import { documentOf } from '../../../shared/adapters/mongo/task-document.ts';
import { newUser } from '../../../shared/model/user.ts';
import { freePort } from '../../support/cluster.ts';
import { mongoUrl, TEST_IMAGE } from '../../support/servers.ts';
import { makeTask } from '../../support/tasks.ts';
import type { StorePlace } from './place.ts';
import { assigned, inState, started } from './records.ts';
import { allocationOf, queuedView } from './scheduler-view.ts';
import { storeSuite } from './store-suite.ts';

async function makePlace(): Promise<StorePlace> {
  const url = mongoUrl();
  return {
    url,
    remove: async () => {
      const client = await new MongoClient(url).connect();
      await client.db().dropDatabase();
      await client.close();
    },
  };
}

storeSuite('MongoDB store', makePlace);

describe('a MongoDB server', () => {
  it('that is not there is an unavailable store, within seconds', async () => {
    const url = `mongodb://127.0.0.1:${await freePort()}/x?serverSelectionTimeoutMS=500`;
    await expect(openMongo(url)).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
  });

  it('whose URL is malformed is a matter of settings', async () => {
    await expect(openMongo('mongodb://')).rejects.toMatchObject({ code: 'bad_config' });
  });
});

describe('accounts', () => {
  let place: StorePlace;
  let client: MongoClient;
  beforeEach(async () => {
    place = await makePlace();
    client = await new MongoClient(place.url).connect();
  });
  afterEach(async () => {
    await client.close();
    await place.remove();
  });

  const boss = newUser({ id: 'user-0', username: 'boss', role: 'admin', passwordHash: 'h', createdAt: 1 });
  const deputy = { ...boss, id: 'user-1', username: 'deputy' };

  it('of earlier releases come through whole, and can be changed', async () => {
    const { store } = await openMongo(place.url);
    const documents = client.db().collection<{ _id: string; usernameKey: string; record: string }>('users');
    for (const { id, username, role, passwordHash, createdAt } of [boss, deputy]) {
      const record = JSON.stringify({ id, username, role, passwordHash, createdAt });
      await documents.insertOne({ _id: id, usernameKey: username, record });
    }
    expect(await store.users.get('user-0')).toStrictEqual(boss);
    const { users } = await store.users.list({}, { limit: 9 });
    expect(users).toStrictEqual([boss, deputy]);
    expect(await store.users.commit({ ...boss, disabled: true, revision: 1 })).toBe('written');
    expect(await store.users.commit({ ...boss, disabled: true, revision: 1 })).toBe('stale');
    expect(await store.users.commit({ ...deputy, role: 'user', revision: 1 })).toBe('last_admin');
    await store.close();
  });

  it('lose no last admin to a writer that was long away', async () => {
    const { store } = await openMongo(place.url);
    await store.users.insert(boss);
    await store.users.insert(deputy);
    // It counted two, and was stopped just before it wrote.
    const guards = client
      .db()
      .collection<{ _id: string; userId: string; token: string; at: number }>('admin_guards');
    const left = { _id: 'leaving_admin', userId: boss.id, token: 'old' };
    await guards.insertOne({ ...left, at: Date.now() });
    const disabled = { ...deputy, disabled: true, revision: 1 };
    expect(await store.users.commit(disabled)).toBe('stale');
    await guards.updateOne({ _id: left._id }, { $set: { at: Date.now() - 24 * 3_600_000 } });
    expect(await store.users.commit(disabled)).toBe('written');
    // Whatever it comes with, it is of a revision that is no more.
    expect(await store.users.get(boss.id)).toStrictEqual({ ...boss, revision: 1 });
    expect(await guards.countDocuments()).toBe(0);
    await store.close();
  });
});

describe('tasks of an earlier release', () => {
  it('are seen by schedulers with what only their JSON has', async () => {
    const place = await makePlace();
    const { store } = await openMongo(place.url);
    const client = await new MongoClient(place.url).connect();
    try {
      const resources = { cpuMillis: 1, memoryMb: 2, gpus: 1, storageMb: 4 };
      const waiting = makeTask({ kValue: 2.5, image: 'b:1', name: 'ä' });
      const done = inState('completed', { finishedAt: 5 }, { kValue: 7 });
      const placed = started(assigned(makeTask({ resources }), 'w1'));
      const cancel = { requestedAt: 1, requestedBy: 'alice', force: false };
      const leaving = { ...assigned(makeTask(), 'w2'), cancel };
      await store.tasks.insert([waiting, done, placed, leaving]);
      await client
        .db()
        .collection('tasks')
        .updateMany(
          {},
          {
            $unset: {
              ...{ name: '', image: '', labels: '', kValue: '', gpuIds: '', isLeaving: '' },
              queueTimeoutSeconds: '',
            },
          },
        );
      expect(await store.tasks.queued({ limit: 5 })).toStrictEqual([queuedView(waiting)]);
      expect(await store.tasks.inLine({ limit: 5 })).toMatchObject([
        { name: 'ä', image: 'b:1', kValue: 2.5, labels: { constraints: {}, prefer: {} } },
      ]);
      const kept = { id: done.id, image: TEST_IMAGE, tag: '' };
      expect(await store.tasks.endedRuns({ since: 0, limit: 5 })).toMatchObject([{ ...kept, kValue: 7 }]);
      expect(await store.tasks.kinds([done.id])).toStrictEqual([kept]);
      expect(await store.tasks.allocations('w1')).toStrictEqual([allocationOf(placed, ['gpu-0'], false)]);
      expect(await store.tasks.allocations('w2')).toStrictEqual([allocationOf(leaving, [], true)]);
    } finally {
      await store.close();
      await client.close();
      await place.remove();
    }
  });

  it('are in short lists with name and image, which only their specs have', async () => {
    const place = await makePlace();
    const { store } = await openMongo(place.url);
    const client = await new MongoClient(place.url).connect();
    try {
      const tasks = [makeTask({ name: 'older' }), makeTask({ name: 'newer' })];
      await store.tasks.insert(tasks);
      const older = client.db().collection<{ _id: string }>('tasks');
      await older.updateOne({ _id: tasks[0]?.id ?? '' }, { $unset: { name: '', image: '' } });
      const short = await store.tasks.summaries({}, { limit: 5 });
      expect(short.tasks.map(({ name, image }) => [name, image])).toEqual([
        ['newer', TEST_IMAGE],
        ['older', TEST_IMAGE],
      ]);
    } finally {
      await store.close();
      await client.close();
      await place.remove();
    }
  });
});

// What a writer of a batch leaves behind when it dies, put there by hand for every point at which it may die.
describe('a batch whose writer died', () => {
  let place: StorePlace;
  let client: MongoClient;
  const long = 24 * 3_600_000;
  beforeEach(async () => {
    place = await makePlace();
    client = await new MongoClient(place.url).connect();
  });
  afterEach(async () => {
    await client.close();
    await place.remove();
  });

  const leave = async (state: 'open' | 'committed' | 'given_up' | null, ageMs: number, shown = 0) => {
    const tasks = ['a', 'b', 'c'].map((key) => makeTask({}, { idempotencyKey: key }));
    await client.db().dropDatabase();
    // Opened once, so that the unique index is there.
    await (await openMongo(place.url)).store.close();
    const batches = client.db().collection<{ _id: string; state: string; at: number }>('task_batches');
    if (state) await batches.insertOne({ _id: 'dead', state, at: Date.now() - ageMs });
    await client
      .db()
      .collection<ReturnType<typeof documentOf>>('tasks')
      .insertMany(
        tasks.map((task, n) =>
          n < shown
            ? documentOf(task)
            : { ...documentOf(task), state: 'hidden' as const, batch: 'dead', shows: task.state },
        ),
      );
    return tasks;
  };
  const leftovers = async () =>
    (await client.db().collection('task_batches').countDocuments()) +
    (await client.db().collection('tasks').countDocuments({ state: 'hidden' }));

  it('before it was committed is cleared away when a store is opened, and its keys are free', async () => {
    for (const [state, age] of [
      ['open', long],
      ['given_up', 0],
      [null, 0],
    ] as const) {
      const tasks = await leave(state, age);
      const { store } = await openMongo(place.url);
      expect(await store.tasks.getMany(tasks.map(({ id }) => id))).toEqual([]);
      expect(await leftovers()).toBe(0);
      expect(await store.tasks.insert(tasks)).toEqual({ kind: 'inserted' });
      await store.close();
    }
  });

  it('after it was committed is finished, by a new leader too', async () => {
    for (const shown of [0, 2]) {
      const early = await openMongo(place.url);
      const tasks = await leave('committed', 0, shown);
      await early.store.nextTerm();
      expect(await early.store.tasks.getMany(tasks.map(({ id }) => id))).toHaveLength(3);
      expect(await leftovers()).toBe(0);
      await early.store.close();
    }
  });

  it('is seen by nobody while it may still be under way', async () => {
    const tasks = await leave('open', 0);
    const { store } = await openMongo(place.url);
    expect(await store.tasks.get(tasks[0]!.id)).toBeNull();
    expect(await store.tasks.list({}, { limit: 10 })).toEqual({ tasks: [], next: null });
    expect(await store.tasks.list({ states: ['queued'] }, { limit: 10 })).toEqual({ tasks: [], next: null });
    expect(await store.tasks.queued({ limit: 10 })).toEqual([]);
    expect((await store.tasks.countByState()).queued).toBe(0);
    expect(await store.tasks.countAhead({ priority: 0, id: 'z' })).toBe(0);
    expect(await leftovers()).toBe(4);
    await store.close();
  });

  it('makes way for a submission that needs one of its keys', async () => {
    const { store } = await openMongo(place.url);
    await leave('open', long);
    const task = makeTask({}, { idempotencyKey: 'b' });
    expect(await store.tasks.insert([task])).toEqual({ kind: 'inserted' });
    expect(await store.tasks.get(task.id)).toStrictEqual(task);
    await store.close();
  });
});

describe('a task that an older release wrote', () => {
  it('is complete when it is read', async () => {
    const place = await makePlace();
    const { store } = await openMongo(place.url);
    const task = assigned(makeTask());
    const { webhook: _, constraints: __, prefer: ___, ...spec } = task.spec;
    const attempts = task.attempts.map(({ eviction, usage, progress, outputs, ...attempt }) => attempt);
    const older = { ...documentOf(task), spec: JSON.stringify(spec), attempts: JSON.stringify(attempts) };
    const client = await new MongoClient(place.url).connect();
    await client.db().collection<ReturnType<typeof documentOf>>('tasks').insertOne(older);
    expect(await store.tasks.get(task.id)).toStrictEqual(task);
    await client.close();
    await store.close();
    await place.remove();
  });
});

// Every guarantee of shared/ports/store.ts, for any adapter. Each test has a database of its own, opened twice.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../shared/ports/store.ts';
import { makeTask } from '../../support/tasks.ts';
import { accounts } from './accounts.ts';
import { audit } from './audit.ts';
import { endedTasks } from './ended-tasks.ts';
import { fileRecords } from './file-records.ts';
import { history } from './history.ts';
import { otherRecords } from './other-records.ts';
import { type MakePlace, openStore, type StorePlace } from './place.ts';
import { processes } from './processes.ts';
import { registrations } from './registrations.ts';
import { schedulerView } from './scheduler-view.ts';
import { taskReads } from './task-reads.ts';
import { taskWrites } from './task-writes.ts';
import { uploads } from './uploads.ts';
import { webhooks } from './webhooks.ts';

export function storeSuite(name: string, makePlace: MakePlace): void {
  describe(name, () => {
    let place: StorePlace;
    let pair: [Store, Store];

    beforeEach(async () => {
      place = await makePlace();
      pair = await Promise.all([openStore(place.url), openStore(place.url)]);
    });
    afterEach(async () => {
      await Promise.all(pair.map((store) => store.close()));
      await place.remove();
    });

    taskWrites(() => pair);
    taskReads(() => pair);
    endedTasks(() => pair);
    schedulerView(() => pair);
    otherRecords(() => pair);
    accounts(() => pair);
    registrations(() => pair);
    fileRecords(() => pair);
    uploads(() => pair);
    history(() => pair);
    audit(() => pair);
    webhooks(
      () => pair,
      () => place.url,
    );
    processes(
      () => pair,
      () => place.url,
    );

    describe('a store', () => {
      it('answers, and keeps its records when it is opened again', async () => {
        await pair[0].ping();
        const task = makeTask();
        await pair[0].tasks.insert([task]);
        await Promise.all(pair.map((store) => store.close()));
        const again = await openStore(place.url);
        expect(await again.tasks.get(task.id)).toStrictEqual(task);
        await again.close();
      });

      it('that is closed is unavailable, and closing again does nothing', async () => {
        const [store] = pair;
        await store.close();
        await store.close();
        const away = { code: 'store_unavailable', retryable: true };
        await expect(store.ping()).rejects.toMatchObject(away);
        await expect(store.tasks.get('task-1')).rejects.toMatchObject(away);
        await expect(store.tasks.insert([makeTask()])).rejects.toMatchObject(away);
        await expect(store.nextTerm()).rejects.toMatchObject(away);
      });
    });
  });
}

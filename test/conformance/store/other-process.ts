// A second process on the same database, for the suites. Tells its parent what it has done, line by line.
//   batches <url> <size>      inserts batches until it is killed; tells the first id of each once it returned
//   raise <url> <id> <times>  asks for the cancellation of one task again and again, as any writer must: read,
//                             decide, compare-and-set. Tells `done` with the count of lost races
//   deliver <url> <id> <times> adds tries to one delivery in the same way
//   terms <url> <times>       tells each term it took

import { requestCancel } from '../../../shared/model/task-life.ts';
import { makeTask, taken } from '../../support/tasks.ts';
import { openStore } from './place.ts';

const [mode, url = '', first = '', second = ''] = process.argv.slice(2);
const tell = (line: string) => process.send?.(line);
// A parent that died must not leave this behind.
process.once('disconnect', () => process.exit(0));
const store = await openStore(url);

if (mode === 'batches') {
  for (;;) {
    const tasks = Array.from({ length: Number(first) }, () => makeTask());
    await store.tasks.insert(tasks);
    tell(tasks[0]?.id ?? '');
  }
}

if (mode === 'raise') {
  let lost = 0;
  for (let times = Number(second); times > 0; ) {
    const task = await store.tasks.get(first);
    if (task === null) throw new Error('the task is gone');
    const next = taken(requestCancel(task, { force: false, requestedBy: 'x', now: 1 }));
    if (await store.tasks.commit(next)) times -= 1;
    else lost += 1;
  }
  tell(`done ${lost}`);
}

if (mode === 'deliver') {
  for (let times = Number(second); times > 0; ) {
    const delivery = await store.webhooks.getDelivery(first);
    if (delivery === null) throw new Error('the delivery is gone');
    const tries = [...delivery.tries, { at: 1, tookMs: 1, status: 200, error: null }];
    const next = { ...delivery, tries, revision: delivery.revision + 1 };
    if (await store.webhooks.commitDelivery(next)) times -= 1;
  }
}

if (mode === 'terms') {
  for (let n = 0; n < Number(first); n += 1) tell(String(await store.nextTerm()));
}

await store.close();
process.disconnect?.();

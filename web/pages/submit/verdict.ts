// What the cluster would do with the task of the form, in words and with what to change. Pure.

import { megabytes, trim } from '../../../client/words.ts';
import type { SubmitBody } from '../../../shared/contracts/http.ts';
import { labelTerms } from '../../../shared/contracts/labels.ts';
import type { WhatIfReply } from '../../../shared/contracts/what-if.ts';
import type { AmountsBody, WorkerBody } from '../../../shared/contracts/workers.ts';
import { meetsTerms } from '../../../shared/model/labels.ts';

/** A smaller request with which it would go. */
export interface Change {
  readonly field: keyof AmountsBody;
  readonly amount: number;
  /** On a button, e.g. `Lower memory to 7.5 GB`. */
  readonly text: string;
}

export interface Verdict {
  readonly kind: 'now' | 'part' | 'waits' | 'never';
  readonly heading: string;
  /** Why, and what is placed before it. */
  readonly sentences: readonly string[];
  /** All of them are needed together. */
  readonly changes: readonly Change[];
}

type Asked = Pick<
  SubmitBody,
  'cpu_required' | 'memory_required' | 'gpu_required' | 'storage_required' | 'worker' | 'constraints'
>;
type Labelled = Pick<WorkerBody, 'worker_id' | 'labels'>;

/** Less of anything does not help. */
const NOT_OF_SIZE: readonly (string | null)[] = [
  'labels_missing',
  'mounts_missing',
  'no_ready_match',
  'over_quota',
  'quota_used',
];

const LEAST: Readonly<Record<keyof AmountsBody, number>> = { cpu: 0.01, memory: 6, gpu: 0, storage: 0 };

/** @param labelled the workers that are known with their labels: only those with the right ones are worth a change */
export function verdictOf(
  reply: WhatIfReply,
  asked: Asked,
  labelled: readonly Labelled[] = [],
): Verdict | null {
  const [task] = reply.tasks;
  if (!task) return null;
  const { count, placed, verdict } = task;
  const one = count === 1;
  const sentences = [task.summary];
  if (reply.behind > 0 && verdict !== 'never') {
    sentences.push(
      `${reply.behind.toLocaleString()} ${reply.behind === 1 ? 'task goes' : 'tasks go'} before ${one ? 'it' : 'the last of them'}.`,
    );
  }
  if (verdict === 'never') {
    const changes = NOT_OF_SIZE.includes(task.reason)
      ? []
      : changesFor(asked, reply, labelled, ({ capacity }) => capacity);
    const heading = one ? 'Never fits as it is' : 'None of them ever fits as it is';
    return { kind: 'never', heading, sentences, changes };
  }
  if (placed === count) {
    const [first] = task.workers;
    const where = task.workers.length === 1 && first ? first.worker_id : `${task.workers.length} workers`;
    const heading = one ? `Fits now on ${where}` : `All ${count.toLocaleString()} fit now, on ${where}`;
    return { kind: 'now', heading, sentences: sentences.slice(1), changes: [] };
  }
  if (placed > 0) {
    const heading = `${placed.toLocaleString()} of ${count.toLocaleString()} fit now, the rest waits`;
    return { kind: 'part', heading, sentences, changes: [] };
  }
  const changes =
    task.reason === 'no_room' ? changesFor(asked, reply, labelled, ({ after }) => after.free) : [];
  return { kind: 'waits', heading: one ? 'Waits' : `All ${count.toLocaleString()} wait`, sentences, changes };
}

/** For the worker that needs the fewest of them; none when no worker would do. */
function changesFor(
  asked: Asked,
  reply: WhatIfReply,
  labelled: readonly Labelled[],
  room: (worker: WhatIfReply['workers'][number]) => AmountsBody,
): Change[] {
  const wanted: AmountsBody = {
    cpu: asked.cpu_required,
    memory: asked.memory_required,
    gpu: asked.gpu_required,
    storage: asked.storage_required,
  };
  const dimensions = Object.keys(wanted) as (keyof AmountsBody)[];
  const must = labelTerms(asked.constraints);
  const isKeptOut = new Set(
    labelled.filter(({ labels }) => !meetsTerms(must, labels)).map(({ worker_id }) => worker_id),
  );
  const open = reply.workers.filter(
    ({ state, worker_id }) =>
      state === 'ready' && !isKeptOut.has(worker_id) && (asked.worker === '' || asked.worker === worker_id),
  );
  const choices = open.flatMap((worker) => {
    const has = room(worker);
    const over = dimensions.filter((dimension) => wanted[dimension] > has[dimension]);
    // One that asks for a GPU hardly runs without any.
    const isUsable = over.every((one) => has[one] >= LEAST[one] && (one !== 'gpu' || has[one] > 0));
    const share = over.reduce((sum, one) => sum + 1 - has[one] / wanted[one], 0);
    return over.length > 0 && isUsable ? [{ over, has, share }] : [];
  });
  const [best] = choices.sort((a, b) => a.over.length - b.over.length || a.share - b.share);
  return best ? best.over.map((field) => changeOf(field, best.has[field])) : [];
}

function changeOf(field: keyof AmountsBody, has: number): Change {
  switch (field) {
    case 'cpu':
      return { field, amount: has, text: `Lower cores to ${trim(has, 3)}` };
    case 'memory':
      return { field, amount: Math.floor(has), text: `Lower memory to ${megabytes(Math.floor(has))}` };
    case 'gpu':
      return { field, amount: has, text: `Lower GPUs to ${has}` };
    case 'storage':
      return { field, amount: Math.floor(has), text: `Lower storage to ${megabytes(Math.floor(has))}` };
  }
}

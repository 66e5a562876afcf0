// The question "what if there were more of these, or other workers", as it stands in the form, and its answer as rows.
// Pure.

import { megabytes, trim } from '../../../client/words.ts';
import type { QueueEntryBody } from '../../../shared/contracts/queue.ts';
import type { WhatIfReply, WhatIfRequest, WhatIfWorkerBody } from '../../../shared/contracts/what-if.ts';
import type { AmountsBody } from '../../../shared/contracts/workers.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';

/** As typed. Memory is in GB. */
export interface WhatIfForm {
  readonly count: string;
  /** Id of a task that is there; empty: of the size below. */
  readonly of: string;
  readonly cpu: string;
  readonly memory: string;
  readonly gpu: string;
  /** Further workers; none or empty: as it is. */
  readonly addCount: string;
  readonly addCpu: string;
  readonly addMemory: string;
  readonly addGpu: string;
  /** Id of a worker that is away; empty: none. */
  readonly without: string;
}

export const EMPTY_QUESTION: WhatIfForm = {
  ...{ count: '1', of: '', cpu: '1', memory: '0.5', gpu: '0' },
  ...{ addCount: '0', addCpu: '8', addMemory: '32', addGpu: '0', without: '' },
};

const MB_PER_GB = 1_024;
/** Only placing is asked about: no image decides that. */
const ANY_IMAGE = 'any';
const LEAST: Readonly<Partial<Record<keyof WhatIfForm, number>>> = {
  ...{ count: 1, cpu: 0.01, memory: 0.006, addCpu: 0.01, addMemory: 0.006 },
};
const WHOLE: readonly (keyof WhatIfForm)[] = ['count', 'gpu', 'addCount', 'addGpu'];

/** The fields whose numbers count. */
function asked(form: WhatIfForm): (keyof WhatIfForm)[] {
  return [
    'count',
    ...(form.of === '' ? (['cpu', 'memory', 'gpu'] as const) : []),
    'addCount',
    ...(form.addCount.trim() === '0' ? [] : (['addCpu', 'addMemory', 'addGpu'] as const)),
  ];
}

export function questionFaults(form: WhatIfForm): ErrorDetail[] {
  return asked(form).flatMap((field) => {
    const number = numberOf(form[field]);
    const least = LEAST[field] ?? 0;
    if (Number.isNaN(number)) return [{ field, message: 'Must be a number' }];
    if (WHOLE.includes(field) && !Number.isInteger(number))
      return [{ field, message: 'Must be a whole number' }];
    return number < least ? [{ field, message: `Must be ${least} or more` }] : [];
  });
}

/** Of a form without faults. */
export function questionOf(form: WhatIfForm): WhatIfRequest {
  const count = numberOf(form.count);
  const added = numberOf(form.addCount);
  const task =
    form.of === ''
      ? {
          docker_image: ANY_IMAGE,
          cpu_required: numberOf(form.cpu),
          memory_required: numberOf(form.memory) * MB_PER_GB,
          gpu_required: numberOf(form.gpu),
        }
      : { task_id: form.of };
  return {
    tasks: [{ ...task, count }],
    ...(added === 0
      ? {}
      : {
          add_workers: [
            {
              cpu: numberOf(form.addCpu),
              memory: numberOf(form.addMemory) * MB_PER_GB,
              gpu: numberOf(form.addGpu),
              count: added,
            },
          ],
        }),
    ...(form.without === '' ? {} : { without: [form.without] }),
  };
}

/** Waiting tasks to choose from, of those that are alike the first. */
export function kindsOf(entries: readonly QueueEntryBody[], most: number): QueueEntryBody[] {
  const kinds = new Map<string, QueueEntryBody>();
  for (const entry of entries) {
    const { docker_image, tag, user, priority, worker } = entry;
    const { cpu_required, memory_required, gpu_required, storage_required } = entry;
    const needs = [cpu_required, memory_required, gpu_required, storage_required];
    const text = JSON.stringify([docker_image, tag, user, priority, worker, ...needs]);
    if (!kinds.has(text)) kinds.set(text, entry);
    if (kinds.size >= most) break;
  }
  return [...kinds.values()];
}

export interface FateRow {
  readonly workerId: string;
  readonly added: boolean;
  readonly state: WhatIfWorkerBody['state'];
  /** How many of these it would get, and of those that wait already. */
  readonly placed: number;
  readonly ahead: number;
  readonly cpu: string;
  readonly memory: string;
  readonly gpu: string;
}

/** Those that would get something, and those that are added. */
export function fateRows({ workers }: WhatIfReply): FateRow[] {
  return workers
    .filter(({ placed, placed_ahead, added }) => placed + placed_ahead > 0 || added)
    .map((worker) => ({
      workerId: worker.worker_id,
      added: worker.added,
      state: worker.state,
      placed: worker.placed,
      ahead: worker.placed_ahead,
      cpu: change(worker, 'cpu', (value) => trim(value, 2)),
      memory: change(worker, 'memory', megabytes),
      gpu: worker.capacity.gpu > 0 ? change(worker, 'gpu', String) : '',
    }));
}

/** `1 → 3 of 4`. */
function change(
  { before, after, capacity }: WhatIfWorkerBody,
  of: keyof AmountsBody,
  words: (value: number) => string,
): string {
  const [held, then] = [words(before.reserved[of]), words(after.reserved[of])];
  return `${held === then ? held : `${held} → ${then}`} of ${words(capacity[of])}`;
}

function numberOf(text: string): number {
  const bare = text.trim().replace(',', '.');
  return bare === '' ? Number.NaN : Number(bare);
}

// What an admin may do with a worker, by its state, and in which words it is asked and told. Pure.

import type { WorkerBody } from '../../../shared/contracts/workers.ts';

const ACTS = ['cordon', 'uncordon', 'drain', 'remove'] as const;
export type Act = (typeof ACTS)[number];

export interface Offer {
  readonly act: Act;
  readonly label: string;
  /** Why it cannot be done now; empty when it can. */
  readonly refusal: string;
}

export function offersFor({
  state,
  maintenance,
  tasks,
}: Pick<WorkerBody, 'state' | 'tasks'> & Partial<Pick<WorkerBody, 'maintenance'>>): Offer[] {
  const held = tasks.assigned + tasks.running;
  const isUp = state !== 'down' && state !== 'unreachable';
  // What an admin has set stands behind what is wrong with it.
  const set = state === 'unhealthy' ? (maintenance ?? 'none') : state;
  const remove: Offer = {
    act: 'remove',
    label: 'Remove',
    refusal: isUp && held > 0 ? `It holds ${taskCount(held)}: drain it first` : '',
  };
  // Nobody has joined yet: there is nothing to keep tasks from.
  if (state === 'unreachable') return [remove];
  const offer = (act: Act, label: string): Offer => ({ act, label, refusal: '' });
  const offers: Offer[] = [];
  if (set === 'cordoned' || set === 'draining') offers.push(offer('uncordon', 'Uncordon'));
  else offers.push(offer('cordon', 'Cordon'));
  offers.push(offer('drain', set === 'draining' ? 'Change deadline' : 'Drain'));
  return [...offers, remove];
}

/** What to ask before; null for what is undone with one click, and for draining, which has a question of its own. */
export function questionFor(
  act: Act,
  { worker_id, state }: Pick<WorkerBody, 'worker_id' | 'state'>,
): { heading: string; text: string; confirm: string; danger: boolean } | null {
  if (act === 'remove') {
    return {
      heading: `Remove ${worker_id}?`,
      text:
        state === 'unreachable'
          ? 'It is called no longer. Register it again to call it.'
          : 'The cluster forgets it. Its machine has to be registered, or its runner started, to join again.',
      confirm: 'Remove',
      danger: true,
    };
  }
  return null;
}

/** What is true afterwards. */
export function doneWords(act: Act, { worker_id, tasks }: Pick<WorkerBody, 'worker_id' | 'tasks'>): string {
  const held = tasks.assigned + tasks.running;
  switch (act) {
    case 'cordon':
      return `${worker_id} is cordoned: it gets no new tasks.`;
    case 'uncordon':
      return `${worker_id} takes tasks again.`;
    case 'drain':
      return held > 0
        ? `${worker_id} drains: it holds ${taskCount(held)}.`
        : `${worker_id} is drained: it holds no task.`;
    case 'remove':
      return `${worker_id} is removed.`;
  }
}

export function taskCount(number: number): string {
  return `${number} ${number === 1 ? 'task' : 'tasks'}`;
}

// Until when a worker drains: what an admin may choose, what comes of it, and how it stands. Pure.

import { duration } from '../../../client/words.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { taskCount } from './maintenance.ts';

export type DrainChoice = 'never' | 'now' | '10m' | '1h' | 'own';

export const DRAIN_CHOICES: Readonly<Record<DrainChoice, string>> = {
  never: 'When its tasks have ended',
  now: 'Now',
  '10m': 'In 10 minutes',
  '1h': 'In 1 hour',
  own: 'In so many minutes:',
};

const SECONDS: Readonly<Partial<Record<DrainChoice, number>>> = { now: 0, '10m': 600, '1h': 3_600 };
/** A month; nobody waits longer on purpose. */
export const MOST_MINUTES = 43_200;

/** How long what runs there may go on, in seconds; `never`: as long as it likes. Null when that was not said. */
export function drainSeconds(choice: DrainChoice, minutes: string): number | 'never' | null {
  if (choice === 'never') return 'never';
  if (choice !== 'own') return SECONDS[choice] ?? null;
  const number = Number(minutes.trim().replace(',', '.'));
  return minutes.trim() !== '' && number >= 0 && number <= MOST_MINUTES ? Math.round(number * 60) : null;
}

/** What happens to the tasks that are there. */
export function drainEffect(choice: DrainChoice, held: number): string {
  if (held === 0) return 'It holds no task now: it is empty at once.';
  const tasks = taskCount(held);
  switch (choice) {
    case 'never':
      return `The ${tasks} there may run to the end, however long that takes.`;
    case 'now':
      return `The ${tasks} there ${held === 1 ? 'is' : 'are'} stopped and begin${held === 1 ? 's' : ''} again on other workers. That costs no retry, but what was done so far is lost.`;
    default:
      return `The ${tasks} there may run until then. What is left is stopped and begins again on other workers: that costs no retry, but what it did so far is lost.`;
  }
}

type Draining = Pick<WorkerBody, 'state' | 'drain_until' | 'tasks'>;

/** How the draining stands; empty for a worker that does not. */
export function drainWords({ state, drain_until, tasks }: Draining, now: number): string {
  if (state !== 'draining') return '';
  const held = tasks.assigned + tasks.running;
  if (held === 0) return 'Drained: it is empty and can be removed or uncordoned.';
  if (drain_until === null) return `Until its ${taskCount(held)} ${held === 1 ? 'has' : 'have'} ended.`;
  const left = Date.parse(drain_until) - now;
  if (left <= 0) return `Time is up: ${taskCount(held)} ${held === 1 ? 'is' : 'are'} being moved elsewhere.`;
  return `Draining until ${clock(drain_until, now)}, in ${duration(left)}; then ${taskCount(held)} ${held === 1 ? 'moves' : 'move'} elsewhere.`;
}

/** With its day when it is another. */
export function clock(iso: string, now: number): string {
  const date = new Date(iso);
  return date.toDateString() === new Date(now).toDateString()
    ? date.toLocaleTimeString(undefined, { timeStyle: 'short' })
    : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

// What the address of the list says: which tasks, in which order. Pure.

import type { TaskFilter } from '../../../client/client.ts';
import { TASK_STATES, type TaskState } from '../../../shared/model/task.ts';

export const SORTS = {
  submitted: 'Submitted',
  name: 'Name',
  state: 'State',
  image: 'Image',
  user: 'User',
  worker: 'Worker',
  priority: 'Priority',
  ran: 'Ran',
  finished: 'Finished',
} as const;

export type SortKey = keyof typeof SORTS;

export interface SortOrder {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** What changes which tasks there are, apart from the page of them. */
export type ListFilter = Pick<TaskFilter, 'status' | 'tag' | 'user' | 'worker' | 'q'>;

export const FILTER_FIELDS = ['status', 'q', 'tag', 'worker', 'user'] as const;

/** Newest first: the order in which the API gives them, so that no more is read than is shown. */
export const NEWEST: SortOrder = { key: 'submitted', descending: true };

export function filterOf(query: URLSearchParams): ListFilter {
  const named = query.get('status')?.split(',') ?? [];
  const status: readonly TaskState[] = TASK_STATES.filter((state) => named.includes(state));
  const field = (name: string) => query.get(name)?.trim() || undefined;
  return {
    status: status.length > 0 && status.length < TASK_STATES.length ? status : undefined,
    tag: field('tag'),
    user: field('user'),
    worker: field('worker'),
    q: field('q'),
  };
}

/** `name`, `-priority`; what is no order is the newest first. */
export function orderOf(query: URLSearchParams): SortOrder {
  const text = query.get('sort') ?? '';
  const key = text.replace(/^-/, '');
  return Object.hasOwn(SORTS, key) ? { key: key as SortKey, descending: text.startsWith('-') } : NEWEST;
}

export function orderText({ key, descending }: SortOrder): string | null {
  if (key === 'submitted' && descending) return null;
  return `${descending ? '-' : ''}${key}`;
}

export function isNewest({ key, descending }: SortOrder): boolean {
  return key === 'submitted' && descending;
}

/** What a click on the heading of `key` asks for: numbers and times begin with the greatest. */
export function orderAfterClick(now: SortOrder, key: SortKey): SortOrder {
  if (now.key === key) return { key, descending: !now.descending };
  return {
    key,
    descending: key === 'submitted' || key === 'priority' || key === 'ran' || key === 'finished',
  };
}

export function isFiltered(filter: ListFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

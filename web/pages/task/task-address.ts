// The address of a view of a task's page. Pure: what is not named stays as it is.

import { addressOf, type Route } from '../../data/routes.ts';

const VIEWS = ['output', 'files', 'usage', 'story', 'spec'] as const;
export type View = (typeof VIEWS)[number];

/** What the query of the page may hold. */
type Part = 'view' | 'file' | 'attempt' | 'find';

export function viewOf({ query }: Pick<Route, 'query'>): View {
  return VIEWS.find((view) => view === query.get('view')) ?? 'output';
}

/** The attempt that was chosen, or null for the one that comes by itself. */
export function attemptOf({ query }: Pick<Route, 'query'>): number | null {
  const text = query.get('attempt') ?? '';
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : null;
}

/** @param changes null takes a part out */
export function taskAddress(
  { id, query }: Pick<Route, 'id' | 'query'>,
  changes: Readonly<Partial<Record<Part, string | number | null>>> = {},
): string {
  const parts = { ...Object.fromEntries(query), ...changes };
  return addressOf(`/tasks/${id}`, { ...parts, view: parts.view === 'output' ? null : parts.view });
}

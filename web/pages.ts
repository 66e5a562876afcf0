// The pages: what each is called, which element draws it, and how its part of the program is fetched. Each is a chunk of
// its own, fetched when it is first opened, so that the first page of a visit comes fast.

import type { Route } from './data/routes.ts';
import { define, type Elements } from './elements/define.ts';

export interface PageElement extends HTMLElement {
  readonly updateComplete: Promise<boolean>;
}

interface Page {
  readonly title: string;
  readonly tag: string;
  readonly load: () => Promise<{ readonly elements: Elements }>;
}

export const PAGES: Readonly<Record<Exclude<Route['page'], 'nowhere'>, Page>> = {
  overview: { title: 'Overview', tag: 'overview-page', load: () => import('./pages/overview/index.ts') },
  tasks: { title: 'Tasks', tag: 'tasks-page', load: () => import('./pages/tasks/index.ts') },
  task: { title: 'Task', tag: 'task-page', load: () => import('./pages/task/index.ts') },
  submit: { title: 'Submit a task', tag: 'submit-page', load: () => import('./pages/submit/index.ts') },
  queue: { title: 'Queue', tag: 'queue-page', load: () => import('./pages/queue/index.ts') },
  workers: { title: 'Workers', tag: 'workers-page', load: () => import('./pages/workers/index.ts') },
  worker: { title: 'Worker', tag: 'worker-page', load: () => import('./pages/workers/index.ts') },
  files: { title: 'Files', tag: 'files-page', load: () => import('./pages/files/index.ts') },
  account: { title: 'Account', tag: 'account-page', load: () => import('./pages/account/index.ts') },
  audit: { title: 'Audit log', tag: 'audit-page', load: () => import('./pages/audit/index.ts') },
  admin: { title: 'Users', tag: 'admin-page', load: () => import('./pages/admin/index.ts') },
};

/** Fetches what draws the page, once. */
export async function loadPage(name: keyof typeof PAGES): Promise<void> {
  define((await PAGES[name].load()).elements);
}

// Which address shows which page. Pure. Addresses of the API (/workers, /telemetry, /queues, /api/…) must not be used
// here, so the page of the workers is /cluster. What a page shows beside its subject stands in the query, so that every
// view has an address.

const PLAIN_PAGES = {
  '/': 'overview',
  '/tasks': 'tasks',
  '/submit': 'submit',
  '/queue': 'queue',
  '/cluster': 'workers',
  '/files': 'files',
  '/account': 'account',
  '/admin': 'admin',
  '/audit': 'audit',
} as const;

export type PageName = (typeof PLAIN_PAGES)[keyof typeof PLAIN_PAGES] | 'task' | 'worker' | 'nowhere';

export interface Route {
  readonly page: PageName;
  /** The task or the worker that the page is about. */
  readonly id: string;
  readonly query: URLSearchParams;
}

export function routeOf(path: string, search = ''): Route {
  const bare = path.replace(/\/+$/, '') || '/';
  const query = new URLSearchParams(search);
  const plain = Object.hasOwn(PLAIN_PAGES, bare) ? PLAIN_PAGES[bare as keyof typeof PLAIN_PAGES] : null;
  if (plain) return { page: plain, id: '', query };
  const task = /^\/tasks\/(task-[0-9a-z]+)$/.exec(bare)?.[1];
  if (task) return { page: 'task', id: task, query };
  const worker = /^\/cluster\/([A-Za-z0-9][\w.-]{0,62})$/.exec(bare)?.[1];
  if (worker) return { page: 'worker', id: worker, query };
  return { page: 'nowhere', id: '', query };
}

/** The address of a page with a query; what is null, empty or false is left out. */
export function addressOf(
  path: string,
  query: Readonly<Record<string, string | number | boolean | null | undefined>> = {},
): string {
  const parts = Object.entries(query).filter(
    ([, value]) => value !== null && value !== undefined && value !== '' && value !== false,
  );
  const search = new URLSearchParams(parts.map(([name, value]) => [name, String(value)])).toString();
  return search === '' ? path : `${path}?${search}`;
}

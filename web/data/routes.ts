// Which address shows which page. Pure. Addresses of the API (/workers, /telemetry, /api/…) must not be used here.

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'tasks'; readonly query: URLSearchParams }
  | { readonly page: 'task'; readonly taskId: string }
  | { readonly page: 'submit' }
  | { readonly page: 'nowhere' };

export function routeOf(path: string, search = ''): Route {
  const bare = path.replace(/\/+$/, '') || '/';
  if (bare === '/') return { page: 'overview' };
  if (bare === '/tasks') return { page: 'tasks', query: new URLSearchParams(search) };
  if (bare === '/submit') return { page: 'submit' };
  const taskId = /^\/tasks\/(task-[0-9a-z]+)$/.exec(bare)?.[1];
  return taskId ? { page: 'task', taskId } : { page: 'nowhere' };
}

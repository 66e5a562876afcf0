import { describe, expect, it } from 'vitest';
import { addressOf, routeOf } from './routes.ts';

describe('addresses', () => {
  it('mean pages, with their subject and query', () => {
    expect(routeOf('/').page).toBe('overview');
    expect(routeOf('/tasks/', '?status=failed')).toMatchObject({ page: 'tasks' });
    expect(routeOf('/tasks', '?status=failed').query.get('status')).toBe('failed');
    expect(routeOf('/tasks/task-01abc')).toMatchObject({ page: 'task', id: 'task-01abc' });
    expect(routeOf('/cluster/worker-1.gpu_2')).toMatchObject({ page: 'worker', id: 'worker-1.gpu_2' });
    for (const path of [
      '/tasks/../x',
      '/tasks/task-01/x',
      '/cluster/.x',
      '/workers',
      '/queues',
      '/telemetry',
      '/api/tasks',
      '/constructor',
    ]) {
      expect(routeOf(path).page).toBe('nowhere');
    }
  });

  it('are made of what is set', () => {
    expect(addressOf('/tasks')).toBe('/tasks');
    expect(addressOf('/tasks', { tag: 'a b', user: '', status: null, wrap: false, line: 0 })).toBe(
      '/tasks?tag=a+b&line=0',
    );
  });
});

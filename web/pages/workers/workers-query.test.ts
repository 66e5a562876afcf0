import { describe, expect, it } from 'vitest';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { PAGE, workersQuery, workersView } from './workers-query.ts';

const worker = (worker_id: string, over: Partial<WorkerBody> = {}): WorkerBody =>
  ({
    worker_id,
    state: 'ready',
    address: '10.0.0.1:50052',
    labels: {},
    mounts: [],
    capacity: { cpu: 4, memory: 100, gpu: 0, storage: 0 },
    reserved: { cpu: 0, memory: 0, gpu: 0, storage: 0 },
    free: { cpu: 4, memory: 100, gpu: 0, storage: 0 },
    tasks: { assigned: 0, running: 0 },
    fingerprint: null,
    ...over,
  }) as WorkerBody;
const shown = (workers: WorkerBody[], search: string) =>
  workersView(workers, workersQuery(new URLSearchParams(search))).shown.map(({ worker_id }) => worker_id);

describe('the list of workers', () => {
  const full = { cpu: 4, memory: 10, gpu: 0, storage: 0 };
  const some = [
    worker('w-10', { labels: { zone: 'North' } }),
    worker('w-2', { state: 'down', reserved: full, free: { cpu: 0, memory: 90, gpu: 0, storage: 0 } }),
    worker('w-1', { tasks: { assigned: 1, running: 2 }, address: 'gpu.example' }),
  ];

  it('is in order of name, numbers as people count', () => {
    expect(shown(some, '')).toEqual(['w-1', 'w-2', 'w-10']);
  });

  it('finds by name, address and label, all words of it', () => {
    expect(shown(some, 'q=zone%3Dnorth')).toEqual(['w-10']);
    expect(shown(some, 'q=W-1')).toEqual(['w-1', 'w-10']);
    expect(shown(some, 'q=w-1+gpu')).toEqual(['w-1']);
    expect(shown(some, 'q=none')).toEqual([]);
  });

  it('filters by state and sorts by what is asked', () => {
    expect(shown(some, 'state=down')).toEqual(['w-2']);
    expect(shown(some, 'sort=state')).toEqual(['w-2', 'w-1', 'w-10']);
    expect(shown(some, 'sort=full')).toEqual(['w-2', 'w-1', 'w-10']);
    expect(shown(some, 'sort=free&of=cpu')).toEqual(['w-1', 'w-10', 'w-2']);
    expect(shown(some, 'sort=tasks')[0]).toBe('w-1');
  });

  it('takes what it does not know for the usual', () => {
    expect(workersQuery(new URLSearchParams('state=x&sort=toString&of=y&page=-1'))).toEqual({
      q: '',
      state: null,
      sort: 'name',
      of: 'cpu',
      page: 1,
      register: false,
    });
  });

  it('comes in pages, and never beyond the last', () => {
    const many = Array.from({ length: 2 * PAGE + 1 }, (_, index) => worker(`w-${index}`));
    const view = workersView(many, workersQuery(new URLSearchParams('page=9')));
    expect(view).toMatchObject({ page: 3, pages: 3, fitting: 2 * PAGE + 1 });
    expect(view.shown).toHaveLength(1);
  });
});

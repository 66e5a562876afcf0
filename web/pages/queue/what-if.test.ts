import { describe, expect, it } from 'vitest';
import type { WhatIfReply, WhatIfWorkerBody } from '../../../shared/contracts/what-if.ts';
import { makeQueueEntry } from '../../../test/support/small-api.ts';
import { EMPTY_QUESTION, fateRows, kindsOf, questionFaults, questionOf } from './what-if.ts';

const form = (over: Partial<typeof EMPTY_QUESTION>) => ({ ...EMPTY_QUESTION, ...over });

describe('what if', () => {
  it('is asked of a size, or of a task that is there', () => {
    expect(questionOf(form({ count: '3', cpu: '0,5', memory: '2', gpu: '1' }))).toEqual({
      tasks: [{ docker_image: 'any', cpu_required: 0.5, memory_required: 2_048, gpu_required: 1, count: 3 }],
    });
    expect(questionOf(form({ of: 'task-1', addCount: '2', addGpu: '4', without: 'w-1' }))).toEqual({
      tasks: [{ task_id: 'task-1', count: 1 }],
      add_workers: [{ cpu: 8, memory: 32_768, gpu: 4, count: 2 }],
      without: ['w-1'],
    });
  });

  it('has the faults of those fields alone that count', () => {
    const fields = (over: Partial<typeof EMPTY_QUESTION>) =>
      questionFaults(form(over)).map(({ field }) => field);
    expect(fields({})).toEqual([]);
    expect(fields({ count: '0', cpu: '', memory: '-1', gpu: '0.5' })).toEqual([
      'count',
      'cpu',
      'memory',
      'gpu',
    ]);
    expect(fields({ of: 'task-1', cpu: '' })).toEqual([]);
    expect(fields({ addCpu: 'x' })).toEqual([]);
    expect(fields({ addCount: '1', addCpu: 'x', addMemory: '0' })).toEqual(['addCpu', 'addMemory']);
  });

  it('offers one waiting task of each kind', () => {
    const entries = ['a', 'b', 'c'].map((task_id, n) =>
      makeQueueEntry({ task_id, cpu_required: n > 1 ? 2 : 1 }),
    );
    expect(kindsOf(entries, 9).map(({ task_id }) => task_id)).toEqual(['a', 'c']);
    expect(kindsOf(entries, 1)).toHaveLength(1);
    const disks = ['a', 'b'].map((task_id, n) => makeQueueEntry({ task_id, storage_required: n * 1_024 }));
    expect(kindsOf(disks, 9)).toHaveLength(2);
  });

  it('is answered by the workers that change', () => {
    const amounts = (cpu: number) => ({ cpu, memory: 512 * cpu, gpu: 0, storage: 0 });
    const worker = (id: string, placed: number, over: Partial<WhatIfWorkerBody> = {}): WhatIfWorkerBody => ({
      ...{ worker_id: id, added: false, state: 'ready', placed, placed_ahead: 0, capacity: amounts(4) },
      before: { reserved: amounts(1), free: amounts(3) },
      after: { reserved: amounts(1 + placed), free: amounts(3 - placed) },
      ...over,
    });
    const reply = { workers: [worker('w1', 2), worker('w2', 0), worker('new', 0, { added: true })] };
    expect(fateRows(reply as unknown as WhatIfReply)).toMatchObject([
      { workerId: 'w1', placed: 2, cpu: '1 → 3 of 4', memory: '512 MB → 1.5 GB of 2 GB', gpu: '' },
      { workerId: 'new', added: true, cpu: '1 of 4' },
    ]);
  });
});

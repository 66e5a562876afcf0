import { describe, expect, it } from 'vitest';
import type { WhatIfReply, WhatIfTaskBody, WhatIfWorkerBody } from '../../../shared/contracts/what-if.ts';
import { verdictOf } from './verdict.ts';

const asked = {
  ...{ cpu_required: 4, memory_required: 4_096, gpu_required: 0, storage_required: 0, worker: '' },
  constraints: {},
};

function worker(id: string, cpu: number, memory: number, free = { cpu, memory }): WhatIfWorkerBody {
  const amount = (of: { cpu: number; memory: number }) => ({ ...of, gpu: 0, storage: 1_000 });
  const shown = { reserved: amount({ cpu: 0, memory: 0 }), free: amount(free) };
  return {
    ...{ worker_id: id, added: false, state: 'ready' as const, placed: 0, placed_ahead: 0 },
    ...{ capacity: amount({ cpu, memory }), before: shown, after: shown },
  };
}

function reply(task: Partial<WhatIfTaskBody>, workers: WhatIfWorkerBody[] = [], behind = 0): WhatIfReply {
  const one: WhatIfTaskBody = {
    ...{ index: 0, count: 1, placed: 0, waiting: 0, verdict: 'never', reason: null, summary: 'Because.' },
    ...{ workers: [], ...task },
  };
  return { placed: 0, waiting: 0, never: 0, behind, more: false, tasks: [one], workers };
}

describe('the verdict', () => {
  it('names the worker where it fits now', () => {
    const one = { placed: 1, verdict: 'now' as const, workers: [{ worker_id: 'w2', count: 1 }] };
    expect(verdictOf(reply(one), asked)).toMatchObject({
      kind: 'now',
      heading: 'Fits now on w2',
      sentences: [],
    });
    const many = {
      count: 5,
      placed: 5,
      verdict: 'now' as const,
      workers: [...one.workers, { worker_id: 'w3', count: 4 }],
    };
    expect(verdictOf(reply(many), asked)?.heading).toBe('All 5 fit now, on 2 workers');
  });

  it('says why it waits, behind whom, and what would let it start', () => {
    const busy = worker('w1', 8, 8_192, { cpu: 2, memory: 8_192 });
    const verdict = verdictOf(reply({ verdict: 'waits', reason: 'no_room' }, [busy], 3), asked);
    expect(verdict).toMatchObject({ kind: 'waits', heading: 'Waits' });
    expect(verdict?.sentences).toEqual(['Because.', '3 tasks go before it.']);
    expect(verdict?.changes).toEqual([{ field: 'cpu', amount: 2, text: 'Lower cores to 2' }]);
  });

  it('says of many how many fit', () => {
    const task = { count: 5, placed: 2, verdict: 'waits' as const, reason: 'no_room' };
    expect(verdictOf(reply(task), asked)).toMatchObject({
      kind: 'part',
      heading: '2 of 5 fit now, the rest waits',
    });
  });

  it('offers the change with which it would fit on the worker that needs the fewest', () => {
    const workers = [
      worker('w1', 2, 2_048),
      worker('w2', 8, 3_584),
      { ...worker('w3', 64, 65_536), state: 'down' as const },
    ];
    const verdict = verdictOf(reply({ reason: 'too_large' }, workers), asked);
    expect(verdict).toMatchObject({ kind: 'never', heading: 'Never fits as it is' });
    expect(verdict?.changes.map(({ text }) => text)).toEqual(['Lower memory to 3.5 GB']);
  });

  it('offers no less of anything where labels or quota stand in the way', () => {
    const workers = [worker('w1', 3, 8_192), worker('w2', 2, 8_192)];
    const never = (reason: string) => verdictOf(reply({ reason }, workers), asked)?.changes;
    expect([never('labels_missing'), never('over_quota')]).toEqual([[], []]);
    const ssd = { ...asked, constraints: { disk: ['ssd', 'nvme'] } };
    const labelled = [
      { worker_id: 'w1', labels: { disk: 'hdd' } },
      { worker_id: 'w2', labels: { disk: 'nvme' } },
    ];
    const verdict = verdictOf(reply({ reason: 'too_large' }, workers), ssd, labelled);
    expect(verdict?.changes.map(({ text }) => text)).toEqual(['Lower cores to 2']);
  });

  it('offers nothing where it is tied to another worker, or to GPUs nobody has', () => {
    const workers = [worker('w1', 2, 2_048)];
    expect(verdictOf(reply({}, workers), { ...asked, worker: 'w9' })?.changes).toEqual([]);
    expect(verdictOf(reply({}, workers), { ...asked, gpu_required: 1 })?.changes).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import type { WorkerState } from '../../../shared/model/worker.ts';
import { doneWords, offersFor, questionFor } from './maintenance.ts';

const worker = (state: WorkerState, running = 0) => ({
  worker_id: 'w-1',
  state,
  tasks: { assigned: 0, running },
});
const acts = (state: WorkerState, running = 0) => offersFor(worker(state, running)).map(({ act }) => act);

describe('maintenance', () => {
  it('offers what makes sense in each state', () => {
    expect(acts('ready')).toEqual(['cordon', 'drain', 'remove']);
    expect(acts('cordoned')).toEqual(['uncordon', 'drain', 'remove']);
    expect(acts('draining')).toEqual(['uncordon', 'drain', 'remove']);
    expect(offersFor(worker('draining'))[1]?.label).toBe('Change deadline');
    expect(acts('unreachable')).toEqual(['remove']);
  });

  it('says why a worker at work cannot be removed; one that is down can', () => {
    expect(offersFor(worker('ready', 2)).at(-1)?.refusal).toBe('It holds 2 tasks: drain it first');
    expect(offersFor(worker('draining')).at(-1)?.refusal).toBe('');
    expect(offersFor(worker('down', 2)).at(-1)?.refusal).toBe('');
  });

  it('asks before what is not undone with one click', () => {
    expect(questionFor('cordon', worker('ready'))).toBeNull();
    expect(questionFor('remove', worker('down'))).toMatchObject({ danger: true, confirm: 'Remove' });
    expect(doneWords('drain', worker('draining'))).toContain('is drained');
  });
});

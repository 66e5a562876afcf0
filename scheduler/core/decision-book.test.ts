import { setImmediate as othersTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { BARE, PLAIN_WAITING, PLAIN_WORKER } from '../../test/support/waiting.ts';
import { Backlog } from './backlog.ts';
import { Recorder } from './decision-record.ts';
import { plan } from './plan.ts';
import { NO_MEMORY } from './snapshot.ts';

const NOW = 1_764_000_000_000;
const cores = { cpuMillis: 1_000, memoryMb: 0, gpus: 0, storageMb: 0 };

/** One pass that places a task on a worker that was just read from the store; gives back the labels it came with. */
function record(recorder: Recorder, n: number): WeakRef<object> {
  const labels = { disk: 'ssd' };
  const backlog = new Backlog();
  backlog.put({ ...PLAIN_WAITING, id: `task-${n}`, resources: cores, queuedAt: NOW }, NOW);
  const worker = { ...PLAIN_WORKER, id: 'w1', state: 'ready' as const, capacity: cores, free: cores, labels };
  const groups = backlog.groups();
  const seen = recorder.watch({ workers: [worker], groups, ...BARE, memory: NO_MEMORY, limit: 10 });
  const { lines } = recorder.record(seen, NOW, 0, plan(seen, NOW, 0));
  expect(lines).not.toEqual([]);
  return new WeakRef(labels);
}

describe('what a segment has told', () => {
  it('keeps nothing of workers that have been read again since', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const recorder = new Recorder({ term: 1, maxBytes: 1_000_000 });
    const earlier = [1, 2, 3, 4, 5].map((n) => record(recorder, n));
    record(recorder, 6);
    await othersTurn();
    collect();
    expect(earlier.filter((labels) => labels.deref() !== undefined)).toEqual([]);
    expect(record(recorder, 7).deref()).toBeDefined();
  });
});

// Whether a task could ever run on a cluster: on one of its machines when that is empty. Pure.

import { demandKey, meetsTerms } from '../../../shared/model/labels.ts';
import { fits, type Resources, resourceShape } from '../../../shared/model/resources.ts';
import type { TraceTask, TraceWorker } from './trace.ts';

/** The answer is kept for alike tasks: there are few kinds of them, and of machines. */
export function feasibility(workers: readonly TraceWorker[]): (task: TraceTask) => boolean {
  const kinds = new Map<string, TraceWorker>();
  for (const worker of workers) kinds.set(kindOf(worker), worker);
  const byId = new Map(workers.map((worker) => [worker.id, worker]));
  const known = new Map<string, boolean>();
  const suits = (
    { need, labels }: TraceTask,
    worker: { capacity: Resources; labels: TraceWorker['labels'] },
  ) => fits(need, worker.capacity) && meetsTerms(labels.constraints, worker.labels);
  return (task) => {
    if (task.worker !== null) {
      const only = byId.get(task.worker);
      return only !== undefined && suits(task, only);
    }
    const key = `${resourceShape(task.need)} ${demandKey(task.labels)}`;
    let answer = known.get(key);
    if (answer === undefined) {
      answer = [...kinds.values()].some((worker) => suits(task, worker));
      known.set(key, answer);
    }
    return answer;
  };
}

function kindOf({ capacity, labels }: TraceWorker): string {
  return `${resourceShape(capacity)} ${JSON.stringify(Object.entries(labels).sort())}`;
}

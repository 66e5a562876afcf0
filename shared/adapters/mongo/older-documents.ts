// What documents of earlier releases have only in their JSON, read for those alone.

import { heldGpuIds, isLeaving } from '../../model/held.ts';
import type { TaskSpec } from '../../model/task.ts';
import type { Collections } from './collections.ts';
import { taskOf } from './task-document.ts';

type Tasks = Collections['tasks'];
type Ids = readonly { readonly _id: string }[];

export async function specsOf(tasks: Tasks, docs: Ids): Promise<ReadonlyMap<string, TaskSpec>> {
  if (docs.length === 0) return new Map();
  const found = await tasks
    .find({ _id: { $in: docs.map(({ _id }) => _id) } }, { projection: { spec: 1 } })
    .toArray();
  return new Map(found.map(({ _id, spec }) => [_id, JSON.parse(spec) as TaskSpec]));
}

export interface Held {
  readonly gpuIds: readonly string[];
  readonly isLeaving: boolean;
}

export async function heldOf(tasks: Tasks, docs: Ids): Promise<ReadonlyMap<string, Held>> {
  if (docs.length === 0) return new Map();
  const found = await tasks.find({ _id: { $in: docs.map(({ _id }) => _id) } }).toArray();
  return new Map(
    found.map((doc) => {
      const task = taskOf(doc);
      return [doc._id, { gpuIds: heldGpuIds(task), isLeaving: isLeaving(task) }];
    }),
  );
}

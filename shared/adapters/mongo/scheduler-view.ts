// What a scheduler reads of many tasks: little of each, and neither spec nor attempts.

import type { Allocation } from '../../model/held.ts';
import { labelReader } from '../../model/label-text.ts';
import { PLACED_STATES } from '../../model/task-states.ts';
import type { QueuedTask, TaskStore } from '../../ports/task-store.ts';
import type { Collections } from './collections.ts';
import { complete, heldOf } from './older-documents.ts';
import { resourcesOf } from './task-document.ts';

type Tasks = Collections['tasks'];

const RESOURCES = { cpuMillis: 1, memoryMb: 1, gpus: 1, storageMb: 1 } as const;

const QUEUED_FIELDS = {
  ...RESOURCES,
  ownerId: 1,
  attempt: 1,
  revision: 1,
  priority: 1,
  wantedWorker: 1,
  labels: 1,
  image: 1,
  tag: 1,
  kValue: 1,
  notBefore: 1,
  submittedAt: 1,
  queuedAt: 1,
  queueTimeoutSeconds: 1,
} as const;

export async function readQueued(
  tasks: Tasks,
  { after, limit, priority }: Parameters<TaskStore['queued']>[0],
): Promise<QueuedTask[]> {
  const found = await tasks
    .find(
      {
        state: 'queued',
        ...(priority === undefined ? {} : { priority }),
        ...(after === undefined ? {} : { _id: { $gt: after } }),
      },
      { projection: QUEUED_FIELDS },
    )
    .sort({ _id: 1 })
    .limit(limit)
    .toArray();
  const labelsOf = labelReader();
  return (await complete(tasks, found, ['image', 'kValue', 'labels'])).map((doc) => ({
    id: doc._id,
    ownerId: doc.ownerId,
    attempt: doc.attempt,
    revision: doc.revision,
    priority: doc.priority,
    resources: resourcesOf(doc),
    worker: doc.wantedWorker,
    labels: labelsOf(doc.labels),
    image: doc.image,
    tag: doc.tag,
    kValue: doc.kValue,
    notBefore: doc.notBefore,
    submittedAt: doc.submittedAt,
    queuedAt: doc.queuedAt,
    queueTimeoutSeconds: doc.queueTimeoutSeconds ?? 0,
  }));
}

const PLACED_FIELDS = {
  ...RESOURCES,
  ownerId: 1,
  workerId: 1,
  priority: 1,
  attempt: 1,
  state: 1,
  gpuIds: 1,
  assignedAt: 1,
  isLeaving: 1,
} as const;

export async function readAllocations(tasks: Tasks, workerId?: string): Promise<Allocation[]> {
  const found = await tasks
    .find(
      { state: { $in: [...PLACED_STATES] }, ...(workerId === undefined ? {} : { workerId }) },
      { projection: PLACED_FIELDS },
    )
    .toArray();
  const older = await heldOf(
    tasks,
    found.filter((doc) => doc.gpuIds === undefined || doc.isLeaving === undefined),
  );
  return found.map((doc) => {
    const { gpuIds, isLeaving } = doc;
    return {
      taskId: doc._id,
      ownerId: doc.ownerId,
      workerId: doc.workerId ?? '',
      priority: doc.priority,
      attempt: doc.attempt,
      state: doc.state as Allocation['state'],
      resources: resourcesOf(doc),
      gpuIds: older.get(doc._id)?.gpuIds ?? (gpuIds ? JSON.parse(gpuIds) : []),
      assignedAt: doc.assignedAt ?? 0,
      isLeaving: older.get(doc._id)?.isLeaving ?? isLeaving ?? false,
    };
  });
}

// What waits, in order, and what ended, with little of each.

import type { Filter } from 'mongodb';
import { labelReader } from '../../model/label-text.ts';
import type { EndedRun, QueueEntry, QueuePlace, TaskStore } from '../../ports/task-store.ts';
import type { Collections } from './collections.ts';
import { complete } from './older-documents.ts';
import { resourcesOf, type TaskDocument } from './task-document.ts';

type Tasks = Collections['tasks'];

const LINE_FIELDS = {
  ownerId: 1,
  ownerName: 1,
  attempt: 1,
  priority: 1,
  tag: 1,
  wantedWorker: 1,
  message: 1,
  notBefore: 1,
  submittedAt: 1,
  queuedAt: 1,
  cpuMillis: 1,
  memoryMb: 1,
  gpus: 1,
  storageMb: 1,
  name: 1,
  image: 1,
  labels: 1,
  kValue: 1,
  queueTimeoutSeconds: 1,
} as const;

export async function readLine(
  tasks: Tasks,
  { ownerId, after, limit }: Parameters<TaskStore['inLine']>[0],
): Promise<QueueEntry[]> {
  const found = await tasks
    .find(
      {
        state: 'queued',
        ...(ownerId === undefined ? {} : { ownerId }),
        ...(after ? { $or: afterPlace(after) } : {}),
      },
      { projection: LINE_FIELDS },
    )
    .sort({ priority: -1, _id: 1 })
    .limit(limit)
    .toArray();
  const labelsOf = labelReader();
  return (await complete(tasks, found, ['name', 'image', 'kValue', 'labels'])).map((doc) => {
    return {
      id: doc._id,
      ownerId: doc.ownerId,
      ownerName: doc.ownerName,
      name: JSON.parse(doc.name),
      image: doc.image,
      tag: doc.tag,
      priority: doc.priority,
      attempt: doc.attempt,
      resources: resourcesOf(doc),
      worker: doc.wantedWorker,
      labels: labelsOf(doc.labels),
      kValue: doc.kValue,
      message: JSON.parse(doc.message),
      queueTimeoutSeconds: doc.queueTimeoutSeconds ?? 0,
      notBefore: doc.notBefore,
      submittedAt: doc.submittedAt,
      queuedAt: doc.queuedAt,
    };
  });
}

export async function countAhead(tasks: Tasks, of: QueuePlace, behind?: QueuePlace): Promise<number> {
  const count = (condition: Filter<TaskDocument>) => tasks.countDocuments({ state: 'queued', ...condition });
  const { priority, id } = of;
  if (behind?.priority === priority) return count({ priority, _id: { $gt: behind.id, $lt: id } });
  const same = count({ priority, _id: { $lt: id } });
  const others = behind
    ? [
        count({ priority: behind.priority, _id: { $gt: behind.id } }),
        count({ priority: { $gt: priority, $lt: behind.priority } }),
      ]
    : [count({ priority: { $gt: priority } })];
  return (await Promise.all([same, ...others])).reduce((sum, n) => sum + n, 0);
}

export async function readEndedRuns(
  tasks: Tasks,
  { since, after, limit }: Parameters<TaskStore['endedRuns']>[0],
): Promise<EndedRun[]> {
  const found = await tasks
    .find(
      { $and: [endedAfter(since, after), { state: { $ne: 'hidden' } }] },
      {
        projection: {
          state: 1,
          reason: 1,
          tag: 1,
          submittedAt: 1,
          startedAt: 1,
          finishedAt: 1,
          image: 1,
          kValue: 1,
        },
      },
    )
    .sort({ finishedAt: 1, _id: 1 })
    .limit(limit)
    .toArray();
  return (await complete(tasks, found, ['image', 'kValue'])).map((doc) => {
    return {
      id: doc._id,
      state: doc.state as EndedRun['state'],
      reason: doc.reason as EndedRun['reason'],
      image: doc.image,
      tag: doc.tag,
      kValue: doc.kValue,
      submittedAt: doc.submittedAt,
      startedAt: doc.startedAt,
      finishedAt: doc.finishedAt ?? since,
    };
  });
}

export async function readKinds(
  tasks: Tasks,
  ids: readonly string[],
): Promise<{ id: string; image: string; tag: string }[]> {
  const found = await tasks
    .find({ _id: { $in: [...ids] }, state: { $ne: 'hidden' } }, { projection: { tag: 1, image: 1 } })
    .toArray();
  return (await complete(tasks, found, ['image'])).map(({ _id: id, tag, image }) => ({ id, tag, image }));
}

/** Documents that ended at `since` or later, after one of them. */
export function endedAfter(
  since: number,
  after: { finishedAt: number; id: string } | undefined,
): Filter<TaskDocument> {
  if (!after) return { finishedAt: { $gte: since } };
  return {
    finishedAt: { $gte: Math.max(since, after.finishedAt) },
    $or: [{ finishedAt: { $gt: after.finishedAt } }, { _id: { $gt: after.id } }],
  };
}

function afterPlace({ priority, id }: QueuePlace): Filter<TaskDocument>[] {
  return [{ priority: { $lt: priority } }, { priority, _id: { $gt: id } }];
}

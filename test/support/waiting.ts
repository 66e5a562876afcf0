// Waiting tasks, workers and holdings as the scheduler's core sees them, with defaults for what a test does not care for.

import type { Holding, Snapshot, WaitingTask, WorkerView } from '../../scheduler/core/snapshot.ts';
import { NO_DEMAND } from '../../shared/model/labels.ts';
import { DEFAULT_RULES } from '../../shared/model/scheduling.ts';

/** A snapshot in which nothing is known but workers, lines and memory. */
export const BARE: Pick<Snapshot, 'owners' | 'images' | 'holdingsOf' | 'rules'> = {
  owners: new Map(),
  images: new Map(),
  holdingsOf: () => [],
  rules: DEFAULT_RULES,
};

/** What the index needs to know and most tests do not care for. */
export const PLAIN_WAITING: Omit<WaitingTask, 'id' | 'resources' | 'queuedAt' | 'expiresAt'> = {
  ownerId: 'user-1',
  revision: 1,
  priority: 5,
  worker: null,
  notBefore: 0,
  labels: NO_DEMAND,
  image: 'busybox:latest',
  // The deadline is so far away that the order is that of the ids.
  submittedAt: 0,
  expectedMs: 300_000,
  deadline: Number.MAX_SAFE_INTEGER / 2,
};

export const PLAIN_WORKER: Pick<WorkerView, 'labels' | 'freeGpus'> = { labels: {}, freeGpus: [] };

export const PLAIN_HOLDING: Pick<Holding, 'ownerId' | 'priority' | 'gpuIds' | 'isLeaving'> = {
  ownerId: 'user-1',
  priority: 5,
  gpuIds: [],
  isLeaving: false,
};

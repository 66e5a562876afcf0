// Records for tests: complete, valid, and different only where a test says so.

import { DEFAULT_MAX_LOSSES, DEFAULT_RETRY_ON } from '../../shared/model/retry.ts';
import type { Attempt, Task, TaskSpec } from '../../shared/model/task.ts';
import { newTask, type Step } from '../../shared/model/task-life.ts';
import type { WorkerRegistration } from '../../shared/model/worker.ts';
import { newTaskId } from '../../shared/platform/ids.ts';
import { TEST_IMAGE } from './servers.ts';

export function makeSpec(over: Partial<TaskSpec> = {}): TaskSpec {
  return {
    image: TEST_IMAGE,
    command: 'echo hello',
    resources: { cpuMillis: 1000, memoryMb: 128, gpus: 0, storageMb: 0 },
    name: '',
    tag: '',
    kValue: 3,
    env: {},
    secrets: [],
    priority: 5,
    timeoutSeconds: 0,
    maxRetries: 0,
    retryOn: DEFAULT_RETRY_ON,
    retryOnExitCodes: [],
    retryDelaySeconds: 1,
    queueTimeoutSeconds: 0,
    maxLosses: DEFAULT_MAX_LOSSES,
    worker: null,
    constraints: {},
    prefer: {},
    files: [],
    mounts: [],
    pullPolicy: 'if-missing',
    network: 'bridge',
    webhook: null,
    ...over,
  };
}

export function makeTask(spec: Partial<TaskSpec> = {}, over: Partial<Task> = {}): Task {
  const task = newTask({
    id: newTaskId(),
    ownerId: 'user-1',
    ownerName: 'alice',
    spec: makeSpec(spec),
    idempotencyKey: null,
    requestHash: null,
    now: 1_700_000_000_000,
  });
  return { ...task, ...over };
}

export function makeAttempt(over: Partial<Attempt> = {}): Attempt {
  return {
    number: 1,
    state: 'running',
    workerId: 'worker-1',
    term: 1,
    notBefore: 0,
    assignedAt: 1,
    startedAt: 2,
    finishedAt: null,
    reason: null,
    exitCode: null,
    message: null,
    containerId: null,
    imageId: null,
    gpuIds: [],
    eviction: null,
    usage: null,
    usageSeries: null,
    progress: null,
    outputs: null,
    ...over,
  };
}

/** The record after a step that must be allowed. */
export function taken(step: Step): Task {
  if (!step.ok) throw new Error(`refused: ${step.refusal}`);
  return step.task;
}

export function makeRegistration(over: Partial<WorkerRegistration> = {}): WorkerRegistration {
  return {
    id: 'worker-1',
    incarnation: 'life-1',
    address: 'localhost',
    capacity: { cpuMillis: 4000, memoryMb: 8192, gpus: 0, storageMb: 100_000 },
    gpuIds: [],
    labels: {},
    fingerprint: {
      os: 'linux',
      arch: 'x64',
      cpuModel: 'test',
      cpuCores: 4,
      memoryMb: 8192,
      storageMb: 100_000,
      gpuModels: [],
      runtime: 'scripted',
      runtimeVersion: '1',
      version: '0.0.0',
    },
    registeredAt: 1_700_000_000_000,
    ...over,
  };
}

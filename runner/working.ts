// The parts of a runner that exist once its machine is known, put together. Holds no logic of its own.

import type { AppError } from '../shared/errors.ts';
import type { Trouble } from '../shared/model/worker-health.ts';
import { NO_TRACER } from '../shared/ports/tracing.ts';
import { AdmissionLine } from './admission.ts';
import { Adoption } from './agent/adoption.ts';
import { Heartbeat } from './agent/heartbeat.ts';
import { ImageNotice } from './agent/image-notice.ts';
import { MachineUsage } from './agent/machine-usage.ts';
import { ProgressSender } from './agent/progress-sender.ts';
import { RecordWatch } from './agent/record-watch.ts';
import { StraySweep } from './agent/stray-sweep.ts';
import { UsageSampler } from './agent/usage-sampler.ts';
import { LOOK_EVERY_MS, WorkerHealth } from './agent/worker-health.ts';
import { HEALTH_LIMITS } from './core/health.ts';
import { Committer } from './executor/committer.ts';
import { AttemptRegistry } from './executor/registry.ts';
import { createSteps, type ExecutorParts } from './executor/steps.ts';
import type { Machine } from './fingerprint.ts';
import type { Journal } from './journal/journal.ts';
import type { RunnerParts } from './parts.ts';

export interface Working {
  readonly machine: Machine;
  readonly admission: AdmissionLine;
  readonly registry: AttemptRegistry;
  readonly adoption: Adoption;
  readonly strays: StraySweep;
  readonly watch: RecordWatch;
  readonly heartbeat: Heartbeat;
  readonly sampler: UsageSampler;
  readonly images: ImageNotice;
  readonly health: WorkerHealth;
  readonly committer: Committer;
}

export interface Self {
  readonly machine: Machine;
  readonly identity: string;
  readonly incarnation: string;
  readonly journal: Journal;
  readonly random: () => number;
  /** What stands beside the health of the worker in its heartbeat. */
  troubles(): readonly Trouble[];
  onHealthChanged(): void;
  isUpByRecord(): Promise<boolean>;
  /** It has its lease and is of the cluster, so that what it reads of other workers may be acted on. */
  mayLookAtOthers(): boolean;
  onFenced(): void;
  onRenewed(): void;
  onLost(error: AppError): void;
  onRemoved(): void;
}

export function assemble(parts: RunnerParts, self: Self): Working {
  const { config, store, presence, bus, intake, logs, runtime, clock, log } = parts;
  const { liveLogs, rooms, progress: board, files } = parts;
  const { workerId } = config;
  const { tasks, files: records } = store;
  const { machine, journal, random } = self;
  const admission = new AdmissionLine(machine);
  const sampler = new UsageSampler({
    everyMs: config.usageSampleMs,
    runtime,
    rooms,
    board: parts.usage,
    random,
    log,
  });
  const images = new ImageNotice({ workerId, runtime, board: parts.images, log });
  const health: WorkerHealth = new WorkerHealth({
    dataDir: config.dataDir,
    runtime,
    limits: { ...HEALTH_LIMITS, reserveMb: config.diskReserveMb, ...parts.health?.limits },
    everyMs: parts.health?.everyMs ?? LOOK_EVERY_MS,
    clock,
    log,
    ending: () => registry.ending(),
    heldSince: () => registry.heldSince(),
    onChange: () => self.onHealthChanged(),
  });
  const committer = new Committer({ tasks, bus, intake, log });
  const executor: ExecutorParts = {
    stopGraceMs: config.stopGraceSeconds * 1_000,
    pidsLimit: config.pidsLimit,
    tasks,
    committer,
    runtime,
    logs,
    logMaxBytes: config.logMaxBytes,
    liveLogs,
    rooms,
    progress: new ProgressSender({ rooms, board, clock, log }),
    records,
    files,
    outputLimits: { maxBytes: config.outputMaxBytes, maxFiles: config.outputMaxFiles },
    admission,
    sampler,
    images,
    health,
    journal,
    clock,
    log,
    random,
    tracer: parts.tracer ?? NO_TRACER,
    watch: parts.watch ?? null,
  };
  const registry: AttemptRegistry = new AttemptRegistry(executor, createSteps(executor));
  // Simulated devices are not measured.
  const gpuIds = config.gpus === null ? machine.gpuIds : [];
  const usage = new MachineUsage({ directory: config.dataDir, gpuIds, log });
  const heartbeat = new Heartbeat({
    workerId,
    identity: self.identity,
    incarnation: self.incarnation,
    leaseMs: config.workerLeaseSeconds * 1_000,
    presence,
    keeper: parts.keeper ?? null,
    clock,
    log,
    random,
    usage: () => usage.measure(),
    running: () => registry.withContainer(),
    clockOffsetMs: () => parts.clockOffsetMs?.() ?? null,
    isUpByRecord: () => self.isUpByRecord(),
    troubles: () => [...self.troubles(), ...health.troubles],
    onFenced: () => self.onFenced(),
    onRenewed: () => self.onRenewed(),
    onLost: (error) => self.onLost(error),
  });
  const adoption = new Adoption({ workerId, tasks, runtime, registry, admission, journal, clock, log });
  const { mayLookAtOthers: mayLook } = self;
  const strays = new StraySweep({ workerId, store, runtime, clock, log, mayLook, ...parts.strays });
  const watch = new RecordWatch({ workerId, tasks, bus, registry, log, onRemoved: () => self.onRemoved() });
  return {
    ...{ machine, admission, registry, adoption, strays, watch, heartbeat },
    ...{ sampler, images, health, committer },
  };
}

// The daemon on a worker machine: holds the worker's lease, takes attempts, works on each, and leaves containers to
// its next life when it stops. Must never touch containers after another life of it has taken over.

import { type AppError, messageOf } from '../shared/errors.ts';
import { newId } from '../shared/platform/ids.ts';
import type { Delivery, InboxSession } from '../shared/ports/queue.ts';
import { AdmissionLine } from './admission.ts';
import { Adoption } from './agent/adoption.ts';
import { Heartbeat } from './agent/heartbeat.ts';
import { ImageNotice } from './agent/image-notice.ts';
import { MachineUsage } from './agent/machine-usage.ts';
import { ProgressSender } from './agent/progress-sender.ts';
import { RecordWatch } from './agent/record-watch.ts';
import { UsageSampler } from './agent/usage-sampler.ts';
import { LOOK_EVERY_MS, WorkerHealth } from './agent/worker-health.ts';
import { HEALTH_LIMITS } from './core/health.ts';
import { Committer } from './executor/committer.ts';
import { Abandoned, keepTrying, pause, within } from './executor/patience.ts';
import { AttemptRegistry } from './executor/registry.ts';
import { createSteps, type ExecutorParts } from './executor/steps.ts';
import { fingerprint, type Machine } from './fingerprint.ts';
import { loadIdentity } from './identity.ts';
import type { RunnerParts, RunnerPhase, RunnerStatus } from './parts.ts';

export type { RunnerParts, RunnerPhase, RunnerStatus } from './parts.ts';

export interface Runner {
  /**
   * Waits for engine, store and Redis as long as it takes, then for everything an earlier life left behind to be taken
   * over. Resolves also when another machine has the worker id: `onFatal` says so.
   */
  start(): Promise<void>;
  /** Leaves containers running and the lease to run out; resolves within seconds. */
  stop(): Promise<void>;
  status(): RunnerStatus;
}

const SWEEP_EVERY_MS = 30_000;
/** What an earlier life left and is not wanted any more gets so long to go before new work is taken. */
const LEAVING_MS = 15_000;
const CLOSE_MS = 3_000;
const ABANDON_MS = 4_000;
/** Before an attempt that a fault of ours dropped is taken up again. */
const AFTER_FAULT_MS = 5_000;

export function createRunner(parts: RunnerParts): Runner {
  return new RunnerProcess(parts);
}

/** What exists once the machine is known. */
interface Working {
  readonly machine: Machine;
  readonly admission: AdmissionLine;
  readonly registry: AttemptRegistry;
  readonly adoption: Adoption;
  readonly watch: RecordWatch;
  readonly heartbeat: Heartbeat;
  readonly sampler: UsageSampler;
  readonly images: ImageNotice;
  readonly health: WorkerHealth;
}

class RunnerProcess implements Runner {
  readonly #parts: RunnerParts;
  readonly #random: () => number;
  readonly #incarnation = newId('run');
  readonly #life = new AbortController();
  #phase: RunnerPhase = 'starting';
  #working: Working | null = null;
  #session: InboxSession | null = null;
  #sweepTimer: NodeJS.Timeout | null = null;
  #isSweeping = false;
  #stopped: Promise<void> | null = null;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
  }

  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error;
    }
  }

  status(): RunnerStatus {
    return {
      phase: this.#phase,
      workerId: this.#parts.config.workerId,
      incarnation: this.#incarnation,
      running: this.#working?.registry.withContainer() ?? [],
      waiting: this.#working?.admission.waiting ?? 0,
      free: this.#working?.admission.free ?? null,
    };
  }

  stop(): Promise<void> {
    return this.#stop({ keepOutput: true });
  }

  async #start(): Promise<void> {
    const { config, runtime, inbox, log } = this.#parts;
    const identity = await loadIdentity(config.dataDir, config.workerId);
    const info = await this.#patiently('reach the container engine', () => runtime.info());
    const working = this.#assemble(identity, await fingerprint(config, info, log));
    this.#working = working;
    const { heartbeat, adoption, watch } = working;
    const refusal = await heartbeat.start();
    if (refusal) return this.#end(refusal);
    working.health.start();
    await this.#join(working.machine);
    const { leaving } = await this.#patiently('find what an earlier life left', () => adoption.sweep());
    await within(LEAVING_MS, 'removing what is not wanted any more', leaving).catch((error) =>
      log.warn({ err: error }, messageOf(error)),
    );
    watch.start();
    working.images.start();
    await this.#patiently('listen for cancels', () => watch.listen());
    if (!this.#isRemoved) {
      const session = await this.#patiently('open the inbox', () =>
        inbox.open(config.workerId, (delivery) => this.#handle(delivery)),
      );
      if (this.#life.signal.aborted) return session.close();
      this.#session = session;
    }
    this.#sweepTimer = setInterval(() => void this.#sweep(), this.#parts.sweepEveryMs ?? SWEEP_EVERY_MS);
    if (this.#phase === 'starting') this.#phase = 'up';
    if (this.#isRemoved) await this.#sweep();
  }

  async #join(machine: Machine): Promise<void> {
    const isKnown =
      !this.#parts.isReturning || (await this.#patiently('read the own record', () => this.#isOnRecord()));
    if (isKnown) await this.#patiently('register the worker', () => this.#register(machine));
    else await this.#retire();
  }

  #assemble(identity: string, machine: Machine): Working {
    const { config, store, presence, bus, intake, logs, runtime, clock, log } = this.#parts;
    const { liveLogs, rooms, progress: board, files } = this.#parts;
    const { workerId } = config;
    const { tasks, files: records } = store;
    const random = this.#random;
    const admission = new AdmissionLine(machine);
    const sampler = new UsageSampler({
      everyMs: config.usageSampleMs,
      runtime,
      rooms,
      board: this.#parts.usage,
      random,
      log,
    });
    const images = new ImageNotice({ workerId, runtime, board: this.#parts.images, log });
    const health: WorkerHealth = new WorkerHealth({
      dataDir: config.dataDir,
      runtime,
      limits: { ...HEALTH_LIMITS, reserveMb: config.diskReserveMb, ...this.#parts.health?.limits },
      everyMs: this.#parts.health?.everyMs ?? LOOK_EVERY_MS,
      clock,
      log,
      ending: () => registry.ending(),
      heldSince: () => registry.heldSince(),
      onChange: () => void this.#tellHealth(),
    });
    const executor: ExecutorParts = {
      stopGraceMs: config.stopGraceSeconds * 1_000,
      pidsLimit: config.pidsLimit,
      tasks,
      committer: new Committer({ tasks, bus, intake, log }),
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
      clock,
      log,
      random,
    };
    const registry = new AttemptRegistry(executor, createSteps(executor));
    // Simulated devices are not measured.
    const gpuIds = config.gpus === null ? machine.gpuIds : [];
    const usage = new MachineUsage({ directory: config.dataDir, gpuIds, log });
    const heartbeat = new Heartbeat({
      workerId,
      identity,
      incarnation: this.#incarnation,
      leaseMs: config.workerLeaseSeconds * 1_000,
      presence,
      keeper: this.#parts.keeper ?? null,
      clock,
      log,
      random,
      usage: () => usage.measure(),
      running: () => registry.withContainer(),
      troubles: () => health.troubles,
      isUpByRecord: () => this.#isUpByRecord(),
      onFenced: () => this.#fence(),
      onRenewed: () => void this.#unfence(),
      onLost: (error) => void this.#lose(error),
    });
    const adoption = new Adoption({ workerId, tasks, runtime, registry, admission, clock, log });
    const onRemoved = () => void this.#sweep();
    const watch = new RecordWatch({ workerId, tasks, bus, registry, log, onRemoved });
    return { machine, admission, registry, adoption, watch, heartbeat, sampler, images, health };
  }

  async #register(machine: Machine): Promise<void> {
    const { store, config, clock } = this.#parts;
    await store.workers.register({
      id: config.workerId,
      incarnation: this.#incarnation,
      address: config.address,
      capacity: machine.capacity,
      gpuIds: machine.gpuIds,
      labels: config.labels,
      fingerprint: machine.fingerprint,
      registeredAt: clock.now(),
    });
    this.#announce();
  }

  /** Heard of at once, it is given nothing that it cannot start. */
  async #tellHealth(): Promise<void> {
    await this.#working?.heartbeat.tellNow();
    this.#announce();
  }

  #announce(): void {
    const { bus, config, log } = this.#parts;
    bus
      .publish({ type: 'worker', workerId: config.workerId })
      .catch((error) => log.debug({ err: error }, 'the worker was not announced'));
  }

  async #handle({ taskId, attempt }: Delivery): Promise<void> {
    const { workerId } = this.#parts.config;
    while (this.#working && !this.#life.signal.aborted) {
      if ((await this.#working.registry.run({ taskId, attempt, workerId })) === 'over') return;
      await pause(AFTER_FAULT_MS, this.#life.signal);
    }
    // The runner stops. A delivery that never resolves stays undone and comes again to the next life.
    await new Promise<never>(() => {});
  }

  async #sweep(): Promise<void> {
    if (this.#isSweeping || !this.#working || this.#phase === 'fenced') return;
    this.#isSweeping = true;
    try {
      if (this.#phase === 'up' && !(await this.#isOnRecord())) await this.#retire();
      if (!this.#life.signal.aborted) await this.#working.adoption.sweep();
      if (this.#isRemoved) await this.#retireWhenIdle();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the sweep for left containers failed; the next one is soon');
    } finally {
      this.#isSweeping = false;
    }
  }

  async #isOnRecord(): Promise<boolean> {
    const { store, config } = this.#parts;
    return (await store.workers.get(config.workerId)) !== null;
  }

  async #isUpByRecord(): Promise<boolean> {
    const { store, config } = this.#parts;
    const record = await store.workers.get(config.workerId);
    return record?.incarnation === this.#incarnation && record.liveness === 'up';
  }

  /** Set for good: an admin's word stands. */
  get #isRemoved(): boolean {
    return this.#phase === 'removed';
  }

  async #retire(): Promise<void> {
    this.#phase = 'removed';
    const next = this.#parts.onRetired
      ? 'it ends when nothing runs here any more'
      : 'restart the runner to register again';
    this.#parts.log.warn(`the worker was removed from the cluster: it takes no more work; ${next}`);
    this.#working?.admission.close();
    await this.#closeInbox();
  }

  async #retireWhenIdle(): Promise<void> {
    const { onRetired, runtime, presence, config, log } = this.#parts;
    if (!onRetired || this.#stopped || this.#working?.registry.taskIds().length !== 0) return;
    if ((await runtime.list(config.workerId)).length > 0) return;
    await this.#stop({ keepOutput: true });
    const leaving = presence.leave(config.workerId, this.#incarnation);
    await within(CLOSE_MS, 'giving the lease back', leaving).catch((error) =>
      log.debug({ err: error }, 'the lease was left to run out'),
    );
    onRetired();
  }

  #fence(): void {
    if (this.#phase !== 'removed') this.#phase = 'fenced';
    this.#working?.admission.close();
    this.#working?.registry.setFenced(true);
  }

  async #unfence(): Promise<void> {
    const { log } = this.#parts;
    const working = this.#working;
    if (!working) return;
    try {
      if (this.#phase === 'fenced') {
        const isOnRecord = await this.#patiently('read the own record', () => this.#isOnRecord());
        if (isOnRecord) await this.#patiently('register the worker', () => this.#register(working.machine));
        // The lease may be gone again by now.
        if (working.heartbeat.isFenced) return;
        if (isOnRecord) {
          this.#phase = 'up';
          working.admission.open();
        } else await this.#retire();
      }
      working.registry.setFenced(false);
      log.info('back in the cluster');
    } catch (error) {
      if (!(error instanceof Abandoned)) log.error({ err: error }, 'coming back into the cluster failed');
    }
  }

  async #lose(error: AppError): Promise<void> {
    const { config, log } = this.#parts;
    if (error.code === 'worker_id_taken') {
      // Nobody will ever come back for these containers: the id belongs to another machine now.
      this.#fence();
      const deadlineMs = config.stopGraceSeconds * 1_000 + LEAVING_MS;
      await this.#working?.registry
        .untilEmpty(deadlineMs)
        .catch((late) => log.warn({ err: late }, 'containers are left behind'));
    }
    await this.#end(error);
  }

  async #end(error: AppError): Promise<void> {
    if (this.#stopped) return;
    // A newer life writes the output from here on.
    await this.#stop({ keepOutput: error.code !== 'superseded' });
    this.#parts.onFatal(error);
  }

  #stop(how: { keepOutput: boolean }): Promise<void> {
    this.#stopped ??= this.#shutDown(how);
    return this.#stopped;
  }

  async #shutDown({ keepOutput }: { keepOutput: boolean }): Promise<void> {
    this.#life.abort();
    if (this.#sweepTimer) clearInterval(this.#sweepTimer);
    this.#working?.heartbeat.stop();
    this.#working?.sampler.stop();
    this.#working?.images.stop();
    this.#working?.health.stop();
    const quietly = (what: string, closing: Promise<void>) =>
      within(CLOSE_MS, what, closing).catch((error) =>
        this.#parts.log.warn({ err: error }, `${what} did not work`),
      );
    await Promise.all([
      this.#closeInbox(),
      quietly('closing the watch', this.#working?.watch.stop() ?? Promise.resolve()),
      this.#working?.registry.abandon({ deadlineMs: ABANDON_MS, keepOutput }),
    ]);
    this.#phase = 'stopped';
  }

  async #closeInbox(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (!session) return;
    await within(CLOSE_MS, 'closing the inbox', session.close()).catch((error) =>
      this.#parts.log.warn({ err: error }, 'the inbox did not close'),
    );
  }

  #patiently<T>(what: string, call: () => Promise<T>): Promise<T> {
    const { log } = this.#parts;
    return keepTrying({ signal: this.#life.signal, log, random: this.#random, what }, call);
  }
}

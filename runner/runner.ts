// The daemon on a worker machine: holds the worker's lease, takes attempts, works on each, and leaves containers to
// its next life when it stops. Must never touch containers after another life of it has taken over.

import { join } from 'node:path';
import { type AppError, isAppError, messageOf } from '../shared/errors.ts';
import { NO_TROUBLES, type Trouble } from '../shared/model/worker-health.ts';
import { readBootId } from '../shared/platform/boot-id.ts';
import { newId } from '../shared/platform/ids.ts';
import type { Delivery, InboxSession } from '../shared/ports/queue.ts';
import { superseded } from './agent/heartbeat.ts';
import { Abandoned, keepTrying, pause, within } from './executor/patience.ts';
import { fingerprint, type Machine } from './fingerprint.ts';
import { loadIdentity, runnerFolder } from './identity.ts';
import { Journal } from './journal/journal.ts';
import { LastLife } from './journal/last-life.ts';
import { Leaving } from './leaving.ts';
import { NewestLife } from './newest-life.ts';
import type { RunnerParts, RunnerPhase, RunnerStatus } from './parts.ts';
import { assemble, type Working } from './working.ts';

export type { RunnerParts, RunnerStatus } from './parts.ts';

export interface Runner {
  /**
   * Waits for engine, store and Redis as long as it takes, then for everything an earlier life left behind to be taken
   * over. Resolves also when another machine has the worker id: `onFatal` says so.
   */
  start(): Promise<void>;
  /**
   * Ends as the settings say. Leaving containers and lease to the next life takes seconds; finishing or handing over what
   * runs as long as its deadline. May be called again.
   */
  stop(): Promise<void>;
  /** Asked again while it stops: one step quicker, or leaving all as it is. */
  hurry(how: 'on' | 'at_once'): void;
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

class RunnerProcess implements Runner {
  readonly #parts: RunnerParts;
  readonly #random: () => number;
  readonly #incarnation = newId('run');
  readonly #life = new AbortController();
  #phase: RunnerPhase = 'starting';
  #newest: NewestLife | null = null;
  #working: Working | null = null;
  #session: InboxSession | null = null;
  #sweepTimer: NodeJS.Timeout | null = null;
  #isSweeping = false;
  #leaving: Leaving | null = null;
  #leavingSince: number | null = null;
  #left: Promise<void> | null = null;
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
    this.#left ??= this.#leave();
    return this.#left;
  }

  hurry(how: 'on' | 'at_once'): void {
    this.#leaving?.hurry(how);
  }

  async #start(): Promise<void> {
    const { config, runtime, inbox, log } = this.#parts;
    const identity = await loadIdentity(config.dataDir, config.workerId);
    const info = await this.#patiently('reach the container engine', () => runtime.info());
    const folder = runnerFolder(config.dataDir, config.workerId);
    const lastLife = new LastLife(folder, this.#parts.bootId ?? (await readBootId()));
    const working = assemble(this.#parts, {
      machine: await fingerprint(config, info, log),
      identity,
      incarnation: this.#incarnation,
      journal: await Journal.open(join(folder, 'journal'), log),
      random: this.#random,
      troubles: () => this.#troubles(),
      onHealthChanged: () => void this.#tellHealth(),
      isUpByRecord: () => this.#isUpByRecord(),
      mayLookAtOthers: () => this.#phase === 'up',
      onFenced: () => void this.#fence(),
      onRenewed: () => void this.#unfence(),
      onLost: (error) => void this.#lose(error),
      onRemoved: () => void this.#sweep(),
    });
    this.#working = working;
    working.registry.machineRestarted = await lastLife.wasOnEarlierBoot().catch(() => false);
    const { heartbeat, adoption, watch } = working;
    this.#goOnUnlessStopped();
    const refusal = await heartbeat.start();
    if (refusal) return this.#end(refusal);
    this.#newest = new NewestLife(folder, this.#incarnation);
    await this.#newest.claim().catch((error) => log.warn({ err: error }, 'the newest life was not noted'));
    this.#goOnUnlessStopped();
    working.health.start();
    await this.#join(working.machine);
    const { leaving } = await this.#patiently('find what an earlier life left', () => adoption.sweep());
    working.registry.machineRestarted = false;
    await lastLife.note().catch((error) => log.warn({ err: error }, 'the boot of the machine was not noted'));
    await within(LEAVING_MS, 'removing what is not wanted any more', leaving).catch((error) =>
      log.warn({ err: error }, messageOf(error)),
    );
    this.#goOnUnlessStopped();
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
    working.strays.start();
    if (this.#isRemoved) await this.#sweep();
  }

  /** What was closed already must not be opened: nobody would close it again. */
  #goOnUnlessStopped(): void {
    if (this.#life.signal.aborted) throw new Abandoned();
  }

  async #join(machine: Machine): Promise<void> {
    const isKnown =
      !this.#parts.isReturning || (await this.#patiently('read the own record', () => this.#isOnRecord()));
    if (isKnown) await this.#patiently('register the worker', () => this.#register(machine));
    else await this.#retire();
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
      ...(config.mounts.length === 0 ? {} : { mounts: config.mounts }),
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
    const { phase } = this.status();
    if (this.#isSweeping || !this.#working || phase === 'fenced' || phase === 'leaving') return;
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
    const { onRetired, runtime, config } = this.#parts;
    if (!onRetired || this.#stopped || this.#working?.registry.taskIds().length !== 0) return;
    if ((await runtime.list(config.workerId)).length > 0) return;
    await this.#stop({ keepOutput: true });
    await this.#giveLeaseBack();
    onRetired();
  }

  async #leave(): Promise<void> {
    const { config, store, clock, log } = this.#parts;
    const working = this.#working;
    const isAtWork = this.#phase === 'up' || this.#phase === 'fenced' || this.#phase === 'removed';
    // Over already, perhaps for another life: what runs is not its own to give back.
    const isOver = this.#stopped !== null || !isAtWork;
    if (config.shutdown.mode === 'leave' || !working || isOver) return this.#stop({ keepOutput: true });
    const { committer, registry } = working;
    const { workerId, shutdown } = config;
    const { tasks } = store;
    const random = this.#random;
    this.#leaving = new Leaving({ shutdown, workerId, tasks, committer, registry, clock, log, random });
    this.#phase = 'leaving';
    // Nothing is taken up again that the store says is placed here: it is given back.
    if (this.#sweepTimer) clearInterval(this.#sweepTimer);
    working.admission.close();
    await Promise.all([this.#tellHealth(), this.#closeInbox()]);
    const isEmpty = await this.#leaving.run();
    await this.#stop({ keepOutput: true });
    if (isEmpty) await this.#giveLeaseBack();
  }

  /** The scheduler gives it nothing more from the next look on, and need not wait for the lease to run out. */
  async #giveLeaseBack(): Promise<void> {
    const { presence, config, log } = this.#parts;
    const leaving = presence.leave(config.workerId, this.#incarnation).then(() => this.#announce());
    await within(CLOSE_MS, 'giving the lease back', leaving).catch((error) =>
      log.debug({ err: error }, 'the lease was left to run out'),
    );
  }

  #troubles(): readonly Trouble[] {
    if (this.#phase !== 'leaving') return NO_TROUBLES;
    this.#leavingSince ??= this.#parts.clock.now();
    const message = 'its runner is shutting down and takes no more work';
    return [{ code: 'shutting_down', message, since: this.#leavingSince }];
  }

  async #fence(): Promise<void> {
    this.#takeNoWork();
    // One that was frozen for a while hears last that it was replaced; the containers are not its own by then.
    if (await this.#newest?.isAnother()) return this.#end(superseded(this.#parts.config.workerId));
    if (this.#working?.heartbeat.isFenced) this.#working.registry.setFenced(true);
  }

  #takeNoWork(): void {
    if (this.#phase !== 'removed' && this.#phase !== 'leaving') this.#phase = 'fenced';
    this.#working?.admission.close();
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
      this.#takeNoWork();
      this.#working?.registry.setFenced(true);
      const deadlineMs = config.stopGraceSeconds * 1_000 + LEAVING_MS;
      await this.#working?.registry
        .untilEmpty(deadlineMs)
        .catch((late) => log.warn({ err: late }, 'containers are left behind'));
    }
    await this.#end(error);
  }

  async #end(error: AppError): Promise<void> {
    this.#leaving?.hurry('at_once');
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
    this.#working?.strays.stop();
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
    // Waiting mends no setting.
    const isPassing = (error: unknown) => !isAppError(error, 'bad_config');
    return keepTrying({ signal: this.#life.signal, log, random: this.#random, what, isPassing }, call);
  }
}

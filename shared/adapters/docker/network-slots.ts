// Network slots: warm pause containers whose network namespace a task joins, because making a namespace costs more
// than the rest of a start. Two tasks are never in one slot at once, and no slot ever serves two owners. Work for
// the slots themselves is done while no task needs the engine, and in small doses when tasks keep finding none. Every
// fault here costs speed, never a task.

import { isAppError, messageOf } from '../../errors.ts';
import type { TaskNetwork } from '../../model/task.ts';
import type { Log } from '../../platform/log.ts';
import { statusOf } from './errors.ts';
import type { PauseContainers } from './pause-containers.ts';
import { chooseSlot, nextSlotStep, type SlotTargets, type SlotView, targetsAfterMiss } from './slot-plan.ts';

/** So long no task needed the engine: time to work for the slots. */
const IDLE_MS = 100;
/**
 * Tasks that found no slot, after which one is made (and one that others left is replaced) although tasks need the
 * engine: a slot costs about as much as one start without, so this is at most a quarter on top, paid back by the
 * second task that uses it.
 */
const MISSES_PER_SLOT = 4;
/** After a fault of the engine. */
const REST_MS = 15_000;
/** What a life that was killed had asked of the engine may appear after the next one has swept. */
const SWEEP_EVERY_MS = 20_000;

export interface Slot extends SlotView {
  /** Id of the pause container. */
  readonly id: string;
  /** Its name. A task joins by name, so that a pause container made anew can stand in for one that is gone. */
  readonly name: string;
}

interface OwnSlot extends Slot {
  id: string;
  owner: string | null;
  state: 'free' | 'used' | 'stale';
  freeSince: number;
  /** What its network files looked like when it was fresh; null for a slot of an earlier life. */
  readonly print: string | null;
  /** Found as it was after the task it served. */
  unchanged: boolean;
}

/** A slot of an earlier life: nobody knows whom it served. */
const LEFT_OVER = { owner: null, state: 'stale', freeSince: 0, print: null, unchanged: false } as const;

export interface NetworkSlots {
  /**
   * Sweeps what an earlier life left, and warms up. Not before: a runner that fails while it starts must leave nothing.
   */
  begin(): void;
  /** Sweeps once more, now and then, when the engine has time. Makes nobody wait. */
  sweep(): void;
  /** A slot for a task of this owner, taken at once; null when there is none: then use the plain network. */
  take(ownerId: string, network: TaskNetwork): Slot | null;
  /** The taken slot serves this container from now on, until `release`. */
  bind(slot: Slot, containerId: string): void;
  /** The container of a taken slot was not created. */
  giveBack(slot: Slot): void;
  /** The pause container is gone. */
  drop(slot: Slot): void;
  /** Nobody knows whether a container was created for the taken slot. */
  doubt(slot: Slot): void;
  slotOf(containerId: string): Slot | null;
  /** Starts a pause container that has stopped, or makes it anew. False when that cannot be done. */
  revive(slot: Slot): Promise<boolean>;
  /** Looks whether the namespace is as it was. To be called when the container no longer runs. */
  examine(containerId: string): Promise<void>;
  /** The container is proven gone: its slot is free again, if it was found as it was. */
  release(containerId: string): void;
  /** Says that the engine works for a task until the returned function is called. */
  working(): () => void;
  /** What the engine, which answers, says to every try to make one, and since when (monotonic); null where it makes them. */
  fault(): { readonly since: number; readonly message: string } | null;
  close(): Promise<void>;
}

export function createNetworkSlots(parts: {
  readonly pauses: PauseContainers;
  readonly count: number;
  readonly log: Log;
  /** By default `SWEEP_EVERY_MS`; the first one is not put off. */
  readonly sweepEveryMs?: number;
}): NetworkSlots {
  const { pauses, log, sweepEveryMs = SWEEP_EVERY_MS } = parts;
  const slots = new Set<OwnSlot>();
  const bound = new Map<string, OwnSlot>();
  let targets: SlotTargets = { bridge: parts.count, none: 0 };
  let inWork = 0;
  let lastWorkAt = Number.NEGATIVE_INFINITY;
  let misses = 0;
  let restUntil = 0;
  let begun = false;
  let sweptAt: number | null = null;
  let doubted = false;
  let fault: { since: number; message: string } | null = null;
  let closed = false;
  let timer: NodeJS.Timeout | null = null;
  let step: Promise<void> | null = null;

  const own = (slot: Slot) => slot as OwnSlot;

  const free = (slot: OwnSlot) => {
    slot.state = 'free';
    slot.freeSince = performance.now();
  };

  const wake = (delayMs: number) => {
    if (!begun || closed || step || inWork > 0) return;
    if (timer) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      if (inWork > 0 || closed) return;
      const rest = lastWorkAt + IDLE_MS - performance.now();
      if (rest > 0) return wake(rest);
      work(1);
    }, delayMs);
    timer.unref();
  };

  const work = (most: number) => {
    step = takeSteps(most).then(
      (more) => {
        step = null;
        fault = null;
        if (more) wake(0);
      },
      (error) => {
        step = null;
        restUntil = performance.now() + REST_MS;
        fault = isRefusal(error)
          ? { since: fault?.since ?? performance.now(), message: messageOf(error) }
          : null;
        log.warn({ err: error }, 'network slots: the engine failed; tasks use the plain network meanwhile');
        wake(REST_MS);
      },
    );
  };

  /** A machine that is never idle would never get slots, although they are what it needs most. */
  const countMiss = () => {
    misses += 1;
    if (misses < MISSES_PER_SLOT || !begun || step || closed || performance.now() < restUntil) return;
    misses = 0;
    work(2);
  };

  /** False when there is nothing left to do. */
  const takeSteps = async (most: number): Promise<boolean> => {
    for (let n = 0; n < most; n += 1) if (closed || !(await takeStep())) return false;
    return true;
  };

  /** One piece of work; false when there is none. */
  const takeStep = async (): Promise<boolean> => {
    if (sweptAt === null || doubted) {
      await survey();
      return true;
    }
    const next = nextSlotStep([...slots], targets);
    if (!next) return false;
    if (next.kind === 'retire') {
      slots.delete(next.slot);
      await pauses.remove(next.slot.id);
      return true;
    }
    const made = await pauses.make(next.network);
    if (made === null) {
      targets = { bridge: 0, none: 0 };
      return true;
    }
    log.debug({ slot: made.name }, 'network slots: one more is ready');
    slots.add({
      ...made,
      network: next.network,
      owner: null,
      state: 'free',
      freeSince: performance.now(),
      unchanged: true,
    });
    return true;
  };

  /**
   * Takes over what an earlier life left: slots that a running task is in stay until it is gone, all others go.
   * Also settles slots in doubt.
   */
  const survey = async () => {
    doubted = false;
    const found = await pauses.survey();
    // By name, and read after the answer: one that is made anew has another id.
    const known = new Map([...slots].map((slot) => [slot.name, slot]));
    for (const pause of found) {
      const slot: OwnSlot = known.get(pause.name) ?? { ...pause, ...LEFT_OVER };
      slots.add(slot);
      if (slot.state !== 'stale' || pause.user === null) continue;
      slot.state = 'used';
      bound.set(pause.user, slot);
    }
    sweptAt = performance.now();
  };

  return {
    begin() {
      if (begun) return;
      begun = true;
      // With slots switched off an earlier life may have left some all the same.
      wake(0);
    },
    sweep() {
      const now = performance.now();
      if (sweptAt === null || now - sweptAt < sweepEveryMs || now < restUntil) return;
      doubted = true;
      wake(0);
    },
    take(ownerId, network) {
      if (parts.count === 0) return null;
      const slot = chooseSlot([...slots], ownerId, network);
      if (!slot) {
        const hasFreeNone = [...slots].some((one) => one.network === 'none' && one.state === 'free');
        if (targets.bridge + targets.none > 0) targets = targetsAfterMiss(targets, network, hasFreeNone);
        countMiss();
        return null;
      }
      slot.state = 'used';
      slot.unchanged = false;
      // From here on the slot is of this owner, whatever becomes of the task.
      slot.owner = ownerId;
      return slot;
    },
    bind(slot, containerId) {
      bound.set(containerId, own(slot));
    },
    giveBack: (slot) => free(own(slot)),
    drop(slot) {
      slots.delete(own(slot));
      log.warn({ slot: slot.name }, 'network slots: a pause container is gone; its slot is dropped');
    },
    doubt(slot) {
      own(slot).state = 'stale';
      doubted = true;
    },
    fault: () => fault,
    slotOf: (containerId) => bound.get(containerId) ?? null,
    async revive(slot) {
      try {
        const id = await pauses.revive(slot);
        own(slot).id = id;
        log.info({ slot: slot.name }, 'network slots: a pause container had stopped and was started again');
        return true;
      } catch (error) {
        slots.delete(own(slot));
        log.warn(
          { err: error, slot: slot.name },
          'network slots: a pause container is gone; its slot is dropped',
        );
        return false;
      }
    },
    async examine(containerId) {
      const slot = bound.get(containerId);
      if (!slot || slot.print === null) return;
      // A task may write to the files of its network (hosts, name servers), which all containers of a namespace share.
      slot.unchanged = await pauses.print(slot.id).then(
        (print) => print === slot.print,
        () => false,
      );
    },
    release(containerId) {
      const slot = bound.get(containerId);
      if (!slot) return;
      bound.delete(containerId);
      if (slot.unchanged) free(slot);
      else slot.state = 'stale';
    },
    working() {
      inWork += 1;
      let done = false;
      return () => {
        if (done) return;
        done = true;
        inWork -= 1;
        lastWorkAt = performance.now();
        if (inWork === 0) wake(IDLE_MS);
      };
    },
    async close() {
      closed = true;
      if (timer) clearTimeout(timer);
      await step;
      const used = [...bound.values()];
      const idle = [...slots].filter((slot) => !used.includes(slot));
      slots.clear();
      // Running tasks keep their network; the next life of this worker takes those slots over.
      if (used.length > 0)
        log.info({ slots: used.length }, 'network slots: running tasks keep theirs for the next start');
      await Promise.all(
        idle.map(({ id, name }) =>
          pauses
            .remove(id)
            .catch((error) => log.warn({ err: error, slot: name }, 'network slots: not removed')),
        ),
      );
    },
  };
}

/** The engine has answered. An engine that is away, and a full disk, are known by other signs. */
function isRefusal(error: unknown): boolean {
  return isAppError(error, 'runtime_unavailable') && statusOf(error.cause) !== null;
}

// The small world in which the protocol of attempts and leases is explored: what the store, Redis, two container engines
// and the memory of four processes hold at one moment. Values only; nothing here decides.

import type { StopCause } from '../../runner/core/exit-classification.ts';
import type { Task } from '../../shared/model/task.ts';
import type { AttemptOutcome } from '../../shared/model/task-life.ts';

/** Of records and outcomes, which are kept once and named by number, so that a world is small and soon compared. */
export class Kept<T> {
  readonly #all: T[] = [];
  readonly #byText = new Map<string, number>();
  readonly #made = new Map<string, number | null>();

  put(one: T): number {
    const text = JSON.stringify(one);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    this.#byText.set(text, this.#all.length);
    return this.#all.push(one) - 1;
  }

  get(n: number): T {
    return this.#all[n] as T;
  }

  /** The number of what `make` makes, which is always the same for `key`; null stays null. */
  made(key: string, make: () => T | null): number | null {
    let number = this.#made.get(key);
    if (number === undefined) {
      const one = make();
      number = one === null ? null : this.put(one);
      this.#made.set(key, number);
    }
    return number;
  }
}

/** Index of a task in `World.store` and number of an attempt. */
export interface RunKey {
  readonly task: number;
  readonly attempt: number;
}

export interface Container extends RunKey {
  readonly state: 'created' | 'running' | 'exited';
  readonly exitCode: number | null;
}

/** What the process of a runner knows of one attempt. */
export interface Run extends RunKey {
  /** The record as it was read last. */
  readonly known: number;
  /** This write may be there or not: the record is to be read before it is tried again. */
  readonly unsure: 'announce' | 'collect' | null;
  readonly seen: Pick<Container, 'state' | 'exitCode'> | null;
  readonly admitted: boolean;
  readonly hadContainer: boolean;
  readonly adopted: boolean;
  readonly capturing: boolean;
  readonly gathered: boolean;
  readonly stop: StopCause | null;
  readonly outcome: number | null;
  readonly committed: boolean;
}

export interface Runner {
  readonly isAlive: boolean;
  readonly isFenced: boolean;
  readonly runs: readonly Run[];
}

/** What a scheduler read in one go. What it does next it does on this, however old it is by then. */
export interface Picture {
  readonly store: readonly number[];
  readonly up: readonly boolean[];
  readonly present: readonly boolean[];
}

export interface Scheduler {
  readonly isAlive: boolean;
  /** `won`: it has the lease and no term yet. */
  readonly stage: 'standby' | 'won' | 'leading';
  readonly term: number;
  readonly picture: Picture | null;
  /** Placed and not handed over yet. */
  readonly toDeliver: Delivery | null;
}

export interface Delivery extends RunKey {
  readonly worker: number;
}

/** Who writes, in whose name. */
export type Writer =
  | { readonly kind: 'user' }
  | { readonly kind: 'scheduler'; readonly term: number }
  | { readonly kind: 'runner'; readonly worker: number; readonly attempt: number };

export interface Write {
  readonly by: Writer;
  readonly task: number;
  /** The record to be written over the one before it. */
  readonly next: number;
}

/** What may still go wrong. */
export interface Budget {
  readonly crashes: number;
  /** Writes whose answer is lost, or which arrive at any later time. */
  readonly messages: number;
  /** Leases that run out although their holder lives. */
  readonly leases: number;
  readonly flushes: number;
  readonly cancels: number;
  readonly evictions: number;
}

export interface World {
  /** Records by number. */
  readonly store: readonly number[];
  readonly newestTerm: number;
  /** Liveness of workers in the store. */
  readonly up: readonly boolean[];
  /** Which scheduler holds the lease in Redis. */
  readonly holder: number | null;
  /** Leases of workers in Redis. */
  readonly present: readonly boolean[];
  /** Deliveries that wait or are in work, by worker. */
  readonly queues: readonly (readonly RunKey[])[];
  readonly schedulers: readonly Scheduler[];
  readonly runners: readonly Runner[];
  readonly engines: readonly (readonly Container[])[];
  /** On its way for as long as it likes. */
  readonly late: Write | null;
  /** Attempts whose container was started, each as often as that happened. */
  readonly started: readonly RunKey[];
  readonly left: Budget;
}

export const NOTHING_LEFT: Budget = {
  crashes: 0,
  messages: 0,
  leases: 0,
  flushes: 0,
  cancels: 0,
  evictions: 0,
};

/** One thing that may happen next. */
export interface Move {
  readonly what: string;
  readonly to: World;
  /** It is something that goes wrong, or that a user wishes: a quiet system does without. */
  readonly isFault: boolean;
  /** It only takes away what is nobody's any more, so that it makes no difference when it happens. */
  readonly isTidying?: boolean;
}

export interface Tables {
  readonly records: Kept<Task>;
  readonly outcomes: Kept<AttemptOutcome>;
}

export const workerName = (worker: number): string => `w${worker + 1}`;
export const isSameRun = (a: RunKey, b: RunKey): boolean => a.task === b.task && a.attempt === b.attempt;
export const nameOf = ({ task, attempt }: RunKey): string => `task ${task + 1} attempt ${attempt}`;

export function replaced<T>(list: readonly T[], at: number, by: T): readonly T[] {
  return list.map((one, n) => (n === at ? by : one));
}

const texts = new WeakMap<object, string>();

/** Of a part that many worlds share. */
function partText(part: object): string {
  let text = texts.get(part);
  if (text === undefined) {
    text = JSON.stringify(part);
    texts.set(part, text);
  }
  return text;
}

const sorted = (parts: readonly object[]): string => parts.map(partText).sort().join(' ');

/**
 * Equal for worlds in which the same is true: the order of things that have none does not count, nor which of the
 * schedulers is which.
 */
export function textOf(world: World): string {
  const {
    store,
    newestTerm,
    up,
    holder,
    present,
    queues,
    schedulers,
    runners,
    engines,
    late,
    started,
    left,
  } = world;
  return [
    store.join(),
    newestTerm,
    up.join(),
    present.join(),
    queues.map(sorted).join('|'),
    schedulers
      .map((one, n) => `${holder === n ? '*' : ''}${partText(one)}`)
      .sort()
      .join(' '),
    runners.map(({ isAlive, isFenced, runs }) => `${isAlive} ${isFenced} ${sorted(runs)}`).join('|'),
    engines.map(sorted).join('|'),
    late && partText(late),
    sorted(started),
    partText(left),
  ].join('\n');
}

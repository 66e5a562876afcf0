// The faults of a run: a seeded list of what breaks, where, for how long, and how soon after the one before.
// Pure: the same seed gives the same list. How a fault is done is in inject.ts.

import { Dice } from '../../scheduler/core/simulation/dice.ts';

export const FAULT_KINDS = [
  /** `kill -9`, started again after a while, as a supervisor would. */
  'kill-api',
  'kill-scheduler',
  'kill-runner',
  /** SIGTERM, started again after a while. */
  'stop-runner',
  /** SIGSTOP and, often later than its lease allows, SIGCONT: a process that comes back from the dead. */
  'freeze-scheduler',
  'freeze-runner',
  'restart-redis',
  'kill-redis',
  'flush-redis',
  /** The store answers nobody. */
  'stop-store',
  /** The engine of a host. */
  'restart-docker',
  'kill-docker',
  'freeze-docker',
  /** The network between a host and the rest. */
  'cut-link',
  /** The power of a host fails: runner, engine and containers end at once. It boots again. */
  'crash-host',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly number: number;
  readonly kind: FaultKind;
  /** Which copy of a process, or which host, from 0. */
  readonly target: number;
  /** How long it lasts. */
  readonly lastsMs: number;
  /** Between the fault before and this one. */
  readonly gapMs: number;
  /** It waits until all is well after the fault before; otherwise it comes on top of that. */
  readonly afterAllIsWell: boolean;
}

export interface FaultOptions {
  readonly seed: number;
  readonly count: number;
  readonly hosts: number;
  readonly apis: number;
  readonly schedulers: number;
  readonly workerLeaseMs: number;
  readonly kinds: readonly FaultKind[];
  /** Of all, how many come while another one goes on. */
  readonly overlapping: number;
  /** Between a fault and the next one, on average. */
  readonly gapMs: number;
}

const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  'kill-api': 10,
  'kill-scheduler': 10,
  'kill-runner': 14,
  'stop-runner': 6,
  'freeze-scheduler': 5,
  'freeze-runner': 6,
  'restart-redis': 6,
  'kill-redis': 6,
  'flush-redis': 8,
  'stop-store': 8,
  'restart-docker': 3,
  'kill-docker': 2,
  'freeze-docker': 3,
  'cut-link': 10,
  'crash-host': 3,
};

export function makeFaults(options: FaultOptions): Fault[] {
  const { seed, count, kinds } = options;
  // Other numbers than those of the jobs, which begin with the same seed.
  const dice = new Dice(seed + 0x5eed);
  const sums: number[] = [];
  for (const kind of kinds) sums.push((sums.at(-1) ?? 0) + WEIGHTS[kind]);
  return Array.from({ length: count }, (_, number) => {
    // Each kind once before chance decides, so that a short run has seen all.
    const kind = (number < kinds.length ? kinds[number] : kinds[dice.weighted(sums)]) as FaultKind;
    return {
      number,
      kind,
      target: dice.below(targetsOf(kind, options)),
      lastsMs: Math.round(lengthOf(kind, options.workerLeaseMs, dice)),
      gapMs: Math.round(Math.min(5 * options.gapMs, dice.exponential(options.gapMs))),
      afterAllIsWell: dice.next() >= options.overlapping,
    };
  });
}

function targetsOf(kind: FaultKind, { hosts, apis, schedulers }: FaultOptions): number {
  switch (kind) {
    case 'kill-api':
      return apis;
    case 'kill-scheduler':
    case 'freeze-scheduler':
      return schedulers;
    case 'restart-redis':
    case 'kill-redis':
    case 'flush-redis':
    case 'stop-store':
      return 1;
    default:
      return hosts;
  }
}

/** Some shorter than a lease, so that nothing is to be lost, and some longer, so that work must move. */
function lengthOf(kind: FaultKind, leaseMs: number, dice: Dice): number {
  switch (kind) {
    case 'flush-redis':
    case 'restart-docker':
      return 0;
    case 'kill-api':
    case 'kill-scheduler':
      return dice.next() * 1_500;
    case 'restart-redis':
    case 'kill-redis':
    case 'kill-docker':
    case 'crash-host':
      return dice.next() * 3_000;
    case 'stop-store':
      // Longer than writers wait for the lock of SQLite, now and then.
      return dice.next() < 0.8 ? 500 + dice.next() * 4_000 : 10_000 + dice.next() * 5_000;
    case 'kill-runner':
    case 'stop-runner':
      return dice.next() < 0.75 ? dice.next() * 0.3 * leaseMs : leaseMs * (1.2 + 0.5 * dice.next());
    case 'freeze-scheduler':
      return 500 + dice.next() * 7_000;
    default:
      return dice.next() < 0.5 ? dice.next() * 0.5 * leaseMs : leaseMs * (1 + dice.next());
  }
}

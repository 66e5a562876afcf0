// Looks through all unfinished tasks, some at a time, and counts how they stand against their deadlines: for whoever
// watches, and beside the turns. What waits is in the index; of what is placed the record is read once. It must never write,
// and an index of a million tasks is walked through within some minutes, not at once.

import type { SlaStanding } from '../shared/model/cluster-counts.ts';
import { dangerOf, deadlineOf } from '../shared/model/sla.ts';
import type { ClusterIndex } from './cluster-index.ts';
import type { Holding } from './core/snapshot.ts';
import type { Expectations } from './expectations.ts';
import type { LoopParts } from './parts.ts';
import { Recurring } from './recurring.ts';

const EVERY_MS = 2_000;
const DEADLINE_MS = 10_000;
/** Some milliseconds. */
const PER_STEP = 20_000;
/** Records of placed tasks, which may be large. */
const READ_PER_STEP = 100;

export interface SlaSurveyParts extends Pick<LoopParts, 'store' | 'clock' | 'log'> {
  readonly index: ClusterIndex;
  readonly expectations: Pick<Expectations, 'runTimeOf'>;
  readonly everyMs?: number;
}

interface Facts {
  readonly attempt: number;
  readonly deadline: number;
  readonly expectedMs: number;
  readonly startedAt: number | null;
}

const NONE = { safe: 0, at_risk: 0, missed: 0 };

export class SlaSurvey {
  readonly #parts: SlaSurveyParts;
  readonly #stepping: Recurring;
  /** Of placed tasks. */
  #known = new Map<string, Facts>();
  #walk: Iterator<'safe' | 'at_risk' | 'missed' | null> | null = null;
  #counts = { ...NONE };
  #unknown: string[] = [];
  #standing: SlaStanding | null = null;

  constructor(parts: SlaSurveyParts) {
    this.#parts = parts;
    this.#stepping = new Recurring({
      work: () => this.#step(),
      everyMs: parts.everyMs ?? EVERY_MS,
      deadlineMs: DEADLINE_MS,
      fault: 'how tasks stand against their deadlines is not counted now',
      log: parts.log,
    });
  }

  /** By the last walk through all; null before the first. A placed task counts once its record was read. */
  get standing(): SlaStanding | null {
    return this.#standing;
  }

  start(): void {
    this.#stepping.start();
  }

  stop(): Promise<void> {
    return this.#stepping.stop();
  }

  async #step(): Promise<void> {
    await this.#read();
    this.#walk ??= this.#all();
    for (let n = 0; n < PER_STEP; n += 1) {
      const { value, done } = this.#walk.next();
      if (done) {
        this.#standing = this.#counts;
        this.#counts = { ...NONE };
        this.#walk = null;
        return;
      }
      if (value !== null) this.#counts[value as keyof SlaStanding] += 1;
    }
  }

  *#all(): Generator<'safe' | 'at_risk' | 'missed' | null, undefined> {
    const { index, clock } = this.#parts;
    for (const entry of index.backlog.entries()) {
      yield dangerOf({ ...entry, startedAt: null }, clock.now());
    }
    const held = new Map<string, Facts>();
    for (const holding of index.ledger.holdings()) {
      const facts = this.#known.get(holding.taskId);
      if (facts) held.set(holding.taskId, facts);
      if (!facts || isOld(facts, holding)) {
        if (this.#unknown.length < READ_PER_STEP) this.#unknown.push(holding.taskId);
      }
      yield facts ? dangerOf(facts, clock.now()) : null;
    }
    // Those that are placed no more are forgotten.
    this.#known = held;
    return undefined;
  }

  async #read(): Promise<void> {
    const { store, expectations } = this.#parts;
    const ids = this.#unknown;
    this.#unknown = [];
    if (ids.length === 0) return;
    for (const { id, attempt, spec, submittedAt, startedAt } of await store.tasks.getMany(ids)) {
      const expectedMs = expectations.runTimeOf({ ...spec, submittedAt }).medianMs;
      const deadline = deadlineOf({ submittedAt, kValue: spec.kValue }, expectedMs);
      this.#known.set(id, { attempt, deadline, expectedMs, startedAt });
    }
  }
}

function isOld({ attempt, startedAt }: Facts, holding: Holding): boolean {
  return attempt !== holding.attempt || (startedAt === null && holding.state === 'running');
}

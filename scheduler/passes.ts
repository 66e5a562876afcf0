// One pass after another: looks at the picture, plans, and makes the plan true. What a plan says is checked again by
// whoever writes it, so a picture that was wrong costs time and nothing else.

import type { Changes } from './changes.ts';
import type { ClusterIndex } from './cluster-index.ts';
import { NO_MEMORY, type Plan, type PlanMemory, type WaitReason } from './core/snapshot.ts';
import { Decisions } from './decisions.ts';
import { Evictions } from './evictions.ts';
import type { Handoff } from './handoff.ts';
import type { HealthWatch } from './health-watch.ts';
import type { LoopParts, Mandate } from './parts.ts';
import type { Picture } from './picture.ts';
import { applyPlacements } from './placing.ts';

export interface PassParts extends LoopParts {
  readonly index: ClusterIndex;
  readonly picture: Picture;
  readonly handoff: Handoff;
  readonly health: HealthWatch;
  readonly changes: Changes;
  readonly mandate: Mandate;
}

export class Passes {
  readonly evictions: Evictions;
  readonly #parts: PassParts;
  readonly #decisions: Decisions;
  readonly #seed: number;
  #memory: PlanMemory = NO_MEMORY;
  #waiting: Plan['waiting'] = new Map();
  #placed = 0;

  constructor(parts: PassParts) {
    this.#parts = parts;
    this.evictions = new Evictions(parts);
    this.#decisions = new Decisions({ ...parts, term: parts.mandate.term });
    this.#seed = Math.floor(parts.random() * 2 ** 31);
  }

  /** In this term. */
  get placed(): number {
    return this.#placed;
  }

  get memory(): PlanMemory {
    return this.#memory;
  }

  /** By the last pass, why tasks of a line waited; undefined when it did not say. */
  reasonOf(groupKey: string): WaitReason | undefined {
    return this.#waiting.get(groupKey);
  }

  /** Goes on with what the leader before handed on. Before the first pass. */
  resume(memory: PlanMemory): void {
    this.#memory = memory;
  }

  /** What was decided is written down, as far as it can be. Within seconds. */
  async settled(): Promise<void> {
    await this.#decisions.settled();
  }

  /** True when another pass right away may place more. Throws `Deposed`, and what store and queue throw. */
  async run(): Promise<boolean> {
    const { index, picture, handoff, changes, mandate, clock, log, tally } = this.#parts;
    const began = clock.monotonic();
    const now = clock.now();
    const made = this.#decisions.decide(picture.snapshot(this.#memory), now, this.#seed);
    this.#memory = made.memory;
    // What is overdue and not ended yet is in no plan; why it waited is still to be told.
    this.#waiting = index.backlog.hasOverdue ? new Map([...this.#waiting, ...made.waiting]) : made.waiting;
    const { placements, preemptions, waiting } = made;
    const told = { placements: placements.length, preemptions: preemptions.length };
    log.debug({ ...told, waitingGroups: waiting.size, reserved: made.memory.reservations }, 'pass');
    const reread = (ids: Iterable<string>) => changes.addIds(ids);
    this.#placed += await applyPlacements({ ...this.#parts, index, handoff, reread }, placements, mandate);
    const hasChanged = await this.evictions.preempt(preemptions);
    index.dropFresh();
    tally.passed((clock.monotonic() - began) / 1_000);
    return made.more || hasChanged;
  }
}

// Which of the workers meet the labels that a line demands, and how many of those it prefers. Asked for one worker at a
// time and remembered for the pass, so that a full cluster costs nothing. Pure.

import { countMet, type LabelDemand, type Labels, meetsTerms } from '../../shared/model/labels.ts';
import { BLOCK } from './room.ts';

const UNKNOWN = 255;
/** More preferences than that make no worker better. */
const MOST_PREFERRED = 250;

export class LabelClass {
  readonly #demand: LabelDemand;
  readonly #labelsOf: (index: number) => Labels;
  /** 0: not allowed; else one more than the preferences that are met. */
  readonly #levels: Uint8Array;
  readonly #closed: Uint8Array;
  readonly #unseen: Uint8Array;
  #ranks: readonly number[] | null = null;

  /** @param isHopeless it is known that none of the workers is allowed */
  constructor(demand: LabelDemand, size: number, labelsOf: (index: number) => Labels, isHopeless = false) {
    this.#demand = demand;
    this.#labelsOf = labelsOf;
    this.#levels = new Uint8Array(size).fill(isHopeless ? 0 : UNKNOWN);
    const blocks = Math.ceil(size / BLOCK);
    this.#closed = new Uint8Array(blocks).fill(isHopeless ? 1 : 0);
    this.#unseen = new Uint8Array(blocks);
    for (let block = 0; block < blocks; block += 1) {
      this.#unseen[block] = Math.min(BLOCK, size - block * BLOCK);
    }
  }

  /** Blocks without any worker that is allowed, as far as is known. */
  get closed(): Uint8Array {
    return this.#closed;
  }

  level(index: number): number {
    const known = this.#levels[index] as number;
    if (known !== UNKNOWN) return known;
    const labels = this.#labelsOf(index);
    const level = meetsTerms(this.#demand.constraints, labels)
      ? 1 + Math.min(MOST_PREFERRED, countMet(this.#demand.prefer, labels))
      : 0;
    this.#levels[index] = level;
    this.#note(Math.floor(index / BLOCK));
    return level;
  }

  /** The levels that occur, the best first. With preferences all workers are looked at, once. */
  ranks(): readonly number[] {
    if (this.#ranks) return this.#ranks;
    const found = new Set<number>();
    for (let index = 0; index < this.#levels.length; index += 1) found.add(this.level(index));
    found.delete(0);
    this.#ranks = [...found].sort((a, b) => b - a);
    return this.#ranks;
  }

  /** A block all of whose workers turned out not to be allowed is not looked at again. */
  #note(block: number): void {
    this.#unseen[block] = (this.#unseen[block] as number) - 1;
    if (this.#unseen[block] !== 0) return;
    const end = Math.min(this.#levels.length, (block + 1) * BLOCK);
    for (let index = block * BLOCK; index < end; index += 1) if (this.#levels[index] !== 0) return;
    this.#closed[block] = 1;
  }
}

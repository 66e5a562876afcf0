// What many workers have free, laid out so that the first one with room is found without looking at all of them. Pure.
//
// Workers are kept in blocks with the most of each dimension that any of the block has. A block whose most is too little
// is passed over whole. Room only shrinks while it is in use, so a most that is out of date is too large at worst: it
// costs a look and never hides a worker; it is made anew when a look at the whole block was in vain.

import type { Resources } from '../../shared/model/resources.ts';
import { partMissing } from './fit.ts';

export const BLOCK = 64;
const WIDTH = 4;

export class Room {
  readonly size: number;
  readonly #amounts: Float64Array;
  readonly #most: Float64Array;

  constructor(all: readonly Resources[]) {
    this.size = all.length;
    this.#amounts = new Float64Array(all.length * WIDTH);
    this.#most = new Float64Array(Math.ceil(all.length / BLOCK) * WIDTH);
    // Done for ten thousand workers in each pass.
    for (let index = 0; index < all.length; index += 1) {
      const at = index * WIDTH;
      const one = all[index] as Resources;
      this.#amounts[at] = one.cpuMillis;
      this.#amounts[at + 1] = one.memoryMb;
      this.#amounts[at + 2] = one.gpus;
      this.#amounts[at + 3] = one.storageMb;
    }
    for (let block = 0; block * BLOCK < this.size; block += 1) this.#remake(block);
  }

  at(index: number): Resources {
    const at = index * WIDTH;
    const { [at]: cpuMillis, [at + 1]: memoryMb, [at + 2]: gpus, [at + 3]: storageMb } = this.#amounts;
    return { cpuMillis, memoryMb, gpus, storageMb } as Resources;
  }

  fits(need: Resources, index: number): boolean {
    return within(need, this.#amounts, index * WIDTH);
  }

  /** As `distanceTo` of fit.ts, without making anything: asked for thousands of workers at a time. */
  distance(need: Resources, index: number): number {
    const at = index * WIDTH;
    const amounts = this.#amounts;
    return (
      partMissing(need.cpuMillis, amounts[at] as number) +
      partMissing(need.memoryMb, amounts[at + 1] as number) +
      partMissing(need.gpus, amounts[at + 2] as number) +
      partMissing(need.storageMb, amounts[at + 3] as number)
    );
  }

  take(need: Resources, index: number): void {
    const at = index * WIDTH;
    const amounts = this.#amounts;
    amounts[at] = (amounts[at] as number) - need.cpuMillis;
    amounts[at + 1] = (amounts[at + 1] as number) - need.memoryMb;
    amounts[at + 2] = (amounts[at + 2] as number) - need.gpus;
    amounts[at + 3] = (amounts[at + 3] as number) - need.storageMb;
  }

  /** The most of each dimension that is free anywhere: what exceeds it fits nowhere. Null when there are no workers. */
  greatest(): Resources | null {
    if (this.size === 0) return null;
    const most = [-1, -1, -1, -1];
    for (let at = 0; at < this.#most.length; at += 1) {
      most[at % WIDTH] = Math.max(most[at % WIDTH] as number, this.#most[at] as number);
    }
    const [cpuMillis, memoryMb, gpus, storageMb] = most;
    return { cpuMillis, memoryMb, gpus, storageMb } as Resources;
  }

  /** False when it surely fits nowhere. */
  mayFit(need: Resources): boolean {
    for (let at = 0; at < this.#most.length; at += WIDTH) if (within(need, this.#most, at)) return true;
    return false;
  }

  /**
   * The first index in [from, to) with room that is not refused; −1 if there is none.
   * @param closed blocks that are not looked at
   */
  find(
    need: Resources,
    from: number,
    to: number,
    accept: (index: number) => boolean,
    closed: Uint8Array | null,
  ): number {
    for (let index = from; index < to; ) {
      const block = Math.floor(index / BLOCK);
      const end = Math.min(to, (block + 1) * BLOCK);
      if (closed?.[block] || !within(need, this.#most, block * WIDTH)) {
        index = end;
        continue;
      }
      const isWhole = index === block * BLOCK && end === Math.min(this.size, (block + 1) * BLOCK);
      let fitted = false;
      for (; index < end; index += 1) {
        if (!within(need, this.#amounts, index * WIDTH)) continue;
        fitted = true;
        if (accept(index)) return index;
      }
      if (isWhole && !fitted) this.#remake(block);
    }
    return -1;
  }

  #remake(block: number): void {
    let [cpuMillis, memoryMb, gpus, storageMb] = [-1, -1, -1, -1];
    const amounts = this.#amounts;
    const end = Math.min(this.size, (block + 1) * BLOCK) * WIDTH;
    for (let at = block * BLOCK * WIDTH; at < end; at += WIDTH) {
      cpuMillis = Math.max(cpuMillis, amounts[at] as number);
      memoryMb = Math.max(memoryMb, amounts[at + 1] as number);
      gpus = Math.max(gpus, amounts[at + 2] as number);
      storageMb = Math.max(storageMb, amounts[at + 3] as number);
    }
    const at = block * WIDTH;
    this.#most[at] = cpuMillis;
    this.#most[at + 1] = memoryMb;
    this.#most[at + 2] = gpus;
    this.#most[at + 3] = storageMb;
  }
}

function within(need: Resources, amounts: Float64Array, at: number): boolean {
  return (
    need.cpuMillis <= (amounts[at] as number) &&
    need.memoryMb <= (amounts[at + 1] as number) &&
    need.gpus <= (amounts[at + 2] as number) &&
    need.storageMb <= (amounts[at + 3] as number)
  );
}

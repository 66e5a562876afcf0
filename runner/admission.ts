// Who may start on this machine now: the ledger, a line of those who wait for room, and a gate that closes the line
// while the worker may take no work. Order is arrival; nobody overtakes.

import type { Resources } from '../shared/model/resources.ts';
import { type Admission, type Capacity, CapacityLedger } from './core/capacity-ledger.ts';

interface Waiting {
  readonly key: string;
  readonly need: Resources;
  readonly answer: (admission: Exclude<Admission, { kind: 'full' }>) => void;
}

export class AdmissionLine {
  readonly #ledger: CapacityLedger;
  #line: Waiting[] = [];
  #isOpen = true;

  constructor(machine: Capacity) {
    this.#ledger = new CapacityLedger(machine);
  }

  get free(): Resources {
    return this.#ledger.free;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** Calls back, maybe at once, when there is room or never will be. */
  enter(key: string, need: Resources, answer: Waiting['answer']): void {
    this.#line.push({ key, need, answer });
    this.#advance();
  }

  /** For a container that is there already. */
  hold(key: string, resources: Resources, gpuIds: readonly string[]): void {
    this.#ledger.hold(key, resources, gpuIds);
  }

  gpusOf(key: string): readonly string[] {
    return this.#ledger.gpusOf(key);
  }

  /** Gives up the place in the line and what is held. */
  leave(key: string): void {
    this.#line = this.#line.filter((waiting) => waiting.key !== key);
    this.#ledger.release(key);
    this.#advance();
  }

  /** Nobody is admitted until it opens again. */
  close(): void {
    this.#isOpen = false;
  }

  open(): void {
    this.#isOpen = true;
    this.#advance();
  }

  #advance(): void {
    while (this.#isOpen) {
      const first = this.#line[0];
      if (!first) return;
      const admission = this.#ledger.admit(first.key, first.need);
      if (admission.kind === 'full') return;
      this.#line.shift();
      first.answer(admission);
    }
  }
}

// Who may start on this machine now: the ledger, a line of those who wait for room, and a gate that closes the line
// while the worker may take no work. Order is arrival; nobody overtakes, except those who fit beside one that has room
// and waits for its devices.

import type { Resources } from '../shared/model/resources.ts';
import { type Admission, type Ask, type Capacity, CapacityLedger } from './core/capacity-ledger.ts';

interface Waiting {
  readonly ask: Ask;
  readonly answer: (admission: Extract<Admission, { kind: 'admitted' | 'never' }>) => void;
}

export class AdmissionLine {
  readonly #ledger: CapacityLedger;
  /** In order of arrival, as maps are. */
  readonly #line = new Map<string, Waiting>();
  #isOpen = true;

  constructor(machine: Capacity) {
    this.#ledger = new CapacityLedger(machine);
  }

  get free(): Resources {
    return this.#ledger.free;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** Calls back, maybe at once, when there is room or never will be. */
  enter(key: string, ask: Ask, answer: Waiting['answer']): void {
    this.#line.set(key, { ask, answer });
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
    this.#line.delete(key);
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
    const aside: Ask[] = [];
    for (const [key, { ask, answer }] of this.#line) {
      if (!this.#isOpen) return;
      const admission = this.#ledger.admit(key, ask, aside);
      if (admission.kind === 'full') return;
      if (admission.kind === 'devices_held') {
        aside.push(ask);
        continue;
      }
      this.#line.delete(key);
      answer(admission);
    }
  }
}

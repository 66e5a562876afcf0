// What attempts hold of this machine, in all four dimensions, device by device. Pure and deterministic. It is the
// last guard against over-commit: whatever a scheduler believes, nothing starts that does not fit here.

import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  type Shortfall,
  shortfalls,
  subtractResources,
} from '../../shared/model/resources.ts';

export interface Capacity {
  readonly capacity: Resources;
  readonly gpuIds: readonly string[];
}

export type Admission =
  | { readonly kind: 'admitted'; readonly gpuIds: readonly string[] }
  /** Not now. */
  | { readonly kind: 'full' }
  /** Not even on the empty machine. */
  | { readonly kind: 'never'; readonly missing: readonly Shortfall[] };

interface Hold {
  readonly resources: Resources;
  readonly gpuIds: readonly string[];
}

export class CapacityLedger {
  readonly #machine: Capacity;
  readonly #holds = new Map<string, Hold>();
  readonly #takenGpus = new Set<string>();
  #used: Resources = NO_RESOURCES;

  constructor(machine: Capacity) {
    this.#machine = machine;
  }

  /** What is left. Negative where adopted containers hold more than the machine is said to have. */
  get free(): Resources {
    return subtractResources(this.#machine.capacity, this.#used);
  }

  /** Gives `key` what it needs if it fits. Asking again for what is held changes nothing. */
  admit(key: string, need: Resources): Admission {
    const held = this.#holds.get(key);
    if (held) return { kind: 'admitted', gpuIds: held.gpuIds };
    const whole = { ...this.#machine.capacity, gpus: this.#machine.gpuIds.length };
    if (!fits(need, whole)) return { kind: 'never', missing: shortfalls(need, whole) };
    if (!fits(need, this.free)) return { kind: 'full' };
    const gpuIds = need.gpus === 0 ? [] : this.#freeGpus().slice(0, need.gpus);
    if (gpuIds.length < need.gpus) return { kind: 'full' };
    this.#take(key, { resources: need, gpuIds });
    return { kind: 'admitted', gpuIds };
  }

  /** Takes down what a container holds that runs already, whether it fits or not. */
  hold(key: string, resources: Resources, gpuIds: readonly string[]): void {
    if (!this.#holds.has(key)) this.#take(key, { resources, gpuIds });
  }

  /** False when `key` held nothing. */
  release(key: string): boolean {
    const hold = this.#holds.get(key);
    if (!hold) return false;
    this.#holds.delete(key);
    this.#used = subtractResources(this.#used, hold.resources);
    for (const id of hold.gpuIds) this.#takenGpus.delete(id);
    return true;
  }

  gpusOf(key: string): readonly string[] {
    return this.#holds.get(key)?.gpuIds ?? [];
  }

  #take(key: string, hold: Hold): void {
    this.#holds.set(key, hold);
    this.#used = addResources(this.#used, hold.resources);
    for (const id of hold.gpuIds) this.#takenGpus.add(id);
  }

  #freeGpus(): string[] {
    return this.#machine.gpuIds.filter((id) => !this.#takenGpus.has(id));
  }
}

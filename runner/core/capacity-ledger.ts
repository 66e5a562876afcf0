// What attempts hold of this machine, in all four dimensions, device by device. Pure and deterministic. It is the
// last guard against over-commit: whatever a scheduler believes, nothing starts that does not fit here, and no device
// is given out that something else holds.

import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  type Shortfall,
  shortfalls,
  subtractResources,
  sumResources,
} from '../../shared/model/resources.ts';

export interface Capacity {
  readonly capacity: Resources;
  readonly gpuIds: readonly string[];
}

/** What an attempt asks for. */
export interface Ask {
  readonly need: Resources;
  /** The devices the scheduler chose; others will not do. Empty: any. */
  readonly gpuIds: readonly string[];
}

export type Admission =
  | { readonly kind: 'admitted'; readonly gpuIds: readonly string[] }
  /** Not now. */
  | { readonly kind: 'full' }
  /** There is room, but something else holds a device that was chosen for it. */
  | { readonly kind: 'devices_held' }
  /** Not even on the empty machine. */
  | { readonly kind: 'never'; readonly missing: readonly Shortfall[] };

interface Hold {
  readonly resources: Resources;
  readonly gpuIds: readonly string[];
}

const NOTHING_ASIDE: readonly Ask[] = [];

export class CapacityLedger {
  readonly #machine: Capacity;
  readonly #holds = new Map<string, Hold>();
  #used: Resources = NO_RESOURCES;

  constructor(machine: Capacity) {
    this.#machine = machine;
  }

  /** What is left. Negative where adopted containers hold more than the machine is said to have. */
  get free(): Resources {
    return subtractResources(this.#machine.capacity, this.#used);
  }

  /**
   * Gives `key` what it needs if it fits beside what is held and set aside. Asking again for what is held changes
   * nothing.
   *
   * @param aside what others have been promised before
   */
  admit(key: string, ask: Ask, aside: readonly Ask[] = NOTHING_ASIDE): Admission {
    const held = this.#holds.get(key);
    if (held) return { kind: 'admitted', gpuIds: held.gpuIds };
    const { need } = ask;
    const whole = { ...this.#machine.capacity, gpus: this.#machine.gpuIds.length };
    if (!fits(need, whole)) return { kind: 'never', missing: shortfalls(need, whole) };
    const room = subtractResources(this.free, sumResources(aside.map((one) => one.need)));
    // Devices are not counted but looked at one by one.
    if (!fits({ ...need, gpus: 0 }, { ...room, gpus: 0 })) return { kind: 'full' };
    const gpuIds = need.gpus === 0 ? [] : this.#choose(ask, aside);
    if (!gpuIds) return { kind: 'devices_held' };
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
    return true;
  }

  gpusOf(key: string): readonly string[] {
    return this.#holds.get(key)?.gpuIds ?? [];
  }

  #take(key: string, hold: Hold): void {
    this.#holds.set(key, hold);
    this.#used = addResources(this.#used, hold.resources);
  }

  /** The chosen devices, or any; null while something else has one that was chosen. */
  #choose({ need, gpuIds }: Ask, aside: readonly Ask[]): readonly string[] | null {
    const taken = new Set([...this.#holds.values(), ...aside].flatMap((one) => one.gpuIds));
    const isChoice = gpuIds.length === need.gpus && new Set(gpuIds).size === need.gpus;
    if (isChoice && gpuIds.every((id) => this.#machine.gpuIds.includes(id))) {
      return gpuIds.some((id) => taken.has(id)) ? null : gpuIds;
    }
    // The scheduler did not say, or the machine is not what it knew: any will do, and the record will tell which.
    return this.#machine.gpuIds.filter((id) => !taken.has(id)).slice(0, need.gpus);
  }
}

// What to do with the network slots when there is time. Pure.
//
//   made ──► fresh ──► used ──► (network files as they were?) ──► owned ──► used by the same owner …
//                        ▲  │              │ no                     │
//                        │  └── stale ◄────┘                        │ too few fresh ones left
//                        │        │                                 ▼
//                        │        └───────────────────────────► retired
//                        └── a slot is used by one container at a time, and only ever by one owner

import type { TaskNetwork } from '../../model/task.ts';

export interface SlotView {
  readonly network: TaskNetwork;
  /** Owner of the tasks it served; null while it is fresh. */
  readonly owner: string | null;
  readonly state: 'free' | 'used' | 'stale';
  /** When it last became free, for "least recently used". */
  readonly freeSince: number;
}

export type SlotStep<S extends SlotView> =
  | { readonly kind: 'make'; readonly network: TaskNetwork }
  | { readonly kind: 'retire'; readonly slot: S };

export type SlotTargets = Readonly<Record<TaskNetwork, number>>;

/** The next step, or null when all is as it should be. */
export function nextSlotStep<S extends SlotView>(
  slots: readonly S[],
  targets: SlotTargets,
): SlotStep<S> | null {
  const stale = slots.find(({ state }) => state === 'stale');
  if (stale) return { kind: 'retire', slot: stale };
  const cap = targets.bridge + targets.none;
  for (const network of ['bridge', 'none'] as const) {
    const here = slots.filter((slot) => slot.network === network);
    const free = here.filter(({ state }) => state === 'free');
    const oldest = [...free].sort(
      (a, b) => Number(a.owner === null) - Number(b.owner === null) || a.freeSince - b.freeSince,
    )[0];
    if (here.length > targets[network] && oldest) return { kind: 'retire', slot: oldest };
    if (here.length < targets[network] && slots.length < cap) return { kind: 'make', network };
    // Half are kept fresh for whoever comes; the others stay with their owners.
    const wantFresh = Math.ceil(targets[network] / 2);
    const fresh = free.filter(({ owner }) => owner === null).length;
    if (fresh < wantFresh && oldest && oldest.owner !== null) return { kind: 'retire', slot: oldest };
  }
  return null;
}

/** The slot a task of this owner may join, or null. A slot of another owner is never an answer. */
export function chooseSlot<S extends SlotView>(
  slots: readonly S[],
  owner: string,
  network: TaskNetwork,
): S | null {
  const free = slots.filter((slot) => slot.state === 'free' && slot.network === network);
  return free.find((slot) => slot.owner === owner) ?? free.find((slot) => slot.owner === null) ?? null;
}

/**
 * How the cap is split between the networks: slots without a network are kept once tasks ask for them, at most half
 * of all, and given back when others miss theirs.
 */
export function targetsAfterMiss(
  targets: SlotTargets,
  network: TaskNetwork,
  hasFreeNone: boolean,
): SlotTargets {
  const cap = targets.bridge + targets.none;
  const none =
    network === 'none'
      ? Math.min(targets.none + 1, Math.floor(cap / 2))
      : Math.max(0, targets.none - (hasFreeNone ? 1 : 0));
  return { bridge: cap - none, none };
}

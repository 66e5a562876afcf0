import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskNetwork } from '../../model/task.ts';
import { chooseSlot, nextSlotStep, type SlotTargets, type SlotView, targetsAfterMiss } from './slot-plan.ts';

type One = { -readonly [K in keyof SlotView]: SlotView[K] };

const slot = (over: Partial<SlotView> = {}): One => ({
  network: 'bridge',
  owner: null,
  state: 'free',
  freeSince: 0,
  ...over,
});

/** Takes steps until there is none, as idle time would; fails when that never ends. */
function settle(slots: One[], targets: SlotTargets): One[] {
  const now = [...slots];
  for (let steps = 0; steps < 200; steps += 1) {
    const step = nextSlotStep(now, targets);
    if (!step) return now;
    if (step.kind === 'make') now.push(slot({ network: step.network, freeSince: steps }));
    else now.splice(now.indexOf(step.slot), 1);
  }
  throw new Error('never settles');
}

const anySlot = fc.record({
  network: fc.constantFrom<TaskNetwork>('bridge', 'none'),
  owner: fc.constantFrom('a', 'b', null),
  state: fc.constantFrom<SlotView['state']>('free', 'used', 'stale'),
  freeSince: fc.nat(100),
});
const anyTargets = fc.record({ bridge: fc.nat(6), none: fc.nat(6) });

describe('the plan of network slots', () => {
  it('settles with half of what is not in use fresh, nothing stale, nothing above the cap', () => {
    fc.assert(
      fc.property(fc.array(anySlot, { maxLength: 12 }), anyTargets, (slots, targets) => {
        const end = settle(slots, targets);
        const used = slots.filter(({ state }) => state === 'used');
        expect(end.filter(({ state }) => state === 'used')).toHaveLength(used.length);
        expect(end.some(({ state }) => state === 'stale')).toBe(false);
        // Nothing is made beyond the cap; what was there already may be in use.
        const cap = targets.bridge + targets.none;
        const there = slots.filter(({ state }) => state !== 'stale').length;
        expect(end.length).toBeLessThanOrEqual(Math.max(cap, there));
        for (const network of ['bridge', 'none'] as const) {
          const here = end.filter((one) => one.network === network);
          const free = here.filter(({ state }) => state === 'free');
          const fresh = free.filter(({ owner }) => owner === null).length;
          const wanted = Math.min(Math.ceil(targets[network] / 2), free.length);
          expect(fresh).toBeGreaterThanOrEqual(wanted);
        }
      }),
    );
  });

  it('gives a task a slot of its own owner or a fresh one, never another', () => {
    fc.assert(
      fc.property(fc.array(anySlot), fc.constantFrom('a', 'b', 'c'), (slots, owner) => {
        const chosen = chooseSlot(slots, owner, 'bridge');
        const usable = slots.filter(
          (one) =>
            one.state === 'free' && one.network === 'bridge' && (one.owner === owner || one.owner === null),
        );
        if (usable.length === 0) expect(chosen).toBeNull();
        else expect(usable).toContain(chosen);
        if (chosen?.owner === null) expect(usable.some((one) => one.owner === owner)).toBe(false);
      }),
    );
  });

  it('retires the slot that was free longest first', () => {
    const slots = [1, 2, 3, 4].map((n) => slot({ owner: 'a', freeSince: 10 - n }));
    expect(nextSlotStep(slots, { bridge: 4, none: 0 })).toEqual({ kind: 'retire', slot: slots[3] });
  });

  it('keeps slots without a network only when tasks ask for them', () => {
    let targets: SlotTargets = { bridge: 4, none: 0 };
    for (let n = 0; n < 5; n += 1) targets = targetsAfterMiss(targets, 'none', false);
    expect(targets).toEqual({ bridge: 2, none: 2 });
    targets = targetsAfterMiss(targets, 'bridge', true);
    expect(targets).toEqual({ bridge: 3, none: 1 });
    expect(targetsAfterMiss(targets, 'bridge', false)).toEqual(targets);
  });
});

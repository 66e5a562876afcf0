// The machine is never over-committed, in no dimension and on no device.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, NO_RESOURCES, type Resources, sumResources } from '../../shared/model/resources.ts';
import { AdmissionLine } from '../admission.ts';
import { type Ask, CapacityLedger } from './capacity-ledger.ts';

const gpuIds = ['gpu-0', 'gpu-1', 'gpu-2'];
const capacity: Resources = { cpuMillis: 4_000, memoryMb: 1_024, gpus: 3, storageMb: 500 };
const need: fc.Arbitrary<Resources> = fc.record({
  cpuMillis: fc.integer({ min: 10, max: 5_000 }),
  memoryMb: fc.integer({ min: 6, max: 1_200 }),
  gpus: fc.integer({ min: 0, max: 4 }),
  storageMb: fc.integer({ min: 0, max: 600 }),
});

const any = (asked: Partial<Resources>): Ask => ({ need: { ...NO_RESOURCES, ...asked }, gpuIds: [] });
/** Mostly none, or as many as are needed; also unknown ones, too few and twice the same. */
const wanted = fc.oneof(
  fc.constant<string[]>([]),
  fc.shuffledSubarray(gpuIds),
  fc.array(fc.constantFrom(...gpuIds, 'gpu-9'), { maxLength: 4 }),
);

describe('the ledger', () => {
  it('never gives out more than there is, nor one device twice', () => {
    const key = fc.integer({ min: 0, max: 9 }).map(String);
    const event = fc.record({ key, need: fc.option(need), gpuIds: wanted });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const ledger = new CapacityLedger({ capacity, gpuIds });
        const holds = new Map<string, { need: Resources; gpus: readonly string[] }>();
        for (const { key, need: asked, gpuIds: chosen } of events) {
          if (asked === null) {
            expect(ledger.release(key)).toBe(holds.delete(key));
          } else {
            const answer = ledger.admit(key, { need: asked, gpuIds: chosen });
            if (answer.kind === 'admitted' && !holds.has(key))
              holds.set(key, { need: asked, gpus: answer.gpuIds });
            expect(answer.kind === 'never').toBe(!holds.has(key) && !fits(asked, capacity));
          }
          expect(fits(sumResources([...holds.values()].map((hold) => hold.need)), capacity)).toBe(true);
          const devices = [...holds.values()].flatMap(({ gpus }) => gpus);
          expect(new Set(devices).size).toBe(devices.length);
          for (const { need: held, gpus } of holds.values()) expect(gpus).toHaveLength(held.gpus);
        }
        for (const key of holds.keys()) ledger.release(key);
        expect(ledger.free).toEqual(capacity);
      }),
    );
  });

  it('counts what adopted containers hold, even beyond capacity', () => {
    const ledger = new CapacityLedger({ capacity, gpuIds });
    ledger.hold('a', { ...capacity, cpuMillis: 6_000 }, ['gpu-1']);
    expect(ledger.free.cpuMillis).toBe(-2_000);
    expect(ledger.admit('b', any({ cpuMillis: 10 }))).toEqual({ kind: 'full' });
    ledger.release('a');
    ledger.hold('a', NO_RESOURCES, ['gpu-1']);
    expect(ledger.admit('b', any({ gpus: 2 }))).toEqual({
      kind: 'admitted',
      gpuIds: ['gpu-0', 'gpu-2'],
    });
  });

  it('gives out no device that something holds, whatever the order of admits, holds and releases', () => {
    const key = fc.integer({ min: 0, max: 7 }).map(String);
    const act = fc.oneof(
      fc.record({ kind: fc.constant('admit'), key, gpus: fc.integer({ min: 1, max: 3 }), ids: wanted }),
      fc.record({ kind: fc.constant('hold'), key, gpus: fc.constant(1), ids: fc.subarray(gpuIds) }),
      fc.record({ kind: fc.constant('release'), key, gpus: fc.constant(0), ids: fc.constant([]) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const ledger = new CapacityLedger({ capacity, gpuIds });
        const held = new Map<string, readonly string[]>();
        for (const { kind, key: who, gpus, ids } of acts) {
          if (kind === 'release') expect(ledger.release(who)).toBe(held.delete(who));
          else if (kind === 'hold') {
            ledger.hold(who, { ...NO_RESOURCES, gpus: ids.length }, ids);
            if (!held.has(who)) held.set(who, ids);
          } else {
            const answer = ledger.admit(who, { need: { ...NO_RESOURCES, gpus }, gpuIds: ids });
            if (held.has(who)) expect(answer).toEqual({ kind: 'admitted', gpuIds: held.get(who) });
            else if (answer.kind === 'admitted') {
              const elsewhere = new Set([...held.values()].flat());
              expect(answer.gpuIds.filter((id) => elsewhere.has(id))).toEqual([]);
              expect(new Set(answer.gpuIds).size).toBe(gpus);
              const isChoice = ids.length === gpus && gpuIds.filter((id) => ids.includes(id)).length === gpus;
              if (isChoice) expect(answer.gpuIds).toEqual(ids);
              held.set(who, answer.gpuIds);
            }
          }
          expect(ledger.gpusOf(who)).toEqual(held.get(who) ?? []);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives the devices that were chosen, and any when the machine does not know them', () => {
    const ledger = new CapacityLedger({ capacity, gpuIds });
    const ask = (gpus: number, ...chosen: string[]) => ({ need: { ...NO_RESOURCES, gpus }, gpuIds: chosen });
    expect(ledger.admit('a', ask(2, 'gpu-2', 'gpu-0'))).toEqual({
      kind: 'admitted',
      gpuIds: ['gpu-2', 'gpu-0'],
    });
    expect(ledger.admit('b', ask(1, 'gpu-0'))).toEqual({ kind: 'devices_held' });
    expect(ledger.admit('b', ask(1, 'gpu-1'), [ask(1, 'gpu-1')])).toEqual({ kind: 'devices_held' });
    expect(ledger.admit('b', ask(1), [ask(1, 'gpu-1')])).toEqual({ kind: 'full' });
    expect(ledger.admit('b', ask(1, 'gpu-7'))).toEqual({ kind: 'admitted', gpuIds: ['gpu-1'] });
    ledger.release('a');
    expect(ledger.admit('c', ask(2, 'gpu-0', 'gpu-0'))).toEqual({
      kind: 'admitted',
      gpuIds: ['gpu-0', 'gpu-2'],
    });
    // Two containers on one device, found there: it is free when both are gone.
    ledger.hold('d', NO_RESOURCES, ['gpu-0']);
    ledger.release('c');
    expect(ledger.admit('e', ask(1, 'gpu-0'))).toEqual({ kind: 'devices_held' });
  });
});

describe('the line', () => {
  const cores = (n: number): Resources => ({ ...NO_RESOURCES, cpuMillis: n * 1_000 });
  const line = () => {
    const admitted: string[] = [];
    const admission = new AdmissionLine({ capacity, gpuIds });
    const enter = (key: string, cpu: number) =>
      admission.enter(key, any(cores(cpu)), ({ kind }) =>
        admitted.push(kind === 'never' ? `never ${key}` : key),
      );
    return { admission, admitted, enter };
  };

  it('admits in order of arrival, as many as fit, and the next when one leaves', () => {
    const { admission, admitted, enter } = line();
    enter('a', 3);
    enter('b', 2);
    enter('c', 1);
    expect(admitted).toEqual(['a']);
    admission.leave('a');
    expect(admitted).toEqual(['a', 'b', 'c']);
    expect(admission.waiting).toBe(0);
  });

  it('lets go who gives up waiting, and refuses at once what can never fit', () => {
    const { admission, admitted, enter } = line();
    enter('a', 4);
    enter('b', 4);
    enter('c', 5);
    enter('d', 1);
    admission.leave('b');
    expect(admitted).toEqual(['a', 'never c']);
    admission.leave('a');
    expect(admitted).toEqual(['a', 'never c', 'd']);
  });

  it('lets those who wait for their devices be overtaken only by what fits beside them', () => {
    const admitted: string[] = [];
    const admission = new AdmissionLine({ capacity, gpuIds });
    const enter = (key: string, cpuMillis: number, ...chosen: string[]) => {
      const ask = { need: { ...NO_RESOURCES, cpuMillis, gpus: chosen.length }, gpuIds: chosen };
      admission.enter(key, ask, ({ kind }) => admitted.push(kind === 'never' ? `never ${key}` : key));
    };
    enter('a', 1_000, 'gpu-0');
    enter('b', 2_000, 'gpu-0', 'gpu-1');
    enter('c', 1_000, 'gpu-2');
    expect(admitted).toEqual(['a', 'c']);
    enter('d', 10, 'gpu-1');
    enter('e', 1_000);
    expect(admitted).toEqual(['a', 'c']);
    admission.leave('a');
    expect(admitted).toEqual(['a', 'c', 'b']);
    admission.leave('c');
    expect(admitted).toEqual(['a', 'c', 'b', 'e']);
    admission.leave('b');
    expect(admitted).toEqual(['a', 'c', 'b', 'e', 'd']);
    expect(admission.waiting).toBe(0);
  });

  it('admits nobody while it is closed', () => {
    const { admission, admitted, enter } = line();
    admission.close();
    enter('a', 1);
    expect(admitted).toEqual([]);
    admission.open();
    expect(admitted).toEqual(['a']);
  });
});

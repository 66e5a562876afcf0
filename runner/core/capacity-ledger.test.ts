// The machine is never over-committed, in no dimension and on no device.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, NO_RESOURCES, type Resources, sumResources } from '../../shared/model/resources.ts';
import { AdmissionLine } from '../admission.ts';
import { CapacityLedger } from './capacity-ledger.ts';

const gpuIds = ['gpu-0', 'gpu-1', 'gpu-2'];
const capacity: Resources = { cpuMillis: 4_000, memoryMb: 1_024, gpus: 3, storageMb: 500 };
const need: fc.Arbitrary<Resources> = fc.record({
  cpuMillis: fc.integer({ min: 10, max: 5_000 }),
  memoryMb: fc.integer({ min: 6, max: 1_200 }),
  gpus: fc.integer({ min: 0, max: 4 }),
  storageMb: fc.integer({ min: 0, max: 600 }),
});

describe('the ledger', () => {
  it('never gives out more than there is, nor one device twice', () => {
    const event = fc.record({ key: fc.integer({ min: 0, max: 9 }).map(String), need: fc.option(need) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const ledger = new CapacityLedger({ capacity, gpuIds });
        const holds = new Map<string, { need: Resources; gpus: readonly string[] }>();
        for (const { key, need: asked } of events) {
          if (asked === null) {
            expect(ledger.release(key)).toBe(holds.delete(key));
          } else {
            const answer = ledger.admit(key, asked);
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
    expect(ledger.admit('b', { ...NO_RESOURCES, cpuMillis: 10 })).toEqual({ kind: 'full' });
    ledger.release('a');
    ledger.hold('a', NO_RESOURCES, ['gpu-1']);
    expect(ledger.admit('b', { ...NO_RESOURCES, gpus: 2 })).toEqual({
      kind: 'admitted',
      gpuIds: ['gpu-0', 'gpu-2'],
    });
  });
});

describe('the line', () => {
  const cores = (n: number): Resources => ({ ...NO_RESOURCES, cpuMillis: n * 1_000 });
  const line = () => {
    const admitted: string[] = [];
    const admission = new AdmissionLine({ capacity, gpuIds });
    const enter = (key: string, cpu: number) =>
      admission.enter(key, cores(cpu), ({ kind }) => admitted.push(kind === 'never' ? `never ${key}` : key));
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

  it('admits nobody while it is closed', () => {
    const { admission, admitted, enter } = line();
    admission.close();
    enter('a', 1);
    expect(admitted).toEqual([]);
    admission.open();
    expect(admitted).toEqual(['a']);
  });
});

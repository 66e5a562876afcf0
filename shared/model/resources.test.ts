import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  shortfalls,
  subtractResources,
} from './resources.ts';

const resources = fc.record<Resources>({
  cpuMillis: fc.nat(100_000),
  memoryMb: fc.nat(1_000_000),
  gpus: fc.nat(16),
  storageMb: fc.nat(1_000_000),
});

describe('resources', () => {
  it('fit exactly when nothing is short', () => {
    fc.assert(fc.property(resources, resources, (a, b) => fits(a, b) === (shortfalls(a, b).length === 0)));
  });
  it('add and subtract back to the same', () => {
    fc.assert(
      fc.property(resources, resources, (a, b) => {
        expect(subtractResources(addResources(a, b), b)).toEqual(a);
        expect(addResources(a, NO_RESOURCES)).toEqual(a);
      }),
    );
  });
});

// A slice of the fault suite: two minutes in which each thing breaks once while tasks come in. The whole of it is
// `npm run test:chaos`.

import { describe, expect, it } from 'vitest';
import { runChaos } from '../chaos/chaos.ts';
import { FAULT_KINDS } from '../chaos/faults.ts';
import { tellReport } from '../chaos/report.ts';
import { whyNoHosts } from '../support/hosts/programs.ts';

const why = whyNoHosts();
const SLICE_MS = 90_000;

describe.skipIf(why !== null)(`while everything breaks${why ? ` (${why})` : ''}`, () => {
  it('nothing is lost and nothing happens twice', { timeout: 600_000 }, async () => {
    const told: string[] = [];
    const report = await runChaos({
      seed: 7,
      // Each kind once.
      faults: FAULT_KINDS.length,
      overlapping: 0.5,
      gapMs: 700,
      jobs: 150,
      spanMs: SLICE_MS,
      longestMs: 2 * SLICE_MS,
      hosts: 2,
      apis: 2,
      schedulers: 2,
      store: 'sqlite',
      log: (line) => told.push(line),
    });
    expect(report.violations, `${told.join('\n')}\n${tellReport(report)}`).toEqual([]);
    expect(Object.keys(report.faults).length).toBeGreaterThan(3);
    expect(report.accepted).toBe(150);
  });
});

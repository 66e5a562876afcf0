import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTask, taken } from '../../test/support/tasks.ts';
import type { Attempt } from './task.ts';
import { assignTask } from './task-life.ts';
import type { AttemptUsage } from './usage.ts';
import { usageHint } from './usage-hint.ts';

const calm: AttemptUsage = {
  samples: 20,
  cpuMs: 30_000,
  cpuMeanMillis: 1_000,
  cpuPeakMillis: 1_500,
  memoryPeakMb: 2_000,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
};
const requested = { cpuMillis: 2_000, memoryMb: 4_096, gpus: 0, storageMb: 0 };

function ended(usage: Partial<AttemptUsage> | null, over: Partial<Attempt> = {}): Attempt {
  const [attempt] = taken(assignTask(makeTask(), { workerId: 'w', term: 1, now: 1 })).attempts;
  return {
    ...(attempt as Attempt),
    state: 'completed',
    startedAt: 0,
    finishedAt: 60_000,
    usage: usage && { ...calm, ...usage },
    ...over,
  };
}
const hint = (usage: Partial<AttemptUsage> | null, over?: Partial<Attempt>, of = {}) =>
  usageHint({ ...requested, ...of }, ended(usage, over));

describe('a hint', () => {
  it('of what was cut short says only what it needed already', () => {
    const evicted = { state: 'evicted' } as const;
    expect(hint({ memoryPeakMb: 100, cpuMeanMillis: 10, cpuPeakMillis: 20 })).toContain('would do');
    expect(hint({ memoryPeakMb: 100, cpuMeanMillis: 10, cpuPeakMillis: 20 }, evicted)).toBeNull();
    expect(hint({ memoryPeakMb: 4_090 }, evicted)).toContain('safer');
  });

  it('is not given when the request suits, or when there is nothing to go by', () => {
    expect(hint({})).toBeNull();
    expect(hint(null)).toBeNull();
    expect(hint({ memoryPeakMb: 3_900 }, { finishedAt: null })).toBeNull();
  });

  it('names a smaller request where most was never used', () => {
    expect(hint({ memoryPeakMb: 120 })).toBe(
      'At its peak it used 120 of the 4096 MB of memory it asked for: 192 MB (memory_required) would do.',
    );
    expect(hint({ cpuMeanMillis: 210, cpuPeakMillis: 330 })).toBe(
      'On average it used 0.21 of the 2 cores it asked for: 0.5 (cpu_required) would do.',
    );
    expect(hint({ cpuMeanMillis: 5, cpuPeakMillis: 10 }, {}, { cpuMillis: 1_000 })).toContain(
      'of the 1 core it',
    );
    expect(hint({ cpuMeanMillis: 5, cpuPeakMillis: 10, memoryPeakMb: 3 })).toMatch(/64 MB.*0\.1 \(cpu/);
  });

  it('waits for enough samples and time before it calls a request too large', () => {
    const idle = { cpuMeanMillis: 5, cpuPeakMillis: 10, memoryPeakMb: 3 };
    expect(hint({ ...idle, samples: 4 })).toBeNull();
    expect(hint(idle, { finishedAt: 29_999 })).toBeNull();
    expect(hint(idle, { finishedAt: 30_000 })).not.toBeNull();
  });

  it('leaves bursts their cores, and small savings alone', () => {
    expect(hint({ cpuMeanMillis: 100, cpuPeakMillis: 1_900 })).toBeNull();
    expect(hint({ memoryPeakMb: 10 }, {}, { memoryMb: 128 })).toBeNull();
  });

  it('warns of a request that is tight after a single look', () => {
    const seen = { samples: 1, memoryPeakMb: 3_900 };
    expect(hint(seen, { finishedAt: 900 })).toBe(
      'At its peak it used 3900 of the 4096 MB of memory it asked for: 4928 MB (memory_required) would be safer.',
    );
    expect(hint({ cpuMeanMillis: 1_950, cpuPeakMillis: 2_000 })).toContain('with 4 (cpu_required)');
    expect(hint({ cpuMeanMillis: 498 }, {}, { cpuMillis: 500 })).toContain('with 1 (cpu_required)');
    // One thread on one core is all it can be.
    expect(hint({ cpuMeanMillis: 998 }, {}, { cpuMillis: 1_000 })).toBeNull();
  });

  it('doubles the memory of what was killed for it, measured or not', () => {
    const killed = { state: 'failed', reason: 'oom_killed', finishedAt: 100 } as const;
    for (const usage of [null, { memoryPeakMb: 10 }]) {
      expect(hint(usage, killed)).toBe(
        'It was killed at its limit of 4096 MB of memory: try 8192 MB (memory_required).',
      );
    }
  });

  it('never names less than was used, nor less than before where it is tight', () => {
    const usages = fc.record({
      memoryPeakMb: fc.integer({ min: 0, max: 10_000 }),
      cpuMeanMillis: fc.nat(4_000),
      cpuPeakMillis: fc.nat(4_000),
    });
    const asked = fc.record({
      memoryMb: fc.integer({ min: 6, max: 10_000 }),
      cpuMillis: fc.integer({ min: 10, max: 4_000 }),
    });
    fc.assert(
      fc.property(usages, asked, (usage, of) => {
        const text = hint(usage, {}, of) ?? '';
        const memory = / (\d+) MB \(memory_required\)/.exec(text)?.[1];
        const cpu = / ([\d.]+) \(cpu_required\)/.exec(text)?.[1];
        if (memory) {
          expect(Number(memory)).toBeGreaterThanOrEqual(usage.memoryPeakMb);
          if (text.includes('safer')) expect(Number(memory)).toBeGreaterThan(of.memoryMb);
          else expect(Number(memory)).toBeLessThan(of.memoryMb);
        }
        if (cpu) {
          expect(Number(cpu) * 1_000).toBeGreaterThanOrEqual(Math.min(usage.cpuMeanMillis, of.cpuMillis));
          if (text.includes('sooner')) expect(Number(cpu) * 1_000).toBeGreaterThan(of.cpuMillis);
          else expect(Number(cpu) * 1_000).toBeLessThan(of.cpuMillis);
        }
      }),
    );
  });
});

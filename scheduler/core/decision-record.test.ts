import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES } from '../../shared/model/scheduling.ts';
import { readDecisions, replayDecisions } from '../../test/support/decisions.ts';
import {
  type Asked,
  askedAgain,
  type PassStep,
  PLENTY,
  passStep,
  picture,
  play,
} from '../../test/support/recorded-passes.ts';
import type { Decision, Gap } from './decision-reader.ts';
import { LONGEST_DIFFERENCES_CHARS } from './decision-record.ts';
import { replayDecision } from './replay.ts';

const read = (lines: Iterable<string>): (Decision | Gap)[] => [...readDecisions(lines)];
const decisionsOf = (found: readonly (Decision | Gap)[]) =>
  found.filter((one): one is Decision => one.kind === 'decision');
const steps = fc.array(passStep, { minLength: 1, maxLength: 12 });

describe('recorded decisions', () => {
  it('are read as they were seen, and decided again alike, whatever changes between passes', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { lines, kept } = play(all);
        const decisions = decisionsOf(read(lines));
        expect(decisions.map(({ snapshot }) => picture(snapshot, snapshot.groups))).toEqual(
          kept.map(({ seen }) => seen),
        );
        expect(decisions.map(({ made }) => made)).toEqual(kept.map(({ made }) => made));
        expect(decisions.map(({ snapshot }, n) => askedAgain(snapshot, kept[n]?.asked as Asked))).toEqual(
          kept.map(({ asked }) => asked),
        );
        expect(replayDecisions(decisions)).toBeNull();
      }),
      { numRuns: 40 },
    );
  });

  it('tell that no worker is known to have any image, where a plan does not even ask for one', () => {
    const none = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };
    const task = {
      ...{ ownerId: 'ann', priority: 0, resources: { ...none, cpuMillis: 500 }, worker: null },
      ...{
        labels: { constraints: {}, prefer: {} },
        image: 'python:3.9' as const,
        notBefore: 0,
        expectedMs: 1_000 as const,
      },
    };
    const worker = (id: string) => {
      const capacity = { ...none, cpuMillis: 500 };
      return { id, state: 'ready' as const, capacity, labels: {}, gpus: [] as const };
    };
    const rules = { ...DEFAULT_RULES, policy: 'best-fit' as const };
    const empty = { waits: 1, tasks: [], workers: [], images: null, quota: null };
    const step = { ...empty, rules, limit: 2 as const };
    const nothing = { end: 0, dropTasks: 0, isLost: false };
    const { lines } = play([
      { ...step, ...nothing, tasks: [task, task] },
      { ...step, ...nothing, workers: [worker('w2')], images: { 'python:3.9': ['w3'] } },
      { ...step, ...nothing, workers: [worker('w1'), worker('w3')], images: {} },
    ]);
    const decisions = decisionsOf(read(lines));
    expect(decisions.map(({ made }) => made.placements.map(({ workerId }) => workerId))).toEqual([
      ['w2'],
      ['w1'],
    ]);
    expect(replayDecisions(decisions)).toBeNull();
  });

  it('can be read from anywhere in the ring: from the next full picture on', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, cut) => {
        // So small that there are several segments.
        const { lines, kept } = play(all, 20_000);
        const rest = lines.slice(cut % (lines.length + 1));
        const found = read(rest);
        const decisions = decisionsOf(found);
        expect(decisions.map(({ made }) => made)).toEqual(
          decisions.length === 0 ? [] : kept.slice(-decisions.length).map(({ made }) => made),
        );
        const firstKey = rest.findIndex((line) => line.startsWith('{"kind":"key"'));
        const after = rest.slice(Math.max(firstKey, 0)).filter((line) => line.startsWith('{"kind":"pass"'));
        expect(decisions).toHaveLength(firstKey < 0 ? 0 : after.length);
        expect(replayDecisions(decisions)).toBeNull();
      }),
      { numRuns: 30 },
    );
  });

  it('say when a line is missing, and go on behind it', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, which) => {
        const { lines } = play(all, 20_000);
        const passes = lines.flatMap((line, n) => (line.startsWith('{"kind":"pass"') ? [n] : []));
        fc.pre(passes.length > 1);
        const lost = passes[which % (passes.length - 1)] as number;
        const found = read(lines.filter((_, n) => n !== lost));
        expect(replayDecisions(decisionsOf(found))).toBeNull();
        const followedByKey = lines[lost + 1]?.includes('"kind":"pass"') === false;
        expect(found.some(({ kind }) => kind === 'gap') || followedByKey).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

const need = (over = {}) => ({ cpuMillis: 1_000, memoryMb: 0, gpus: 0, storageMb: 0, ...over });
const simple = (count: number, over: Partial<PassStep> = {}): PassStep => ({
  waits: 10,
  tasks: Array.from({ length: count }, () => ({
    ownerId: 'ann',
    priority: 1,
    resources: need(),
    worker: null,
    labels: { constraints: {}, prefer: {} },
    image: 'python:3.9',
    notBefore: 0,
    expectedMs: 1_000,
  })),
  workers: [],
  images: null,
  quota: null,
  end: 0,
  dropTasks: 0,
  rules: DEFAULT_RULES,
  limit: 1_000,
  isLost: false,
  ...over,
});
const workers: PassStep['workers'] = ['w1', 'w2'].map((id) => ({
  id,
  state: 'ready',
  capacity: need({ cpuMillis: 64_000 }),
  labels: {},
  gpus: [],
}));

describe('a record of evictions', () => {
  it('holds what was running, and is decided again alike', () => {
    const rules = { ...DEFAULT_RULES, preemption: true };
    const full = simple(2, { workers: workers.slice(0, 1), rules });
    const low = full.tasks.map((task) => ({ ...task, priority: 0, resources: need({ cpuMillis: 32_000 }) }));
    const high = low.slice(0, 1).map((task) => ({ ...task, priority: 2, ownerId: 'eve' }));
    const { lines, kept } = play([
      { ...full, tasks: low },
      { ...simple(0, { rules }), tasks: high },
    ]);
    expect(kept.at(-1)?.made.preemptions).toHaveLength(1);
    expect(kept.at(-1)?.asked.holdings).toMatchObject([['w1', [{}, {}]]]);
    const decisions = decisionsOf(read(lines));
    expect(decisions.map(({ snapshot }, n) => askedAgain(snapshot, kept[n]?.asked as Asked))).toEqual(
      kept.map(({ asked }) => asked),
    );
    expect(decisions.map(({ made }) => made)).toEqual(kept.map(({ made }) => made));
    expect(replayDecisions(decisions)).toBeNull();
    const other = lines.at(-1)?.replace(/"preempted":\[\["task-00001"/, '"preempted":[["task-00002"');
    const meddled = [...lines.slice(0, -1), other ?? ''];
    expect(meddled).not.toEqual(lines);
    expect(replayDecisions(decisionsOf(read(meddled)))?.what).toMatch(/^preemption 1 of 1 was: /);
  });
});

describe('a record that was meddled with', () => {
  const { lines } = play([simple(3, { workers }), simple(2), simple(2)]);
  const tampered = (which: number, change: (line: Record<string, unknown>) => void) =>
    lines.map((line, n) => {
      if (n !== which) return line;
      const value = JSON.parse(line) as Record<string, unknown>;
      change(value);
      return JSON.stringify(value);
    });
  const differenceIn = (changed: readonly string[]) => replayDecisions(decisionsOf(read(changed)));

  it('is found where the outcome is another', () => {
    expect(lines).toHaveLength(4);
    expect(differenceIn(lines)).toBeNull();
    const other = tampered(2, (line) => {
      const [[first, place, worker], ...rest] = line.placed as [[number, number, number]];
      line.placed = [[first, place, worker === 0 ? 1 : 0], ...rest];
    });
    expect(differenceIn(other)).toMatchObject({
      term: 7,
      pass: 2,
      what: expect.stringMatching(/^placement 1 of 2 was: task-\d+ on .*; decided again it is: task-\d+ on /),
    });
    const fewer = tampered(2, (line) => {
      line.placed = (line.placed as unknown[]).slice(1);
    });
    expect(differenceIn(fewer)?.what).toContain('placement 1 of 1 was');
  });

  it('is found where what was seen is another', () => {
    const smaller = tampered(1, (line) => {
      line.shapes = (line.shapes as number[][]).map((shape) => shape.map((n) => (n === 64_000 ? 500 : n)));
    });
    expect(differenceIn(smaller)?.what).toBe(
      'placement 1 of 3 was: task-00001 on w2; decided again it is: nothing more',
    );
  });

  it('is told of where it cannot be read, without harm to what comes later', () => {
    const gapIn = (changed: readonly string[]) => read(changed).find((one) => one.kind === 'gap')?.why;
    const nonsense = ['', '7', 'null', '{"kind":"pass"}', '{"kind":"key","format":1}', '[]', '{"half'];
    for (const line of nonsense) expect(() => read([line, ...lines])).not.toThrow();
    expect(gapIn(['{"half', ...lines])).toBe('line 1 cannot be read: it is not JSON');
    const beyond = tampered(2, (line) => {
      line.placed = [[99, 0, 0]];
    });
    expect(gapIn(beyond)).toBe('line 3 cannot be read: there is no line of tasks number 99');
    expect(gapIn(lines.slice(1))).toMatch(/^the records up to the next full picture need/);
    expect(decisionsOf(read(['{"half', ...lines]))).toHaveLength(3);
    const later = tampered(0, (line) => {
      line.format = 2;
    });
    expect(gapIn(later)).toBe('line 1 begins records of format 2, and this program reads format 1');
    expect(read(later)).toHaveLength(1);
  });

  it('is not compared when other rules decided it', () => {
    const others = tampered(0, (line) => {
      line.rules_version = 99;
    });
    const verdicts = decisionsOf(read(others)).map((one) => replayDecision(one).verdict);
    expect(verdicts).toEqual(['other_rules', 'other_rules', 'other_rules']);
  });
});

describe('a record that is too long', () => {
  it('is left out with a word why, and followed by a full picture', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => ({
      ...(workers[0] as PassStep['workers'][number]),
      id: `a-worker-with-a-name-that-is-long-${String(n).padStart(8, '0')}`,
    }));
    const { lines, kept } = play(
      [simple(2, { workers }), simple(2, { workers: many }), simple(1)],
      PLENTY - 1,
    );
    const found = read(lines);
    expect(decisionsOf(found).map(({ made }) => made)).toEqual([kept[0]?.made, kept.at(-1)?.made]);
    const [gap] = found.filter((one) => one.kind === 'gap');
    expect(gap).toMatchObject({ passes: 1, why: expect.stringContaining('what has changed has ') });
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(LONGEST_DIFFERENCES_CHARS / 4);
    expect(replayDecisions(decisionsOf(found))).toBeNull();
  });
});

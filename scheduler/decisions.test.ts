import { describe, expect, it } from 'vitest';
import { AppError } from '../shared/errors.ts';
import { silentLog } from '../shared/platform/log.ts';
import type { DecisionLog } from '../shared/ports/decision-log.ts';
import { readDecisions, replayDecisions } from '../test/support/decisions.ts';
import { gate } from '../test/support/gate.ts';
import { BARE, PLAIN_WAITING, PLAIN_WORKER } from '../test/support/waiting.ts';
import { Backlog } from './core/backlog.ts';
import type { Decision } from './core/decision-reader.ts';
import { plan } from './core/plan.ts';
import { NO_MEMORY, type Snapshot } from './core/snapshot.ts';
import { Decisions } from './decisions.ts';

const NOW = 1_764_000_000_000;
const room = { cpuMillis: 1_000_000, memoryMb: 0, gpus: 0, storageMb: 0 };

function snapshotOf(tasks: number, from = 0, idChars = 4): Snapshot {
  const backlog = new Backlog();
  for (let n = from; n < from + tasks; n += 1) {
    const id = `t${String(n).padStart(idChars, '0')}`;
    backlog.put({ ...PLAIN_WAITING, id, resources: { ...room, cpuMillis: 100 }, queuedAt: NOW }, NOW);
  }
  const worker = { ...PLAIN_WORKER, id: 'w1', state: 'ready', capacity: room, free: room } as const;
  return { ...BARE, workers: [worker], groups: backlog.groups(), memory: NO_MEMORY, limit: 1_000 };
}

/** A log in this process that does what a test tells it to. */
class ToldLog implements DecisionLog {
  readonly lines: string[] = [];
  readonly calls: number[] = [];
  answer: () => Promise<void> = async () => undefined;

  async append(lines: readonly string[]): Promise<void> {
    this.calls.push(lines.length);
    await this.answer();
    this.lines.push(...lines);
  }
  async read(): Promise<never> {
    throw new Error('nobody reads here');
  }
  async newest(): Promise<null> {
    return null;
  }
}

const open = (decisionLog: DecisionLog, decisionLogBytes = 100_000_000) =>
  new Decisions({ decisionLog, decisionLogBytes, term: 3, log: silentLog() });
const away = async () => {
  throw new AppError('queue_unavailable', 'Redis is away', { retryable: true });
};
const readFrom = ({ lines }: ToldLog) => [...readDecisions(lines)];
const decisionsIn = (log: ToldLog) => readFrom(log).filter((one): one is Decision => one.kind === 'decision');

describe('the decisions of a term', () => {
  it('are those of the plan, and are kept so that they can be decided again', async () => {
    const log = new ToldLog();
    const decisions = open(log);
    for (const n of [0, 1, 2]) {
      const made = decisions.decide(snapshotOf(5, n * 5), NOW + n, 1);
      expect(made).toEqual(plan(snapshotOf(5, n * 5), NOW + n, 1));
      expect(made.placements).toHaveLength(5);
    }
    expect(decisions.decide(snapshotOf(0), NOW, 1).placements).toEqual([]);
    await decisions.settled();
    expect(decisionsIn(log).map(({ term, pass }) => [term, pass])).toEqual([
      [3, 1],
      [3, 2],
      [3, 3],
    ]);
    expect(replayDecisions(decisionsIn(log))).toBeNull();
    // What came while the first was on its way went together.
    expect(log.calls).toHaveLength(2);
  });

  it('are made alike when none are to be kept', async () => {
    const log = new ToldLog();
    const decisions = open(log, 0);
    expect(decisions.decide(snapshotOf(5), NOW, 1)).toEqual(plan(snapshotOf(5), NOW, 1));
    await decisions.settled();
    expect(log.calls).toEqual([]);
  });

  it('go on while Redis is away, and say afterwards what is missing', async () => {
    const log = new ToldLog();
    const decisions = open(log);
    log.answer = away;
    for (const n of [0, 1]) {
      expect(decisions.decide(snapshotOf(3, n * 3), NOW, 1).placements).toHaveLength(3);
      await decisions.settled();
    }
    log.answer = async () => undefined;
    decisions.decide(snapshotOf(3, 9), NOW, 1);
    decisions.decide(snapshotOf(3, 12), NOW, 1);
    await decisions.settled();
    expect(readFrom(log)).toMatchObject([
      { kind: 'gap', passes: 2, why: 'Redis was away' },
      { kind: 'decision', pass: 3 },
      { kind: 'decision', pass: 4 },
    ]);
    expect(replayDecisions(decisionsIn(log))).toBeNull();
  });

  it('hold no more in memory than is allowed when Redis is slow', async () => {
    const log = new ToldLog();
    const decisions = open(log);
    const slow = gate();
    log.answer = () => slow.opened;
    // Each with half a megabyte of differences.
    for (let n = 0; n < 40; n += 1) decisions.decide(snapshotOf(500, n * 500, 1_000), NOW + n, 1);
    log.answer = async () => undefined;
    slow.open();
    await decisions.settled();
    const kept = log.lines.reduce((sum, line) => sum + line.length, 0);
    expect(kept).toBeLessThan(20_000_000);
    expect(readFrom(log)).toContainEqual(
      expect.objectContaining({ kind: 'gap', why: 'Redis did not take them in time' }),
    );
    expect(replayDecisions(decisionsIn(log))).toBeNull();
  });
});

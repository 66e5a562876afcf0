import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTaskBody, makeTelemetry, makeWorkerBody } from '../../test/support/small-api.ts';
import { displayWidth } from '../table.ts';
import { clusterPicture, divide } from './cluster-picture.ts';
import type { ClusterView, RunningTask } from './view.ts';

const now = Date.parse('2026-01-01T10:01:00.000Z');
const plainLook = { color: false, unicode: false };

const workers = (count: number) =>
  Array.from({ length: count }, (_, n) => makeWorkerBody({ worker_id: `worker-${n + 1}` }));

const running = (count: number): RunningTask[] =>
  Array.from({ length: count }, (_, n) => ({
    task: makeTaskBody({
      task_id: `task-${String(n).padStart(26, '0')}`,
      name: 'train',
      status: 'running',
      worker_id: 'worker-1',
      started_at: '2026-01-01T10:00:10.000Z',
    }),
    progress: {
      task_id: '',
      attempt: 1,
      phase: 'running',
      percent: 42,
      message: 'epoch 3',
      layers: null,
      bytes: null,
      at: '2026-01-01T10:01:00.000Z',
    },
    usage: { task_id: '', attempt: 1, at: '2026-01-01T10:01:00.000Z', cpu: 0.87, memory: 210 },
  }));

const view = (over: Partial<ClusterView> = {}): ClusterView => ({
  url: 'http://localhost:8080',
  telemetry: makeTelemetry({ workers: workers(2) }),
  silence: null,
  running: running(2),
  more: false,
  ...over,
});

describe('the picture of a cluster', () => {
  it('shows totals, machines and running tasks with numbers beside bars', () => {
    const text = clusterPicture(view(), { columns: 130, rows: 40 }, { color: false, unicode: true }, now);
    expect(text).toMatch(/^cluster {2}http:\/\/localhost:8080$/m);
    expect(text).toMatch(/^workers {2}1 ready, 1 unreachable$/m);
    expect(text).toMatch(/^tasks +4 queued, 2 running, 9 completed, 1 failed$/m);
    expect(text).toMatch(/^waiting {2}4, 12.3 placed each second$/m);
    expect(text).toMatch(/^policy +best-fit$/m);
    expect(text).toMatch(/^cores +█{6}░{18} 4 of 16 held +█+░+ 38% in use$/m);
    expect(text).toMatch(/^memory +█+░+ 8 GB of 32 GB held +█+░+ 10 GB in use$/m);
    expect(text).toMatch(/^worker-1 +ready +3 +███░{7} 2 \/ 8 +███░{7} 4 GB \/ 16 GB +████░{6} 38%/m);
    expect(text).toMatch(
      /^task-0{26} +train +python:3.9 +worker-1 +50s +0.87 cores, 210 MB +███░{5} 42% epoch 3$/m,
    );
    expect(text).toContain('q or Ctrl-C ends this view');
  });

  it('is narrow where the terminal is: bars shrink, columns go, numbers stay', () => {
    expect(clusterPicture(view(), { columns: 40, rows: 24 }, plainLook, now).split('\n')).toEqual([
      'cluster  http://localhost:8080',
      'workers  1 ready, 1 unreachable',
      'tasks    4 queued, 2 running, 9 complet…',
      'waiting  4, 12.3 placed each second',
      'policy   best-fit',
      'cores    ##------- 4 of 16 held',
      'memory   ##------- 8 GB of 32 GB held',
      expect.stringMatching(/^storage {2}-+ 0 MB of 195.3 GB held$/),
      'network  3.8 MB/s in, 2.9 KB/s out',
      '',
      expect.stringMatching(/^WORKER +STATE +TASKS +CORES HELD$/),
      expect.stringMatching(/^worker-1 +ready +3 +#+-+ 2 \/ 8$/),
      expect.stringMatching(/^worker-2 +ready +3 +#+-+ 2 \/ 8$/),
      '',
      expect.stringMatching(/^RUNNING +RAN$/),
      expect.stringMatching(/^task-0+ +50s$/),
      expect.stringMatching(/^task-0+1 +50s$/),
      '',
      'q or Ctrl-C ends this view',
    ]);
  });

  it('says since when there was no news, and why', () => {
    const text = clusterPicture(
      view({ silence: { ms: 12_400, why: 'connection refused' } }),
      { columns: 80, rows: 24 },
      plainLook,
      now,
    );
    expect(text).toMatch(/^STALE {4}no news for 12s; trying again$/m);
    expect(text).toMatch(/^ {9}connection refused$/m);
  });

  it('says how many it leaves out, and leaves out what is well first', () => {
    const many = [...workers(30), makeWorkerBody({ worker_id: 'worker-sick', state: 'down', usage: null })];
    const text = clusterPicture(
      view({ telemetry: makeTelemetry({ workers: many }), running: running(40), more: true }),
      { columns: 100, rows: 24 },
      plainLook,
      now,
    );
    expect(text).toMatch(/CORES HELD.*\nworker-sick +down/);
    expect(text).toMatch(/^and 27 more$/m);
    expect(text).toMatch(/^and at least 36 more$/m);
  });

  it('shows GPUs where there are any, and no use where none was measured', () => {
    const capacity = { cpu: 8, memory: 16_384, gpu: 2, storage: 100_000 };
    const reserved = { cpu: 2, memory: 4_096, gpu: 1, storage: 0 };
    const telemetry = makeTelemetry({ workers: [makeWorkerBody({ capacity, reserved, usage: null })] });
    const { totals } = telemetry;
    const unmeasured = { ...totals.usage, cpu_percent: null };
    const text = clusterPicture(
      view({ telemetry: { ...telemetry, totals: { ...totals, capacity, reserved, usage: unmeasured } } }),
      { columns: 100, rows: 24 },
      plainLook,
      now,
    );
    expect(text).toMatch(/^GPUs +#+-+ 1 of 2 held$/m);
    expect(text).toContain('GPUS HELD');
    expect(text).not.toContain('in use');
    expect(text).not.toContain('network');
  });

  it('carries nothing that steers a terminal, whatever names say', () => {
    const [task] = running(1);
    const bad = { ...task!, task: { ...task!.task, name: 'a\x1b[2Jb\nc', docker_image: 'x\u0007' } };
    const text = clusterPicture(
      view({ running: [bad], url: 'http://x\x1b[m' }),
      { columns: 120, rows: 40 },
      plainLook,
      now,
    );
    expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it('never outgrows the terminal', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        fc.integer({ min: 2, max: 60 }),
        fc.nat(40),
        fc.nat(40),
        fc.boolean(),
        (columns, rows, machines, tasks, stale) => {
          const text = clusterPicture(
            view({
              telemetry: makeTelemetry({ workers: workers(machines) }),
              running: running(tasks),
              more: stale,
              silence: stale ? { ms: 9_000, why: 'away' } : null,
            }),
            { columns, rows },
            { color: false, unicode: stale },
            now,
          );
          const lines = text.split('\n');
          expect(lines.length).toBeLessThan(Math.max(rows, 2));
          // Ids are never cut: narrower than an id and its run time, nothing helps.
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(columns, 40));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('lines for two parts', () => {
  it('are never more than there are, and what one does not want is the other’s', () => {
    expect(divide(20, 5, 30)).toEqual([5, 15]);
    expect(divide(20, 30, 30)).toEqual([10, 10]);
    expect(divide(20, 30, 5)).toEqual([15, 5]);
    expect(divide(4, 30, 30)).toEqual([4, 0]);
    expect(divide(2, 30, 30)).toEqual([0, 0]);
    expect(divide(20, 0, 30)).toEqual([0, 20]);
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 50 }), fc.nat(60), fc.nat(60), (room, a, b) => {
        const [first, second] = divide(room, a, b);
        expect(first + second).toBeLessThanOrEqual(Math.max(0, room));
        expect(first).toBeLessThanOrEqual(a);
        expect(second).toBeLessThanOrEqual(b);
      }),
    );
  });
});

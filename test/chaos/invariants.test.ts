import { describe, expect, it } from 'vitest';
import type { AttemptBody, TaskBody } from '../../shared/contracts/http.ts';
import type { Evidence, JobEvidence } from './evidence.ts';
import { findViolations, RULES, type Rule } from './invariants.ts';
import { JOB_KINDS, type Job, makeJobs } from './jobs.ts';

const jobs = makeJobs({ seed: 1, count: 400, spanMs: 10_000, workerIds: ['w-1', 'w-2'] });
const jobOf = (kind: Job['kind']) => jobs.find((job) => job.kind === kind) as Job;

const ATTEMPT = {
  attempt: 1,
  state: 'completed',
  worker_id: 'w-1',
  assigned_at: '2026-01-01T00:00:01.000Z',
  started_at: '2026-01-01T00:00:02.000Z',
  finished_at: '2026-01-01T00:00:03.000Z',
  reason: null,
  message: null,
  exit_code: 0,
} as unknown as AttemptBody;

function good(job: Job, change: Partial<JobEvidence> = {}): JobEvidence {
  const record = {
    task_id: `task-${job.token}`,
    status: 'completed',
    reason: null,
    exit_code: 0,
    attempt: 1,
    finished_at: ATTEMPT.finished_at,
    attempts: [ATTEMPT],
  } as unknown as TaskBody;
  const log = Array.from({ length: job.expected.lines ?? 0 }, (_, n) => ({
    seq: n + 1,
    line: `${job.token} ${n + 1}`,
  }));
  const acceptedAs = new Set([record.task_id]);
  const file = job.kind === 'files' ? `${job.token}\n` : null;
  return { job, acceptedAs, record, firstEnd: record, log, file, effects: 1, ...change };
}

function evidence(one: JobEvidence, change: Partial<Evidence> = {}): Evidence {
  const tasksByName = new Map([[one.job.token, [`task-${one.job.token}`]]]);
  return {
    jobs: [one],
    tasksByName,
    capacity: { cpu: 2, memory: 128 },
    sights: [],
    leftovers: [],
    lastingFaults: [],
    crashes: [],
    ...change,
  };
}

const rulesOf = (found: Evidence) => [...new Set(findViolations(found).map(({ rule }) => rule))];
const recordWith = (change: Partial<TaskBody>) =>
  ({ record: { ...good(jobOf('effect')).record, ...change } as TaskBody }) as Partial<JobEvidence>;
const attemptWith = (change: Partial<AttemptBody>) => recordWith({ attempts: [{ ...ATTEMPT, ...change }] });

describe('the evidence of a good run', () => {
  it('breaks no rule', () => {
    for (const kind of ['effect', 'lines', 'burst', 'sleep', 'files'] as const) {
      expect(findViolations(evidence(good(jobOf(kind))))).toEqual([]);
    }
  });

  it('may have failures that the program asked for, and attempts that the platform lost', () => {
    const failed = { ...ATTEMPT, state: 'failed', reason: 'exit_code', exit_code: 3 } as const;
    const lost = {
      ...ATTEMPT,
      state: 'lost',
      reason: 'worker_lost',
      message: 'lost',
      started_at: null,
    } as const;
    const job = { ...jobOf('fails'), expected: { ...jobOf('fails').expected, ownFailures: 2 } };
    const attempts = [lost, { ...failed, attempt: 2 }, { ...lost, attempt: 3 }, { ...failed, attempt: 4 }];
    const change = { status: 'failed', reason: 'exit_code', exit_code: 3, attempt: 4, attempts } as const;
    const record = { ...good(job).record, ...change } as unknown as TaskBody;
    expect(findViolations(evidence(good(job, { record, firstEnd: record })))).toEqual([]);
  });
});

describe('a broken rule is found', () => {
  const effect = jobOf('effect');
  const lines = good(jobOf('lines'));
  const host = (running: { taskId: string; attempt: number }[]) => [{ host: 'h', atMs: 1, running }];
  const taskId = `task-${effect.token}`;
  const broken: [Rule, string, Evidence][] = [
    ['accepted-once', 'never accepted', evidence(good(effect, { acceptedAs: new Set() }))],
    ['accepted-once', 'accepted twice', evidence(good(effect, { acceptedAs: new Set([taskId, 'task-2']) }))],
    [
      'accepted-once',
      'stored twice',
      evidence(good(effect), { tasksByName: new Map([[effect.token, [taskId, 'task-2']]]) }),
    ],
    ['ended-once', 'no record', evidence(good(effect, { record: null }))],
    ['ended-once', 'no end', evidence(good(effect, recordWith({ status: 'running' })))],
    [
      'ended-once',
      'another end',
      evidence(good(effect, { firstEnd: { ...ATTEMPT, status: 'failed' } as unknown as TaskBody })),
    ],
    ['right-end', 'another state', evidence(good(jobOf('fails')))],
    [
      'right-end',
      'a failure of its own',
      evidence(
        good(effect, {
          ...recordWith({
            attempt: 2,
            attempts: [
              { ...ATTEMPT, state: 'failed', reason: 'exit_code' },
              { ...ATTEMPT, attempt: 2 },
            ],
          }),
          firstEnd: null,
        }),
      ),
    ],
    [
      'right-end',
      'another exit code',
      evidence(good(effect, { ...recordWith({ exit_code: 1 }), firstEnd: null })),
    ],
    ['story', 'no end of an attempt', evidence(good(effect, attemptWith({ finished_at: null })))],
    [
      'story',
      'times out of order',
      evidence(good(effect, attemptWith({ assigned_at: '2026-01-01T00:01:00Z' }))),
    ],
    ['story', 'an attempt goes on', evidence(good(effect, attemptWith({ state: 'running' })))],
    ['story', 'never started', evidence(good(effect, attemptWith({ started_at: null })))],
    ['effect', 'no effect', evidence(good(effect, { effects: 0 }))],
    ['file', 'no file', evidence(good(jobOf('files'), { file: null }))],
    ['log', 'a gap', evidence({ ...lines, log: lines.log.toSpliced(3, 1) })],
    ['log', 'a repeat', evidence({ ...lines, log: lines.log.toSpliced(3, 0, { seq: 4, line: 'x' }) })],
    [
      'log',
      'a wrong number',
      evidence({ ...lines, log: lines.log.with(3, { seq: 40, line: lines.log[3]!.line }) }),
    ],
    ['log', 'the end is missing', evidence({ ...lines, log: lines.log.slice(0, -1) })],
    [
      'no-over-commit',
      'two attempts of one task',
      evidence(good(effect), {
        sights: host([
          { taskId, attempt: 1 },
          { taskId, attempt: 2 },
        ]),
      }),
    ],
    [
      'no-over-commit',
      'more than there is',
      evidence(good(effect), { sights: host([{ taskId, attempt: 1 }]), capacity: { cpu: 0.1, memory: 1 } }),
    ],
    ['nothing-left', 'a container', evidence(good(effect), { leftovers: ['a container'] })],
    ['recovers', 'a worker stays down', evidence(good(effect), { lastingFaults: ['host-1 is down'] })],
    ['no-crash', 'an API', evidence(good(effect), { crashes: ['api-0 ended'] })],
  ];
  it.each(broken)('%s: %s', (rule, _, found) => {
    expect(rulesOf(found)).toContain(rule);
  });

  it('of every kind', () => {
    expect(new Set(broken.map(([rule]) => rule))).toEqual(new Set(RULES));
  });
});

describe('jobs', () => {
  it('are the same for the same seed, of every kind, and each has its own token', () => {
    const again = makeJobs({ seed: 1, count: 400, spanMs: 10_000, workerIds: ['w-1', 'w-2'] });
    expect(again).toEqual(jobs);
    expect(new Set(jobs.map(({ kind }) => kind))).toEqual(new Set(JOB_KINDS));
    expect(new Set(jobs.map(({ token }) => token)).size).toBe(400);
    expect(makeJobs({ seed: 2, count: 400, spanMs: 10_000, workerIds: ['w-1'] })).not.toEqual(jobs);
  });
});

// The promises, checked against the evidence of a run. Pure. Every rule can fail: invariants.test.ts breaks each.

import type { AttemptBody, TaskBody } from '../../shared/contracts/http.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import type { Evidence, HostSight, JobEvidence } from './evidence.ts';

export const RULES = [
  /** Every job was accepted, once, however often it was sent. */
  'accepted-once',
  /** Every accepted task has ended, in one state for good. */
  'ended-once',
  /** It ended as its program says. */
  'right-end',
  /** The attempts tell the whole story. */
  'story',
  /** What a completed task did is there. */
  'effect',
  /** Output has no gap and no repeat. */
  'log',
  /** Files of a completed task are there. */
  'file',
  /** No machine ever held more than it has, nor two attempts of one task. */
  'no-over-commit',
  /** No container, volume, slot, lock or queue entry stays. */
  'nothing-left',
  /** After each fault all is well again. */
  'recovers',
  /** No process ends that nobody made end. */
  'no-crash',
] as const;
export type Rule = (typeof RULES)[number];

export interface Violation {
  readonly rule: Rule;
  /** Token of the job, or name of the host. */
  readonly of: string;
  readonly what: string;
}

export function findViolations(evidence: Evidence): Violation[] {
  const ofRun = (rule: Rule, list: readonly string[]) => list.map((what) => ({ rule, of: 'the run', what }));
  return [
    ...evidence.jobs.flatMap((one) => ofJob(one, evidence)),
    ...overCommits(evidence),
    ...ofRun('nothing-left', evidence.leftovers),
    ...ofRun('recovers', evidence.lastingFaults),
    ...ofRun('no-crash', evidence.crashes),
  ];
}

function ofJob(one: JobEvidence, { tasksByName }: Evidence): Violation[] {
  const { job, acceptedAs, record } = one;
  const found: Violation[] = [];
  const tell = (rule: Rule, what: string) => found.push({ rule, of: job.token, what });
  const ids = tasksByName.get(job.token) ?? [];
  if (acceptedAs.size !== 1 || ids.length !== 1 || !acceptedAs.has(ids[0] as string)) {
    tell('accepted-once', `answered with ${list(acceptedAs)}, in the store as ${list(ids)}`);
  }
  if (!record) {
    tell('ended-once', 'it has no record');
    return found;
  }
  if (!isTerminal(record.status)) {
    tell('ended-once', `it is still ${record.status}`);
    return found;
  }
  const { firstEnd } = one;
  if (firstEnd && !isSameEnd(firstEnd, record)) {
    tell(
      'ended-once',
      `it ended as ${JSON.stringify(firstEnd)} and then as ${JSON.stringify(endOf(record))}`,
    );
  }
  for (const what of endFaults(one, record)) tell('right-end', what);
  for (const what of storyFaults(record)) tell('story', what);
  if (record.status === 'completed') {
    if (one.effects === 0) tell('effect', 'it completed, but what it did is not there');
    if (job.kind === 'files' && one.file?.trim() !== job.token) {
      tell('file', `it completed, but its file holds ${JSON.stringify(one.file)}`);
    }
  }
  for (const what of logFaults(one, record)) tell('log', what);
  return found;
}

const END = ['status', 'attempt', 'finished_at', 'exit_code'] as const;

function endOf(record: TaskBody) {
  return Object.fromEntries(END.map((key) => [key, record[key]]));
}

function isSameEnd(first: NonNullable<JobEvidence['firstEnd']>, last: TaskBody): boolean {
  return END.every((key) => first[key] === last[key]);
}

function* endFaults({ job }: JobEvidence, record: TaskBody): Generator<string> {
  const { expected } = job;
  if (record.status !== expected.status || record.reason !== expected.reason) {
    yield `it is ${record.status} (${record.reason}: ${record.message}), expected ${expected.status} (${expected.reason})`;
    return;
  }
  const ownFailures = record.attempts.filter(isOwnFailure).length;
  if (expected.ownFailures !== null && ownFailures !== expected.ownFailures) {
    yield `it failed by itself ${ownFailures} times, expected ${expected.ownFailures}`;
  }
  const exitCode = { completed: 0, failed: record.reason === 'exit_code' ? 3 : null, cancelled: null }[
    expected.status
  ];
  if (exitCode !== null && record.exit_code !== exitCode) yield `its exit code is ${record.exit_code}`;
}

const PLATFORM_REASONS: ReadonlySet<string> = new Set(['worker_lost', 'runtime_error', 'disk_full']);

function isOwnFailure({ state, reason }: AttemptBody): boolean {
  return state === 'failed' && !PLATFORM_REASONS.has(reason ?? '');
}

function* storyFaults(record: TaskBody): Generator<string> {
  const { attempts, status } = record;
  for (const [n, attempt] of attempts.entries()) {
    const name = `attempt ${attempt.attempt}`;
    const before = attempts[n - 1];
    if (before && attempt.attempt <= before.attempt) yield `${name} comes after attempt ${before.attempt}`;
    if (attempt.worker_id === '') yield `${name} names no worker`;
    if (attempt.finished_at === null) yield `${name} is ${attempt.state} and has no end`;
    if (isOut(attempt.assigned_at, attempt.started_at)) yield `${name} started before it was assigned`;
    if (isOut(attempt.started_at, attempt.finished_at)) yield `${name} ended before it started`;
    if (attempt.state === 'completed' && attempt.started_at === null)
      yield `${name} completed and never started`;
    if (attempt.state === 'failed' && attempt.reason === null) yield `${name} failed for no reason`;
    if (attempt.state === 'lost' && attempt.message === null) yield `${name} was lost for no reason`;
    const isLast = n === attempts.length - 1;
    if (attempt.state === 'completed' && !isLast) yield `${name} completed, and there is one after it`;
    if (attempt.state === 'assigned' || attempt.state === 'running')
      yield `${name} is ${attempt.state} for ever`;
  }
  const last = attempts.at(-1);
  if (status === 'completed' && last?.state !== 'completed')
    yield `it completed, its last attempt is ${last?.state}`;
  if (status === 'completed' && last?.attempt !== record.attempt) yield `its attempt is ${record.attempt}`;
}

/** Different machines write the two times: by the clock of the cluster, which is good for so much. */
const CLOCK_SLACK_MS = 250;

function isOut(earlier: string | null, later: string | null): boolean {
  return earlier !== null && later !== null && Date.parse(later) - Date.parse(earlier) < -CLOCK_SLACK_MS;
}

/** Said of an attempt that ended while neither its engine nor its runner was there. */
const IN_DOUBT = 'what it printed last may be missing';

function* logFaults({ job, log }: JobEvidence, record: TaskBody): Generator<string> {
  for (const [n, { seq }] of log.entries()) {
    if (seq === n + 1) continue;
    yield `line ${n + 1} has number ${seq}`;
    return;
  }
  const { lines } = job.expected;
  if (lines === null) return;
  const wrong = log.findIndex(({ line }, n) => line !== `${job.token} ${n + 1}`);
  if (wrong >= 0) yield `line ${wrong + 1} is ${JSON.stringify(log[wrong]?.line)}`;
  else if (record.status === 'completed' && log.length !== lines && !record.message?.includes(IN_DOUBT))
    yield `it has ${log.length} lines, expected ${lines}`;
}

function overCommits({ jobs, sights, capacity }: Evidence): Violation[] {
  const needs = new Map(
    jobs.flatMap(({ job, acceptedAs }) =>
      [...acceptedAs].map((id) => [
        id,
        { cpu: job.body.cpu_required ?? 0, memory: job.body.memory_required ?? 0 },
      ]),
    ),
  );
  return sights.flatMap((sight) => {
    const held = { cpu: 0, memory: 0 };
    for (const { taskId } of sight.running) {
      held.cpu += needs.get(taskId)?.cpu ?? 0;
      held.memory += needs.get(taskId)?.memory ?? 0;
    }
    const twice = twiceIn(sight);
    const found: Violation[] = [];
    const tell = (what: string) =>
      found.push({ rule: 'no-over-commit', of: sight.host, what: `at ${sight.atMs} ms: ${what}` });
    if (held.cpu > capacity.cpu + 1e-9) tell(`${held.cpu} cores held of ${capacity.cpu}`);
    if (held.memory > capacity.memory) tell(`${held.memory} MB held of ${capacity.memory}`);
    if (twice) tell(`two attempts of ${twice} run`);
    return found;
  });
}

function twiceIn({ running }: HostSight): string | null {
  const seen = new Set<string>();
  for (const { taskId } of running) {
    if (seen.has(taskId)) return taskId;
    seen.add(taskId);
  }
  return null;
}

function list(ids: Iterable<string>): string {
  return [...ids].join(', ') || 'nothing';
}

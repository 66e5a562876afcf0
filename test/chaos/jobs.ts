// The work of a fault run: a seeded mix of tasks, each of which leaves a trace that shows whether and how it ran.
// Pure: the same seed gives the same jobs. Nothing here knows of faults.

import { Dice } from '../../scheduler/core/simulation/dice.ts';
import type { SubmitRequest } from '../../shared/contracts/http.ts';
import type { FailureReason } from '../../shared/model/task.ts';
import { TEST_IMAGE } from '../support/servers.ts';

/** Where containers find the volume that all of them share. */
export const SHARED_PATH = '/shared';
/** The file there to which a job appends its token as its last act. */
export const EFFECTS_FILE = 'effects';
/** The folder there in which jobs leave marks for their next attempts. */
export const MARKS_FOLDER = 'marks';

export const JOB_KINDS = [
  'effect',
  'lines',
  'burst',
  'sleep',
  'files',
  'flaky',
  'fails',
  'too-long',
  'no-image',
  'cancelled',
] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export interface Job {
  /** Unique in the run; also the idempotency key. */
  readonly token: string;
  readonly kind: JobKind;
  /** Milliseconds from the begin of the run. */
  readonly atMs: number;
  readonly body: SubmitRequest;
  /** To be cancelled so long after it was accepted. */
  readonly cancel: { readonly afterMs: number; readonly force: boolean } | null;
  readonly expected: Expected;
}

export interface Expected {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly reason: FailureReason | null;
  /** How often it fails by itself before it ends; null where that is left to chance. */
  readonly ownFailures: number | null;
  /** How many numbered lines it prints when it runs to its end; null where it prints none. */
  readonly lines: number | null;
}

export interface JobOptions {
  readonly seed: number;
  readonly count: number;
  /** Over which they are submitted. */
  readonly spanMs: number;
  readonly workerIds: readonly string[];
}

/** Shares of the kinds, in per cent. */
const SHARES: Readonly<Record<JobKind, number>> = {
  effect: 32,
  lines: 16,
  burst: 5,
  sleep: 16,
  files: 8,
  flaky: 8,
  fails: 5,
  'too-long': 3,
  'no-image': 2,
  cancelled: 5,
};
/** Some are bound to one worker, so that they wait for it when it is away. */
const DIRECT_SHARE = 0.06;
const BURST_SHARE = 0.1;

/** In order of their time. */
export function makeJobs({ seed, count, spanMs, workerIds }: JobOptions): Job[] {
  const dice = new Dice(seed);
  const sums: number[] = [];
  for (const kind of JOB_KINDS) sums.push((sums.at(-1) ?? 0) + SHARES[kind]);
  const times: number[] = [];
  while (times.length < count) {
    const at = dice.next() * spanMs;
    // Now and then many at once, as from a script.
    const together = dice.next() < BURST_SHARE ? 2 + dice.below(14) : 1;
    for (let n = 0; n < together && times.length < count; n += 1) times.push(at);
  }
  times.sort((a, b) => a - b);
  return times.map((atMs, n) => {
    const kind = JOB_KINDS[dice.weighted(sums)] as JobKind;
    const token = `s${seed}-${String(n).padStart(5, '0')}`;
    const worker = dice.next() < DIRECT_SHARE ? dice.pick(workerIds) : '';
    return makeJob({ token, kind, atMs: Math.round(atMs), worker }, dice);
  });
}

const DONE = { status: 'completed', reason: null, ownFailures: 0, lines: null } as const;

function makeJob(of: Pick<Job, 'token' | 'kind' | 'atMs'> & { worker: string }, dice: Dice): Job {
  const { token, kind, atMs, worker } = of;
  const common: SubmitRequest = {
    docker_image: TEST_IMAGE,
    name: token,
    tag: kind,
    worker,
    cpu_required: dice.pick([0.25, 0.5, 0.5, 1]),
    memory_required: dice.pick([16, 32, 64]),
    priority: dice.below(10),
    max_retries: 0,
  };
  const effect = `echo ${token} >> ${SHARED_PATH}/${EFFECTS_FILE}`;
  const job = (command: string, change: Partial<SubmitRequest> = {}, more: Partial<Job> = {}): Job => ({
    token,
    kind,
    atMs,
    body: { ...common, command, ...change },
    cancel: null,
    expected: DONE,
    ...more,
  });
  switch (kind) {
    case 'effect':
      return job(effect);
    case 'sleep':
      return job(`sleep ${1 + dice.below(12)}; ${effect}`);
    case 'lines': {
      const lines = 10 + dice.below(60);
      const command = `n=0; while [ $n -lt ${lines} ]; do n=$((n+1)); echo ${token} $n; sleep 0.1; done; ${effect}`;
      return job(command, {}, { expected: { ...DONE, lines } });
    }
    case 'burst': {
      const lines = 500 + dice.below(4_000);
      const command = `seq ${lines} | sed 's/^/${token} /'; ${effect}`;
      return job(command, {}, { expected: { ...DONE, lines } });
    }
    case 'files':
      return job(
        `mkdir -p /output/part; echo ${token} > /output/part/token; sleep ${dice.below(3)}; ${effect}`,
      );
    case 'flaky': {
      // The first attempt that comes so far fails; one that is lost before it could say so fails all the same.
      const command = `mkdir ${SHARED_PATH}/${MARKS_FOLDER}/${token} 2>/dev/null && exit 7; ${effect}`;
      return job(command, { max_retries: 3 }, { expected: { ...DONE, ownFailures: null } });
    }
    case 'fails': {
      const retries = dice.below(2);
      const expected = {
        status: 'failed',
        reason: 'exit_code',
        ownFailures: retries + 1,
        lines: null,
      } as const;
      return job('echo it fails; exit 3', { max_retries: retries }, { expected });
    }
    case 'too-long': {
      const expected = { status: 'failed', reason: 'timed_out', ownFailures: 1, lines: null } as const;
      return job('sleep 300', { timeout_seconds: 2 }, { expected });
    }
    case 'no-image': {
      const expected = { status: 'failed', reason: 'image_error', ownFailures: 1, lines: null } as const;
      const change = { docker_image: 'cloudai/not-there:1', pull_policy: 'never' } as const;
      return job('true', change, { expected });
    }
    case 'cancelled': {
      const cancel = { afterMs: dice.below(6_000), force: dice.next() < 0.3 };
      const expected = { status: 'cancelled', reason: null, ownFailures: 0, lines: null } as const;
      return job('sleep 3600', {}, { cancel, expected });
    }
  }
}

// One fault run: jobs are submitted and faults injected side by side, then everything is to come to rest, and the
// evidence is judged. The same seed gives the same jobs and the same faults in the same order.

import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../shared/errors.ts';
import { watchEngines } from './engine-watch.ts';
import { FAULT_KINDS, type Fault, type FaultKind, makeFaults } from './faults.ts';
import { gatherJobs } from './gather.ts';
import { Injector } from './inject.ts';
import { findViolations, type Violation } from './invariants.ts';
import { makeJobs } from './jobs.ts';
import { findLeftovers } from './leftovers.ts';
import type { Recovery } from './recovery.ts';
import { CAPACITY, Stage, type StoreKind, WORKER_LEASE_MS, workerIdOf } from './stage.ts';
import { Submitter } from './submitter.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly faults: number;
  readonly jobs: number;
  /** Over which the jobs are submitted. */
  readonly spanMs: number;
  /** No more faults after this, whatever is left of them. */
  readonly longestMs: number;
  readonly hosts: number;
  readonly apis: number;
  readonly schedulers: number;
  readonly store: StoreKind;
  /** Of all faults, how many come while another one goes on. */
  readonly overlapping: number;
  /** Between a fault and the next one, on average. */
  readonly gapMs: number;
  readonly kinds?: readonly FaultKind[];
  readonly log: (line: string) => void;
}

export interface ChaosReport {
  readonly seed: number;
  readonly jobs: number;
  readonly accepted: number;
  readonly attempts: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  readonly recoveries: readonly Recovery[];
  /** Answers of the API to the run's own requests, by status. */
  readonly answers: Readonly<Record<string, number>>;
  /** Attempts by how they ended. */
  readonly attemptsByEnd: Readonly<Record<string, number>>;
  readonly tookMs: number;
}

const WELL_DEADLINE_MS = 120_000;
/** At least; and as long as the jobs came. */
const END_DEADLINE_MS = 240_000;
const CLEAN_DEADLINE_MS = 120_000;

/** @throws Error when the stage itself cannot be set up. What the system does wrong is a violation. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, log } = options;
  const begin = performance.now();
  const jobs = makeJobs({
    seed,
    count: options.jobs,
    spanMs: options.spanMs,
    workerIds: Array.from({ length: options.hosts }, (_, n) => workerIdOf(n)),
  });
  const faults = makeFaults({
    ...options,
    count: options.faults,
    workerLeaseMs: WORKER_LEASE_MS,
    kinds: options.kinds ?? FAULT_KINDS,
  });
  log('setting up');
  const stage = await Stage.open(options);
  log(`all is well; logs are in ${stage.logFolder}`);
  let isClean = false;
  try {
    const over = new AbortController();
    const submitter = new Submitter(stage.door, log);
    const sights = watchEngines(
      stage.hosts.map(({ workerId, host }) => ({ name: workerId, docker: host.docker.client })),
      over.signal,
    );
    const watching = submitter.watch(over.signal);
    const submitting = submitter.submitAll(jobs, over.signal);
    const lastingFaults: string[] = [];
    const { done, recoveries } = await injectAll(stage, faults, options, lastingFaults);
    await submitting;
    log(`${submitter.accepted} of ${jobs.length} jobs accepted; ${submitter.unfinished} have not ended`);
    await untilWell(stage, 'the last fault', lastingFaults);
    await submitter.untilAllEnded(Math.max(END_DEADLINE_MS, options.spanMs));
    const leftovers = await untilClean(stage);
    over.abort();
    await watching;
    log('gathering the evidence');
    const evidence = {
      jobs: await gatherJobs(jobs, { door: stage.door, submitter, sharedDir: stage.sharedDir }),
      tasksByName: await submitter.tasksByName(),
      capacity: CAPACITY,
      sights: await sights,
      leftovers,
      lastingFaults,
      crashes: stage.processes.flatMap(({ unexpectedEnds }) => unexpectedEnds),
    };
    const violations = findViolations(evidence);
    isClean = violations.length === 0;
    const attempts = evidence.jobs.flatMap(({ record }) => record?.attempts ?? []);
    return {
      seed,
      jobs: jobs.length,
      accepted: submitter.accepted,
      attempts: attempts.length,
      faults: counted(done.map(({ kind }) => kind)),
      violations,
      recoveries,
      answers: Object.fromEntries(stage.door.answers),
      attemptsByEnd: counted(attempts.map(({ state, reason }) => (reason ? `${state} (${reason})` : state))),
      tookMs: performance.now() - begin,
    };
  } finally {
    await stage.stop();
    if (!isClean) log(`kept for a look: ${await stage.keepEvidence()}`);
    await stage.remove();
  }
}

async function injectAll(
  stage: Stage,
  faults: readonly Fault[],
  { log, longestMs }: ChaosOptions,
  lastingFaults: string[],
): Promise<{ done: Fault[]; recoveries: Recovery[] }> {
  const injector = new Injector(stage);
  const recoveries: Recovery[] = [];
  const done: Fault[] = [];
  let under: Promise<void>[] = [];
  const start = performance.now();
  for (const [n, fault] of faults.entries()) {
    if (performance.now() - start > longestMs) break;
    await delay(fault.gapMs);
    const { number, kind, target, lastsMs } = fault;
    const begun = performance.now();
    log(`fault ${number}: ${kind} ${target} for ${lastsMs} ms`);
    const injected = injector.inject(fault).catch((error: unknown) => {
      lastingFaults.push(`fault ${number} (${kind} ${target}): ${messageOf(error)}`);
    });
    done.push(fault);
    under.push(injected);
    const next = faults[n + 1];
    if (next && !next.afterAllIsWell) continue;
    await Promise.all(under);
    const endedAt = performance.now();
    const isAlone = under.length === 1;
    under = [];
    const isWell = await untilWell(stage, `fault ${number} (${kind} ${target})`, lastingFaults);
    if (isWell && isAlone) {
      recoveries.push({ kind, lastedMs: endedAt - begun, recoveredMs: performance.now() - endedAt });
    }
  }
  await Promise.all(under);
  return { done, recoveries };
}

async function untilWell(stage: Stage, after: string, lastingFaults: string[]): Promise<boolean> {
  try {
    await stage.untilWell(WELL_DEADLINE_MS);
    return true;
  } catch (error) {
    lastingFaults.push(`after ${after}: ${messageOf(error)}`);
    return false;
  }
}

/** What is still there after a while in which the system may clean up. */
async function untilClean(stage: Stage): Promise<string[]> {
  const end = performance.now() + CLEAN_DEADLINE_MS;
  for (;;) {
    const leftovers = await findLeftovers(stage).catch((error) => [String(error)]);
    if (leftovers.length === 0 || performance.now() > end) return leftovers;
    await delay(500);
  }
}

function counted(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

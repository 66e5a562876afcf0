// What this process knows and does about one attempt. The loop reads it, steps and outside news change it; every
// change that may matter rings the bell. Decides nothing.

import type { SeenContainer } from '../../shared/model/container.ts';
import type { OwnProgress } from '../../shared/model/progress.ts';
import type { OutputSummary, Task } from '../../shared/model/task.ts';
import type { AttemptOutcome, FinishReport } from '../../shared/model/task-life.ts';
import type { UsageSeries } from '../../shared/model/usage-series.ts';
import type { ContainerStatus, OutputHandle } from '../../shared/ports/container-runtime.ts';
import { type AttemptKey, type Doing, NOTHING_DONE, type Situation } from '../core/next-step.ts';
import type { UsageFold } from '../core/usage-fold.ts';
import type { LogCapture } from '../logs/log-capture.ts';
import type { KeptOutput } from '../logs/log-limit.ts';
import type { SecretMask } from '../logs/secret-mask.ts';
import { Bell } from './bell.ts';
import type { Gathering } from './gather.ts';
import type { Phases } from './phases.ts';

type Changing<T> = { -readonly [K in keyof T]: T[K] };

/** Output that is being read. */
export interface Reading {
  readonly capture: LogCapture;
  readonly handle: OutputHandle;
  /** Null while it goes on. */
  end: 'whole' | 'cut' | null;
  /** The last lines are being kept. */
  isFinishing: boolean;
  isCutting: boolean;
}

export class AttemptState {
  readonly key: AttemptKey;
  readonly name: string;
  readonly bell = new Bell();
  /** Aborted when the runner stops: leave everything as it is. */
  readonly abandon = new AbortController();
  /** Aborted when the attempt is over or left: ends what may still be under way for it, such as a pull. */
  readonly over = new AbortController();
  readonly doing: Changing<Doing> = { ...NOTHING_DONE };
  task: Task | null = null;
  seen: SeenContainer | null = null;
  foundGpuIds: readonly string[] = [];
  /** What is known may be wrong: read the record and inspect the container before the next step. */
  unsure = true;
  mask: SecretMask | null = null;
  reading: Reading | null = null;
  /** Where the kept output ends, once the log store has said so. */
  kept: KeptOutput | null = null;
  /** The last the program said of itself. */
  ownProgress: OwnProgress | null = null;
  isLocating = false;
  /** How often reading was cut off at a container that had ended. */
  cutReadings = 0;
  /** Monotonic: since when an ended container gave neither output nor its end. */
  silentSince: number | null = null;
  /** What was measured of its container; null before the first look. */
  usage: UsageFold | null = null;
  series: UsageSeries | null = null;
  /** The files it is given are on their way, or there; null before. Never rejects. */
  providing: Promise<void> | null = null;
  gathering: Gathering | null = null;
  /** What was kept of the files it left. */
  outputs: OutputSummary | null = null;
  /** What is committed of an outcome. */
  result: { readonly of: AttemptOutcome; readonly report: FinishReport } | null = null;
  /** Its container is to go: since when (monotonic), and what the engine says to it. */
  ending: { readonly doing: 'kill' | 'remove'; readonly since: number; why: string | null } | null = null;
  /** Steps in a row that met a fault. */
  faultsInRow = 0;
  /** How often the engine did not start the container. */
  startFaults = 0;
  startFault: string | null = null;
  /** How often the image was gone again when the container was to be made. */
  lostImages = 0;
  /** For whoever watches; null before the first step. */
  phases: Phases | null = null;
  isInLine = false;
  isPulling = false;
  isWaitingForExit = false;

  constructor(key: AttemptKey) {
    this.key = key;
    this.name = attemptName(key);
  }

  situation(now: number, graceMs: number): Situation {
    const { key, task, seen, doing } = this;
    return { key, task, seen, doing, now, graceMs };
  }

  /** A record that was read elsewhere; an older one is ignored. */
  learn(task: Task): void {
    if (this.task && task.revision <= this.task.revision) return;
    this.task = task;
    this.bell.ring();
  }

  /** A container of this attempt that this process did not make. */
  find(container: ContainerStatus): void {
    this.seen = container;
    this.foundGpuIds = container.gpuIds;
    this.doing.hadContainer = true;
    this.doing.adopted = container.state !== 'created';
    this.doing.mayHaveFiles = this.doing.adopted;
  }

  /** The runner stops. */
  leave(): void {
    this.abandon.abort();
    this.over.abort('left');
    this.bell.ring();
  }

  setFenced(fenced: boolean): void {
    this.doing.fenced = fenced;
    // The scheduler may have taken it back meanwhile.
    if (!fenced) this.unsure = true;
    this.bell.ring();
  }
}

/** One per attempt on this machine; also the key of its hold in the ledger. */
export function attemptName(of: { taskId: string; attempt: number }): string {
  return `${of.taskId}-${of.attempt}`;
}

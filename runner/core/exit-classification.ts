// How an attempt ended, in the words of a task's record: from exit status and what the runner did to it, or from
// the fault that kept it from running. Pure; must never guess where it can know.

import { isAppError, messageOf } from '../../shared/errors.ts';
import type { FailureReason } from '../../shared/model/task.ts';
import type { AttemptOutcome } from '../../shared/model/task-life.ts';

/** Why the runner sent a signal. The first cause stands. */
export type StopCause = 'cancel' | 'time_limit' | 'fenced' | 'evict';

const FENCED_WORDS = 'its worker was cut off from the cluster and stopped it';
const RESTARTED_WORDS = {
  machine: 'the machine of its worker was restarted while it ran',
  engine: 'the container engine of its worker was restarted while it ran',
} as const;

/** Part of the message of an attempt. */
export const OUTPUT_IN_DOUBT_WORDS =
  'the container engine was restarted before its end was seen, and what it printed last may be missing';

export interface Exit {
  /** Null when the engine does not know. */
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** Its machine or the engine ended it, not the program. */
  readonly cutBy?: 'machine' | 'engine' | null;
  /** What it printed last may be lost. */
  readonly outputInDoubt?: boolean;
}

export interface ExitFacts {
  /** What this process or an earlier life signalled the container for, or null: not that anybody knows. */
  readonly stopCause: StopCause | null;
  /** SIGKILL was sent too. */
  readonly killed: boolean;
  /** Name of the user whose wish to cancel stands in the record, or null. */
  readonly cancelledBy: string | null;
  /** Why the attempt is to leave this worker, as the record says, or null. */
  readonly evictedBecause: string | null;
  /** The record says `running`. Only then it can become `completed`. */
  readonly announced: boolean;
  /** Another life of the runner started it and may have signalled it. */
  readonly adopted: boolean;
  /** 0 is no limit. */
  readonly timeoutSeconds: number;
  /** From start to end by the engine's clock, or null. */
  readonly ranMs: number | null;
  readonly memoryMb: number;
  readonly graceSeconds: number;
  /** Why output could not be kept, or null. */
  readonly outputFault: string | null;
  /** Why files it left could not be kept, or null. */
  readonly filesFault: string | null;
}

/**
 * A program that ended before it was signalled keeps its own result, also when a cancel or an eviction had come in by
 * then. Once it was signalled it is cancelled (timed out, evicted) whatever its exit code says. An adopted one with
 * such a wish pending counts as signalled, for nobody can know. A cancel goes before an eviction.
 */
export function classifyExit(exit: Exit, facts: ExitFacts): AttemptOutcome {
  const { exitCode } = exit;
  const mayBeSignalled = facts.adopted || !facts.announced || exit.cutBy != null;
  const mayHaveLeft = facts.stopCause === 'evict' || (facts.stopCause === null && mayBeSignalled);
  if (facts.stopCause === 'cancel' || (facts.cancelledBy !== null && mayHaveLeft)) {
    return { kind: 'cancelled', exitCode, message: cancelWords(facts) };
  }
  if (facts.evictedBecause !== null && mayHaveLeft) {
    return { kind: 'evicted', exitCode, message: withKilled(facts.evictedBecause, facts) };
  }
  if (facts.stopCause === 'time_limit') return failed('timed_out', exitCode, limitWords(facts));
  if (facts.stopCause === 'fenced') {
    return failed('worker_lost', exitCode, FENCED_WORDS);
  }
  // Before the limit: an engine may note the end when it is back, and that is long after.
  if (exit.cutBy) return cut(exit.cutBy, exitCode);
  // The limit passed while no runner was there to enforce it.
  if (facts.adopted && facts.timeoutSeconds > 0 && (facts.ranMs ?? 0) > facts.timeoutSeconds * 1_000) {
    return failed('timed_out', exitCode, limitWords(facts));
  }
  if (exitCode === null)
    return failed('runtime_error', null, 'the container engine does not say how it ended');
  if (exit.oomKilled && exitCode !== 0) {
    return failed('oom_killed', exitCode, `it went over its memory limit of ${facts.memoryMb} MB`);
  }
  const doubt = exit.outputInDoubt ? OUTPUT_IN_DOUBT_WORDS : null;
  if (exitCode !== 0) return failed('exit_code', exitCode, joined(exitCodeWords(exitCode), doubt));
  if (facts.outputFault) {
    return failed(
      'output_error',
      exitCode,
      `it ended well, but its output could not be kept: ${facts.outputFault}`,
    );
  }
  if (facts.filesFault) {
    return failed(
      'output_error',
      exitCode,
      `it ended well, but not all of its files in /output could be kept: ${facts.filesFault}`,
    );
  }
  const message = exit.oomKilled
    ? `one of its processes was killed for going over the memory limit of ${facts.memoryMb} MB`
    : null;
  return { kind: 'completed', exitCode, message: joined(message, doubt) || null };
}

function joined(...words: (string | null)[]): string {
  return words.filter((word) => word !== null).join('; ');
}

/** A machine is tried again at once, for it is back; an engine that was restarted may be again. */
function cut(by: 'machine' | 'engine', exitCode: number | null): AttemptOutcome {
  return failed(by === 'machine' ? 'worker_lost' : 'runtime_error', exitCode, RESTARTED_WORDS[by]);
}

/** For an attempt that was cancelled before its container ran. */
export function cancelledUnstarted(cancelledBy: string): AttemptOutcome {
  return { kind: 'cancelled', exitCode: null, message: `cancelled by ${cancelledBy} before it started` };
}

/** For a container that is gone although nobody of the cluster removed it. */
export function vanished({
  cancelledBy,
  evictedBecause,
  stopCause,
  machineRestarted,
  timeoutSeconds,
}: Pick<ExitFacts, 'cancelledBy' | 'evictedBecause' | 'stopCause' | 'timeoutSeconds'> & {
  /** The machine was started anew since the record says that it runs. */
  readonly machineRestarted?: boolean;
}): AttemptOutcome {
  if (cancelledBy !== null) {
    return {
      kind: 'cancelled',
      exitCode: null,
      message: `cancelled by ${cancelledBy}; its container is gone`,
    };
  }
  if (evictedBecause !== null) {
    return { kind: 'evicted', exitCode: null, message: `${evictedBecause}; its container is gone` };
  }
  if (stopCause === 'time_limit') {
    const message = `it ran longer than its limit of ${timeoutSeconds} s and was being stopped; its container is gone`;
    return failed('timed_out', null, message);
  }
  if (stopCause === 'fenced') return failed('worker_lost', null, `${FENCED_WORDS}; its container is gone`);
  if (machineRestarted) {
    return failed('worker_lost', null, `${RESTARTED_WORDS.machine}; its container is gone`);
  }
  return failed('runtime_error', null, 'its container has disappeared from the worker');
}

/** What kept an attempt from running. Anything that is not known to be the task's doing is the platform's. */
export function classifyFault(error: unknown): AttemptOutcome {
  const message = messageOf(error);
  if (isAppError(error, 'image_not_found') || isAppError(error, 'image_pull_failed')) {
    return failed('image_error', null, message);
  }
  if (isAppError(error, 'container_start_failed')) return failed('start_error', null, message);
  if (isAppError(error, 'disk_full')) return failed('disk_full', null, message);
  return failed('runtime_error', null, message);
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
};

/** 128 + n is a shell's and Docker's way to say "signal n"; a program may use those codes for itself, so both stand. */
export function exitCodeWords(exitCode: number): string {
  if (exitCode === 126) return 'exit code 126: the command was found but cannot be executed';
  if (exitCode === 127) return 'exit code 127: command not found';
  const name = SIGNALS[exitCode - 128];
  if (name === undefined) return `exit code ${exitCode}`;
  return `exit code ${exitCode}: killed by signal ${exitCode - 128} (${name})`;
}

function cancelWords(facts: ExitFacts): string {
  return withKilled(`cancelled by ${facts.cancelledBy ?? 'its owner'}`, facts);
}

function withKilled(words: string, { killed }: ExitFacts): string {
  return killed ? `${words}; killed` : words;
}

function limitWords(facts: ExitFacts): string {
  const words = `it ran longer than its limit of ${facts.timeoutSeconds} s`;
  return facts.killed ? `${words} and did not end within ${facts.graceSeconds} s of SIGTERM` : words;
}

function failed(reason: FailureReason, exitCode: number | null, message: string): AttemptOutcome {
  return { kind: 'failed', reason, exitCode, message };
}

// One supervised process: its lives one after the other, and the waits between them.

import { type ChildProcess, fork } from 'node:child_process';
import { EXIT_BAD_CONFIG } from '../../shared/platform/service.ts';
import { type BackOffPolicy, nextWait } from './back-off.ts';
import type { LogFile } from './log-file.ts';

export interface PartSpec {
  readonly name: string;
  /** Path of the module to run. */
  readonly module: string;
  readonly args?: readonly string[];
  /** More of them for its first life alone. */
  readonly firstArgs?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Between SIGTERM and SIGKILL, where it needs longer than others. */
  readonly stopDeadlineMs?: number | undefined;
}

export type SupervisorEvent =
  | { readonly kind: 'started'; readonly name: string; readonly pid: number }
  | {
      readonly kind: 'died';
      readonly name: string;
      /** "exit code 1", "killed by SIGKILL". */
      readonly how: string;
      readonly restartInMs: number;
      readonly logFile: string;
      /** The last it wrote, oldest line first. */
      readonly output: readonly string[];
    }
  /** What it has to say to the person who watches. */
  | { readonly kind: 'said'; readonly name: string; readonly text: string }
  /** It ended with exit code 78; nothing is restarted any more. `output` is what it said, oldest line first. */
  | { readonly kind: 'wrong_settings'; readonly name: string; readonly output: readonly string[] };

export interface PartOptions {
  readonly spec: PartSpec;
  readonly log: LogFile;
  readonly backOff: BackOffPolicy;
  readonly report: (event: SupervisorEvent) => void;
}

/** How long the last output of an ended process may take to arrive. */
const LAST_OUTPUT_MS = 500;

export interface Part {
  readonly name: string;
  /** Null while it is not running. */
  readonly pid: number | null;
  readonly tail: readonly string[];
  /** From now on it is not started again when it ends. */
  retire(): void;
  /** SIGTERM, after `deadlineMs` SIGKILL; resolves when it is gone and its log is written. */
  stop(deadlineMs: number): Promise<void>;
  /** SIGTERM once more to one that is being stopped: it may have a quicker way. */
  hurry(): void;
  kill(): void;
}

export function startPart(options: PartOptions): Part {
  const { spec, log, backOff, report } = options;
  let child: ChildProcess | null = null;
  let ended: Promise<void> = Promise.resolve();
  let restart: NodeJS.Timeout | undefined;
  let retired = false;
  let isStopping = false;
  let isFirst = true;
  let waitMs = 0;

  const live = () => {
    const startedAt = performance.now();
    const args = [...(spec.args ?? []), ...(isFirst ? (spec.firstArgs ?? []) : [])];
    isFirst = false;
    // A process group of its own: a Ctrl-C of the terminal reaches it through the supervisor alone, in order.
    // The channel (ipc) closes when the supervisor dies by any means; the process then stops by itself.
    const born = fork(spec.module, args, {
      detached: true,
      env: spec.env,
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = born;
    born.stdout?.on('data', (chunk: Buffer) => log.append(chunk));
    born.stderr?.on('data', (chunk: Buffer) => log.append(chunk));
    born.on('message', (message: { say?: unknown } | null) => {
      const text = message?.say;
      if (typeof text === 'string') report({ kind: 'said', name: spec.name, text });
    });
    if (born.pid !== undefined) report({ kind: 'started', name: spec.name, pid: born.pid });
    ended = new Promise((done) => {
      const over = (code: number | null, how: string) => {
        if (child !== born) return;
        child = null;
        died(code, how, performance.now() - startedAt);
        done();
      };
      born.once('exit', (code, signal) => {
        const end = () => over(code, signal ? `killed by ${signal}` : `exit code ${code}`);
        // `close` comes after the last byte of output, but not while a process it left behind holds the pipe.
        born.once('close', end);
        setTimeout(end, LAST_OUTPUT_MS);
      });
      born.once('error', (error) => {
        if (born.pid === undefined) over(null, error.message);
      });
    });
  };

  const died = (code: number | null, how: string, livedMs: number) => {
    if (retired) return;
    if (code === EXIT_BAD_CONFIG) {
      retired = true;
      report({ kind: 'wrong_settings', name: spec.name, output: log.tail });
      return;
    }
    waitMs = nextWait(waitMs, livedMs, backOff);
    const { path: logFile, tail: output } = log;
    report({ kind: 'died', name: spec.name, how, restartInMs: waitMs, logFile, output });
    restart = setTimeout(live, waitMs);
  };

  live();
  return {
    name: spec.name,
    get pid() {
      return child?.pid ?? null;
    },
    get tail() {
      return log.tail;
    },
    retire() {
      retired = true;
      clearTimeout(restart);
    },
    async stop(deadlineMs) {
      this.retire();
      isStopping = true;
      const last = child;
      last?.kill('SIGTERM');
      const timer = setTimeout(() => last?.kill('SIGKILL'), spec.stopDeadlineMs ?? deadlineMs);
      await ended;
      clearTimeout(timer);
      await log.close();
    },
    hurry() {
      if (isStopping) child?.kill('SIGTERM');
    },
    kill() {
      this.retire();
      child?.kill('SIGKILL');
    },
  };
}

// A program of the machine that is started again when it dies, until it is stopped. Its output goes to a file.

import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { messageOf } from '../../shared/errors.ts';
import { nextWait, RESTART_POLICY } from '../supervisor/back-off.ts';
import { hasEnded, stopChild } from './commands.ts';

export interface KeptProgram {
  /** Of its present or last life. */
  readonly pid: number | undefined;
  /** Whether the present life is over. */
  readonly ended: boolean;
  stop(graceMs: number): Promise<void>;
}

export interface KeptProgramOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Told when it died and in how many milliseconds it is started again. */
  readonly onDeath: (how: string, restartInMs: number) => void;
  readonly onStart: (pid: number) => Promise<void>;
}

/** @throws when it cannot be started at all. Restarts happen only after `watch` was called. */
export async function startProgram(options: KeptProgramOptions): Promise<KeptProgram & { watch(): void }> {
  let child = await spawnDetached(options);
  let startedAt = performance.now();
  let waitMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;

  const watch = () => {
    const seen = child;
    const died = () => {
      if (stopping) return;
      const how = seen.signalCode ? `killed by ${seen.signalCode}` : `exit code ${seen.exitCode}`;
      again(how, performance.now() - startedAt);
    };
    if (hasEnded(seen)) died();
    else seen.once('exit', died);
  };
  const again = (how: string, livedMs: number) => {
    waitMs = nextWait(waitMs, livedMs, RESTART_POLICY);
    options.onDeath(how, waitMs);
    timer = setTimeout(async () => {
      try {
        child = await spawnDetached(options);
        startedAt = performance.now();
        if (stopping) await stopChild(child, 5_000);
        else watch();
      } catch (error) {
        if (!stopping) again(messageOf(error), 0);
      }
    }, waitMs);
  };

  return {
    get pid() {
      return child.pid;
    },
    get ended() {
      return hasEnded(child);
    },
    watch,
    async stop(graceMs) {
      stopping = true;
      clearTimeout(timer);
      await stopChild(child, graceMs);
    },
  };
}

/** In a process group of its own: a Ctrl-C of the terminal must not end it before those who use it. */
async function spawnDetached(options: KeptProgramOptions): Promise<ChildProcess> {
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.program, [...options.args], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((done, refused) => {
      child.once('spawn', done);
      child.once('error', refused);
    });
    if (child.pid !== undefined) await options.onStart(child.pid);
    return child;
  } finally {
    await log.close();
  }
}

// Programs of the machine: where they are, and running one to its end with a deadline and its output in a file.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where Debian keeps daemons; often missing on the PATH of a plain user or of `su`. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The PATH with the system's folders, for programs that call others (dockerd calls iptables). */
export function fullPath(path = process.env.PATH ?? ''): string {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return [...folders, ...SYSTEM_FOLDERS.filter((folder) => !folders.includes(folder))].join(delimiter);
}

export function findProgram(name: string, path = fullPath()): string | null {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return null;
}

export interface RunOptions {
  readonly deadlineMs: number;
  /** Output is appended here. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface RunResult {
  /** Exit code; null when it did not start, was killed or ran into the deadline. */
  readonly code: number | null;
  /** Why there is no exit code. */
  readonly fault: string | null;
  /** Everything it wrote, both streams, as far as it is kept (the last 64 kB). */
  readonly output: string;
}

const KEPT_BYTES = 65_536;

/** Runs a program to its end. Never throws for what the program does. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const log = await open(options.logFile, 'a');
  try {
    const from = (await log.stat()).size;
    const child = spawn(program, args, {
      stdio: ['ignore', log.fd, log.fd],
      env: { ...process.env, PATH: fullPath(), ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const { code, fault } = await ended(child, options.deadlineMs);
    const written = (await readFile(options.logFile)).subarray(from);
    return { code, fault, output: written.subarray(-KEPT_BYTES).toString() };
  } finally {
    await log.close();
  }
}

async function ended(child: ChildProcess, deadlineMs: number): Promise<Pick<RunResult, 'code' | 'fault'>> {
  let late = false;
  const end = new Promise<Pick<RunResult, 'code' | 'fault'>>((done) => {
    child.once('error', (error) => done({ code: null, fault: error.message }));
    child.once('exit', (code, signal) => done({ code, fault: signal ? `killed by ${signal}` : null }));
  });
  const timer = setTimeout(() => {
    late = true;
    void stopChild(child, 5_000);
  }, deadlineMs);
  const how = await end;
  clearTimeout(timer);
  return late ? { code: null, fault: `not done after ${Math.round(deadlineMs / 1_000)} s` } : how;
}

/** SIGTERM, then SIGKILL after `graceMs`. Resolves when the child is gone. */
export async function stopChild(child: ChildProcess, graceMs: number): Promise<void> {
  if (hasEnded(child)) return;
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}

export function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Asks a process that is not our child to end, and kills it after `graceMs`. False when it would not go. */
export async function stopPid(pid: number, graceMs: number): Promise<boolean> {
  for (const [signal, waitMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', 5_000],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return !isAlive(pid);
    }
    if (await until(() => !isAlive(pid), waitMs)) return true;
  }
  return false;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Asks again and again until the answer is yes (true) or time is up (false). */
export async function until(probe: () => boolean | Promise<boolean>, deadlineMs: number): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    if (await probe()) return true;
    if (performance.now() >= end) return false;
    await delay(100);
  }
}

/** The last lines of a text, indented, for messages. */
export function lastLines(text: string, count: number): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .map((line) => `    ${line.slice(0, 400)}`)
    .join('\n');
}

export async function lastLinesOf(file: string, count: number): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return lastLines(text.slice(-KEPT_BYTES), count);
}

// `npm test [-- vitest arguments]`: brings up real servers, then lint, types and tests, all of them even if one
// fails. Stops what it started; the exit code is 0 only when everything went well. With --chaos as the first word
// (`npm run test:chaos [-- arguments]`) it runs the fault suite instead.
// With STEPS_REPORT=<file> it also writes there how each step went.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError, messageOf } from '../../shared/errors.ts';
import { makePrivateFolder } from '../../shared/platform/private-file.ts';
import { EXIT_FAULT } from '../../shared/platform/service.ts';
import { hasEnded } from './commands.ts';
import { DebianPackages } from './debian-packages.ts';
import { Owned } from './owned.ts';
import { Progress } from './progress.ts';
import { listenForStop, type StopRequest } from './stop-request.ts';
import { TestReport } from './test-report.ts';
import { type Step, startTestServers } from './test-servers.ts';

const root = resolve(import.meta.dirname, '../../..');
const EXIT_INTERRUPTED = 130;
const CHECK_DEADLINE_MS = 10 * 60_000;
const TESTS_DEADLINE_MS = 75 * 60_000;
const CHAOS_DEADLINE_MS = 4 * 60 * 60_000;
const CHAOS = '--chaos';

async function main(args: readonly string[]): Promise<number> {
  // A terminal or a pipe that is closed must not end this before it has stopped what it started.
  for (const out of [process.stdout, process.stderr]) out.on('error', () => undefined);
  const progress = new Progress();
  const report = new TestReport();
  let running: ChildProcess | null = null;
  const stop = listenForStop(() => {
    if (running) endGroup(running, 'SIGKILL');
  });
  void stop.wanted.then((why) => progress.line(`\nStopping (${why}) …`));
  const owned = new Owned((line) => progress.line(line));
  const tempDir = await mkdtemp(join(tmpdir(), 'cloudai-npm-test-'));
  let setUpWell = false;

  const step: Step = async (name, work, tell) => {
    if (stop.isWanted) return null;
    const start = performance.now();
    try {
      const result = await progress.step(name, work, tell);
      report.add(name, true, start);
      return result;
    } catch {
      // Shown by the step itself; the other steps go on.
      report.add(name, false, start);
      return null;
    }
  };
  const check: Check = async (name, words, env = {}, deadlineMs = CHECK_DEADLINE_MS) => {
    if (stop.isWanted) return;
    const start = performance.now();
    progress.line(`\n${name}: ${words.join(' ').replaceAll(`${root}/`, '')}`);
    const ok = await runShown(words, { env, deadlineMs, stop, onStart: (child) => (running = child) });
    report.add(name, ok, start);
  };

  try {
    await makePrivateFolder(join(tempDir, 'mongo'));
    const packages = new DebianPackages({ logFile: join(tempDir, 'apt.log') });
    const warn = (text: string) => progress.warn(text);
    const env = await startTestServers({ root, tempDir, env: process.env, packages, owned, step, warn });
    setUpWell = report.ok;
    if (args[0] === CHAOS) {
      const suite = [bin('tsx/dist/cli.mjs'), 'test/chaos/run.ts', ...args.slice(1)];
      await check('Fault suite', suite, env, CHAOS_DEADLINE_MS);
    } else await checkAll(args, env, check);
  } finally {
    if (running) endGroup(running, 'SIGKILL');
    await owned.stopAll();
    if (setUpWell) await rm(tempDir, { recursive: true, force: true });
    else progress.line(`Logs of the set-up: ${tempDir}`);
  }
  progress.line();
  for (const line of report.lines()) progress.line(line);
  if (process.env.STEPS_REPORT) await report.write(process.env.STEPS_REPORT);
  if (stop.isWanted) return EXIT_INTERRUPTED;
  return report.ok ? 0 : EXIT_FAULT;
}

type Check = (
  name: string,
  args: readonly string[],
  env?: Record<string, string>,
  deadlineMs?: number,
) => Promise<void>;

async function checkAll(
  vitestArgs: readonly string[],
  env: Record<string, string>,
  check: Check,
): Promise<void> {
  await check('Lint', [bin('@biomejs/biome/bin/biome'), 'check', '.']);
  const typescript = bin('typescript/bin/tsc');
  await check('Types', [typescript, '--noEmit', '-p', 'tsconfig.json']);
  if (existsSync(join(root, 'web/tsconfig.json'))) {
    await check('Types of the dashboard', [typescript, '--noEmit', '-p', 'web/tsconfig.json']);
  }
  await check('Unused code', [bin('knip/bin/knip.js')]);
  await check('Tests', [bin('vitest/vitest.mjs'), 'run', ...vitestArgs], env, TESTS_DEADLINE_MS);
}

function bin(path: string): string {
  return join(root, 'node_modules', path);
}

interface ShownOptions {
  readonly env: Record<string, string>;
  readonly deadlineMs: number;
  readonly stop: StopRequest;
  readonly onStart: (child: ChildProcess) => void;
}

/** Runs a Node program with its output shown, in a process group of its own that can be ended as a whole. */
async function runShown(args: readonly string[], options: ShownOptions): Promise<boolean> {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    detached: true,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  options.onStart(child);
  const limit = AbortSignal.timeout(options.deadlineMs);
  const end = () => {
    endGroup(child, 'SIGTERM');
    setTimeout(() => endGroup(child, 'SIGKILL'), 10_000).unref();
  };
  const signal = AbortSignal.any([options.stop.signal, limit]);
  signal.addEventListener('abort', end);
  const code = await new Promise<number | null>((done) => {
    child.once('error', (error) => {
      process.stderr.write(`${messageOf(error)}\n`);
      done(null);
    });
    child.once('exit', (exitCode) => done(exitCode));
  });
  signal.removeEventListener('abort', end);
  if (limit.aborted) process.stderr.write(`not done after ${options.deadlineMs / 60_000} minutes\n`);
  return code === 0;
}

/** Ends a process with all it started in its group, also those that outlived it. */
function endGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is empty.
    if (!hasEnded(child)) child.kill(signal);
  }
}

const code = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof AppError ? error.message : String(error)}\n`);
  return EXIT_FAULT;
});
process.exit(code);

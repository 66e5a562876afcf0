// A server that speaks MongoDB's protocol for the tests: the one MONGODB_URL names, else mongod from the PATH,
// else FerretDB. What is started here listens on loopback only and never outlives this process.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { AppError } from '../../shared/errors.ts';
import { findProgram, fullPath, hasEnded, lastLinesOf, stopChild, until } from './commands.ts';
import { DebianPackages } from './debian-packages.ts';
import { ensureFerretdb, FERRETDB_VERSION } from './ferretdb.ts';
import { answersOn, freePort } from './ports.ts';
import type { Note } from './progress.ts';

export interface MongoOptions {
  /** Kept between runs: the built test server. */
  readonly cacheDir: string;
  /** The databases of this run. */
  readonly dataDir: string;
  readonly progress: Note;
  /** For tests; default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface RunningMongo {
  readonly url: string;
  /** "FerretDB 1.24.2 (port 40123, pid 4242)" */
  readonly how: string;
  /** Null: it was not started here. */
  readonly pid: number | null;
  /** Stops it if it was started here. */
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 10_000;

// mongod does not watch its standard input. This shell does, and ends it with its parent.
const UNTIL_STDIN_CLOSES =
  'exec 3<&0; "$@" & pid=$!; (cat <&3 >/dev/null; kill $pid) 2>/dev/null & wait $pid';

/** @throws {AppError} `bad_config` or `internal` saying what to install or to set. */
export async function ensureMongo(options: MongoOptions): Promise<RunningMongo> {
  const env = options.env ?? process.env;
  if (env.MONGODB_URL) return useGiven(env.MONGODB_URL);
  const { progress } = options;
  const [dataDir, cacheDir] = [resolve(options.dataDir), resolve(options.cacheDir)];
  await mkdir(dataDir, { recursive: true });
  const databases = join(dataDir, 'db');
  await mkdir(databases, { recursive: true });
  const logFile = join(dataDir, 'server.log');
  const path = fullPath(env.PATH);

  const mongod = findProgram('mongod', path);
  if (mongod) {
    const port = await freePort();
    const args = ['--dbpath', databases, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'];
    const child = await start('/bin/sh', ['-c', UNTIL_STDIN_CLOSES, 'sh', mongod, ...args], logFile);
    await untilUp(child, logFile, () => answersOn(port));
    return running(
      child,
      `mongodb://127.0.0.1:${port}/`,
      `mongod (${mongod}, port ${port}, pid ${child.pid})`,
    );
  }

  const packages = new DebianPackages({ logFile: join(dataDir, 'apt.log') });
  const buildLog = join(dataDir, 'build.log');
  const program = await ensureFerretdb({ cacheDir, packages, logFile: buildLog, path }, progress);
  const child = await start(program, ['-data', databases], logFile);
  let url = '';
  if (child.stdout) {
    createInterface({ input: child.stdout }).once('line', (line) => {
      url = line.trim();
    });
  }
  await untilUp(child, logFile, () => url !== '');
  const how = `FerretDB ${FERRETDB_VERSION} (port ${new URL(url).port}, pid ${child.pid})`;
  return running(child, url, how);
}

async function useGiven(url: string): Promise<RunningMongo> {
  const [, host = '', port = '27017'] = /^mongodb:\/\/(?:[^@/]*@)?([^:,/?]+)(?::(\d+))?/.exec(url) ?? [];
  // Several hosts, or names that only DNS records resolve, are left to the tests.
  if (host !== '' && !/^[^/]*\/\/[^/]*,/.test(url) && !(await answersOn(Number(port), host, 5_000))) {
    throw new AppError(
      'bad_config',
      `MONGODB_URL names ${host}:${port}, but nothing answers there.\n` +
        '  Start that server, or unset MONGODB_URL to have one started here.',
    );
  }
  return {
    url,
    how: `was there: ${url.replace(/\/\/[^@/]*@/, '//')}`,
    pid: null,
    stop: async () => undefined,
  };
}

async function start(program: string, args: readonly string[], logFile: string): Promise<ChildProcess> {
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(program, [...args], {
      // Ctrl-C in a terminal must not end it before the tests; the pipe on its input ends it with us.
      detached: true,
      stdio: ['pipe', 'pipe', log.fd],
    });
    await new Promise<void>((done, refused) => {
      child.once('spawn', done);
      child.once('error', refused);
    });
    return child;
  } finally {
    await log.close();
  }
}

async function untilUp(child: ChildProcess, logFile: string, isUp: () => boolean | Promise<boolean>) {
  const answered = await until(async () => hasEnded(child) || (await isUp()), START_DEADLINE_MS);
  // What it says later is of no interest, but the pipe must not fill up.
  child.stdout?.resume();
  if (answered && !hasEnded(child)) return;
  const why = hasEnded(child) ? 'ended at once' : `did not answer within ${START_DEADLINE_MS / 1_000} s`;
  await stopChild(child, STOP_GRACE_MS);
  throw new AppError(
    'internal',
    `the MongoDB server of the tests ${why}:\n${await lastLinesOf(logFile, 8)}\n  Or set MONGODB_URL.`,
  );
}

function running(child: ChildProcess, url: string, how: string): RunningMongo {
  return {
    url,
    how,
    pid: child.pid ?? null,
    stop: async () => {
      child.stdin?.end();
      await until(() => hasEnded(child), STOP_GRACE_MS);
      await stopChild(child, STOP_GRACE_MS);
    },
  };
}

// The Redis this machine's CloudAI uses: the one that REDIS_URL names, or a private one that is started here,
// on a port of its own, bound to loopback, with a password. Never touches another Redis of the machine.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { AppError, messageOf } from '../../shared/errors.ts';
import { makePrivateFolder, readPrivateFile, writePrivateFile } from '../../shared/platform/private-file.ts';
import { findProgram, isAlive, lastLinesOf, stopPid, until } from './commands.ts';
import type { DebianPackages } from './debian-packages.ts';
import { type KeptProgram, startProgram } from './kept-program.ts';
import { freePort } from './ports.ts';
import type { Note } from './progress.ts';

export interface RunningRedis {
  readonly url: string;
  /** "7.0.15 (private, port 40123, pid 4242)" */
  readonly how: string;
  /** Stops it if it was started here; a Redis that was there before stays. */
  stop(): Promise<void>;
}

export interface PrivateRedisOptions {
  /** Holds its data, its configuration and the note of a run that was cut off. */
  readonly dir: string;
  /** Null leaves it open to all users of this machine. */
  readonly password: string | null;
  readonly logFile: string;
  readonly packages: DebianPackages;
  /** Told when it died by itself and in how many milliseconds it is started again. */
  readonly onDeath: (how: string, restartInMs: number) => void;
}

const START_DEADLINE_MS = 20_000;
/** Loading an append-only file of a few GB takes this long; it answers `-LOADING` meanwhile. */
const LOAD_DEADLINE_MS = 5 * 60_000;
const STOP_GRACE_MS = 20_000;
const PING_DEADLINE_MS = 3_000;

/** Checks the Redis a setting names. @throws {AppError} `bad_config` when it does not answer. */
export async function useGivenRedis(url: string): Promise<RunningRedis> {
  const answer = await askRedis(url);
  if (!answer.ok) {
    throw new AppError(
      'bad_config',
      `REDIS_URL is ${withoutPassword(url)}, but ${answer.fault}.\n` +
        '  Start that Redis, or unset REDIS_URL to have a private one started here.',
    );
  }
  const policy =
    answer.policy === null || answer.policy === 'noeviction'
      ? ''
      : `; its maxmemory-policy is ${answer.policy}, which may lose work: set noeviction`;
  return {
    url,
    how: `${answer.version} (was there: ${withoutPassword(url)}${policy})`,
    stop: async () => undefined,
  };
}

/** Starts a private redis-server, or null when this machine has none and none can be installed. */
export async function startPrivateRedis(
  options: PrivateRedisOptions,
  note: Note,
): Promise<RunningRedis | null> {
  await makePrivateFolder(options.dir);
  const left = await adoptLeftover(options);
  if (left) return left;
  let program = findProgram('redis-server');
  if (!program && options.packages.available) {
    await options.packages.install(['redis-server'], note);
    program = findProgram('redis-server');
  }
  if (!program) return null;
  note('starting redis-server');
  for (let tries = 1; ; tries += 1) {
    try {
      return await launch(program, options, note);
    } catch (error) {
      // Another process can take the port between the look and the start.
      if (tries === 3 || !/Address already in use/.test(messageOf(error))) throw error;
    }
  }
}

async function launch(program: string, options: PrivateRedisOptions, note: Note): Promise<RunningRedis> {
  const { dir, password, logFile } = options;
  const port = await freePort();
  const conf = join(dir, 'redis.conf');
  await writePrivateFile(conf, redisConf({ dir, password, port, bind: '127.0.0.1' }));
  const server = await startProgram({
    program,
    args: [conf],
    logFile,
    onStart: (pid) => writePrivateFile(noteFile(dir), JSON.stringify({ pid, port })),
    onDeath: options.onDeath,
  });
  const url = urlOf(port, password);
  const version = await awaitRedis(url, server, note);
  if (version !== null) {
    server.watch();
    return {
      url,
      how: `${version} (private, port ${port}, pid ${server.pid})`,
      stop: () => server.stop(STOP_GRACE_MS),
    };
  }
  await server.stop(STOP_GRACE_MS);
  throw new AppError(
    'internal',
    `redis-server did not come up; the end of ${logFile}:\n${await lastLinesOf(logFile, 8)}`,
  );
}

/** Its version once it answers; null when it ended or stayed silent. */
async function awaitRedis(url: string, server: KeptProgram, note: Note): Promise<string | null> {
  let version: string | null = null;
  let loading = false;
  const probe = async () => {
    const answer = await askRedis(url);
    if (answer.ok) version = answer.version;
    loading = !answer.ok && /LOADING/.test(answer.fault);
    if (loading) note('loading what it kept');
    return answer.ok || server.ended;
  };
  await until(probe, START_DEADLINE_MS);
  if (loading) await until(probe, LOAD_DEADLINE_MS);
  return version;
}

/** A private Redis that outlived the run that started it (which was killed). It is ours, so it is used again. */
async function adoptLeftover({ dir, password }: PrivateRedisOptions): Promise<RunningRedis | null> {
  const kept = await readPrivateFile(noteFile(dir));
  if (kept === null) return null;
  const { pid, port } = JSON.parse(kept) as { pid: number; port: number };
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (!isAlive(pid) || !command.includes('redis-server')) return null;
  const url = urlOf(port, password);
  const answer = await askRedis(url);
  if (!answer.ok) return null;
  return {
    url,
    how: `${answer.version} (private, left by an earlier run, port ${port}, pid ${pid})`,
    stop: async () => void (await stopPid(pid, STOP_GRACE_MS)),
  };
}

function urlOf(port: number, password: string | null): string {
  return `redis://${password === null ? '' : `:${password}@`}127.0.0.1:${port}`;
}

/** Which process serves the folder, so that a later run finds it should this one be killed. */
function noteFile(dir: string): string {
  return join(dir, 'process.json');
}

export interface RedisConfOptions {
  readonly dir: string;
  readonly password: string | null;
  readonly port: number;
  readonly bind: string;
}

/** Every write is kept (append-only file) and nothing is ever evicted: both are asked of a queue. */
export function redisConf({ dir, password, port, bind }: RedisConfOptions): string {
  const quoted = `"${dir.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return [
    `bind ${bind}`,
    `port ${port}`,
    ...(password === null ? [] : [`requirepass ${password}`]),
    'daemonize no',
    `dir ${quoted}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

export type RedisAnswer =
  | { readonly ok: true; readonly version: string; readonly policy: string | null }
  | { readonly ok: false; readonly fault: string };

export async function askRedis(url: string): Promise<RedisAnswer> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PING_DEADLINE_MS,
    commandTimeout: PING_DEADLINE_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  // The promise of a call says less than this event.
  let last: unknown = null;
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await redis.connect();
    await redis.ping();
    const info = await redis.info();
    const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? null;
    return { ok: true, version: field('redis_version') ?? 'unknown', policy: field('maxmemory_policy') };
  } catch (error) {
    return { ok: false, fault: messageOf(last ?? error) };
  } finally {
    redis.disconnect();
  }
}

export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}

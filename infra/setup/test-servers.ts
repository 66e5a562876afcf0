// The real servers the tests run against, each found or started here. One that cannot be had fails its own step
// and then the tests that need it; the others still run.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { Environment } from '../../shared/platform/config/reading.ts';
import { findProgram } from './commands.ts';
import type { DebianPackages } from './debian-packages.ts';
import { ensureDocker, type RunningDocker } from './docker-engine.ts';
import { ensureGrpcurl } from './grpcurl.ts';
import { ensureLocalImage } from './local-images.ts';
import { ensureMongo } from './mongodb.ts';
import type { Owned } from './owned.ts';
import type { Note } from './progress.ts';
import { type RunningRedis, startPrivateRedis, useGivenRedis } from './redis-server.ts';

/** Runs one step and records how it went; null when it failed. */
export type Step = <T>(
  name: string,
  work: (note: Note) => Promise<T>,
  tell: (result: T) => string,
) => Promise<T | null>;

export interface TestServersOptions {
  readonly root: string;
  /** Thrown away after the run. */
  readonly tempDir: string;
  readonly env: Environment;
  readonly packages: DebianPackages;
  readonly owned: Owned;
  readonly step: Step;
  readonly warn: (text: string) => void;
}

/** What the tests find in their environment. A variable that is missing names a server that could not be had. */
export async function startTestServers(options: TestServersOptions): Promise<Record<string, string>> {
  const { tempDir, env, packages, owned, step } = options;
  const variables: Record<string, string> = {};

  const docker = await step('Docker', (note) => openDocker(options, note), toldHow);
  if (docker) {
    owned.add('Docker', () => docker.stop());
    variables.DOCKER_HOST = docker.host;
    await step('Image', (note) => makeImage(docker, packages, note), toldHow);
  }
  const redis = await step('Redis', (note) => openRedis(options, note), toldHow);
  if (redis) {
    owned.add('Redis', () => redis.stop());
    variables.REDIS_URL = redis.url;
  }
  const cacheDir = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cloudai');
  const mongo = await step(
    'MongoDB',
    (note) => ensureMongo({ cacheDir, dataDir: join(tempDir, 'mongo'), progress: note }),
    toldHow,
  );
  if (mongo) {
    owned.add('MongoDB', () => mongo.stop());
    variables.MONGODB_URL = mongo.url;
  }
  if (isAskedFor('GRPCURL_PATH', options.root)) {
    const building = { cacheDir, packages, logFile: join(tempDir, 'grpcurl.log') };
    const path = await step('grpcurl', (note) => ensureGrpcurl(env, building, note), toldWhere);
    if (path) variables.GRPCURL_PATH = path;
  }
  for (const program of PROGRAMS.filter(({ variable }) => isAskedFor(variable, options.root))) {
    const path = await step(program.step, (note) => findTestProgram(program, env, packages, note), toldWhere);
    if (path) variables[program.variable] = path;
  }
  return variables;
}

function toldWhere(found: string | null): string {
  return found ?? 'not here: its tests are skipped';
}

function toldHow({ how }: { how: string }): string {
  return how;
}

function openDocker({ env, tempDir, packages }: TestServersOptions, note: Note): Promise<RunningDocker> {
  const logFile = join(tempDir, 'dockerd.log');
  return ensureDocker({ host: env.DOCKER_HOST || '', dataDir: tempDir, logFile, packages }, note);
}

async function makeImage(docker: RunningDocker, packages: DebianPackages, note: Note) {
  const made = await ensureLocalImage(docker.docker, packages, note);
  if (made.image === null) throw new AppError('internal', made.how);
  return made;
}

async function openRedis(options: TestServersOptions, note: Note): Promise<RunningRedis> {
  const { env, tempDir, packages, warn } = options;
  if (env.REDIS_URL) return useGivenRedis(env.REDIS_URL);
  const redis = await startPrivateRedis(
    {
      dir: join(tempDir, 'redis'),
      // Only for this run, on loopback, with nothing in it.
      password: null,
      logFile: join(tempDir, 'redis.log'),
      packages,
      onDeath: (how) => warn(`Redis ended during the tests (${how})`),
    },
    note,
  );
  if (redis) return redis;
  throw new AppError(
    'bad_config',
    'the tests need redis-server on the PATH, or REDIS_URL of one that may be written to',
  );
}

/** Whether any test reads this variable. */
export function isAskedFor(variable: string, root: string): boolean {
  return ['test', 'web', 'cli'].some((folder) => mentions(join(root, folder), variable));
}

function mentions(folder: string, word: string): boolean {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { withFileTypes: true }).some((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name !== 'node_modules' && mentions(path, word);
    return entry.name.endsWith('.ts') && readFileSync(path, 'utf8').includes(word);
  });
}

/** What tests start themselves. */
interface TestProgram {
  readonly step: string;
  /** Where tests find its path. */
  readonly variable: string;
  readonly names: readonly string[];
  /** Of Debian. */
  readonly packageName: string;
  /** Tests of how CloudAI gets on with it are skipped where it cannot be had. */
  readonly isOptional?: boolean;
}

const PROGRAMS: readonly TestProgram[] = [
  {
    step: 'Chromium',
    variable: 'CHROMIUM_PATH',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    packageName: 'chromium',
  },
  { step: 'curl', variable: 'CURL_PATH', names: ['curl'], packageName: 'curl' },
  { step: 'zsh', variable: 'ZSH_PATH', names: ['zsh'], packageName: 'zsh', isOptional: true },
  { step: 'fish', variable: 'FISH_PATH', names: ['fish'], packageName: 'fish', isOptional: true },
  { step: 'groff', variable: 'GROFF_PATH', names: ['groff'], packageName: 'groff-base', isOptional: true },
  // Hosts of tests: network namespaces with links that are cut.
  { step: 'ip', variable: 'IP_PATH', names: ['ip'], packageName: 'iproute2', isOptional: true },
  {
    step: 'nsenter',
    variable: 'NSENTER_PATH',
    names: ['nsenter'],
    packageName: 'util-linux',
    isOptional: true,
  },
  {
    step: 'iptables',
    variable: 'IPTABLES_PATH',
    names: ['iptables'],
    packageName: 'iptables',
    isOptional: true,
  },
];

async function findTestProgram(
  { step, variable, names, packageName, isOptional = false }: TestProgram,
  env: Environment,
  packages: DebianPackages,
  note: Note,
): Promise<string | null> {
  const given = env[variable];
  if (given) {
    if (existsSync(given)) return given;
    throw new AppError('bad_config', `${variable} is ${given}, where there is no file`);
  }
  const find = () => names.map((name) => findProgram(name)).find((path) => path !== null);
  const found = find();
  if (found) return found;
  if (packages.available) await packages.install([packageName], note);
  const installed = find();
  if (installed) return installed;
  if (isOptional) return null;
  throw new AppError('bad_config', `some tests need ${step}: install it, or set ${variable}`);
}

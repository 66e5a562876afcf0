// What `npm run worker` was asked to do, from its arguments and the environment. Reads nothing else but whether a file
// with the cluster's token is there.

import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError, messageOf } from '../../shared/errors.ts';
import type { Environment } from '../../shared/platform/config/reading.ts';
import { loadRunnerConfig } from '../../shared/platform/config/runner.ts';
import { loadWaitingConfig } from '../../shared/platform/config/waiting-runner.ts';
import type { PartSpec } from '../supervisor/supervisor.ts';
import { runnerStopDeadline } from './processes.ts';
import { clusterTokenFile } from './secrets.ts';

export interface WorkerOptions {
  /** Waits to be added; otherwise its settings say which cluster it belongs to. */
  readonly waits: boolean;
  readonly dataDir: string;
  readonly runtime: 'docker' | 'process' | 'scripted';
  /** Empty when not set. */
  readonly dockerHost: string;
  /** Drop what the machine was told before; not again when the runner is started again. */
  readonly forgets: boolean;
  /** For the runner. */
  readonly env: Environment;
}

export const WORKER_USAGE = `npm run worker [-- options]

Makes this machine a worker: installs what is missing, then waits until an admin of the cluster adds it:
  npx cloudai register <worker id> <this machine>:50052
A machine that was added goes on as that worker when it is started again.

  --listen <host>:<port>  where to wait (default: RUNNER_LISTEN, or 0.0.0.0:50052)
  --forget                wait anew, although this machine was added before
  --wait                  wait even where REDIS_URL or STORE_URL is set
  --help                  this text

Settings are environment variables, for example:
  CLUSTER_TOKEN=…, CLUSTER_TOKEN_FILE=…   the token of the cluster, which "npm start" keeps in data/cluster-token;
                                          without either a file of that name here is taken
  DATA_DIR=./data/worker                  where this worker keeps its identity and logs
  WORKER_CPUS=4 WORKER_MEMORY_MB=8192     what tasks may use
  REDIS_URL=redis://… STORE_URL=…         join the cluster that has these, without waiting
All of them: docs/DOCUMENTATION.md`;

export interface Surroundings {
  readonly cwd: string;
  isFile(path: string): boolean;
}

/** @throws {AppError} `bad_config` naming every fault; null when help is asked for. */
export function readWorkerOptions(
  given: readonly string[],
  env: Environment,
  { cwd, isFile }: Surroundings,
): WorkerOptions | null {
  const { help, wait, forget, listen } = parse(given);
  if (help) return null;
  const waits = wait || forget || listen !== undefined || !(env.REDIS_URL || env.STORE_URL);
  const dataDir = resolve(cwd, env.DATA_DIR || 'data/worker');
  const own: Record<string, string | undefined> = { ...env, DATA_DIR: dataDir };
  if (waits) {
    // What the cluster decides is not taken from here.
    for (const name of ['REDIS_URL', 'STORE_URL', 'FILES_URL', 'REDIS_PREFIX']) delete own[name];
    if (listen !== undefined) own.RUNNER_LISTEN = listen;
    if (!own.CLUSTER_TOKEN && !own.CLUSTER_TOKEN_FILE) {
      own.CLUSTER_TOKEN_FILE = [dataDir, resolve(cwd, 'data')].map(clusterTokenFile).find(isFile);
    }
    loadWaitingConfig(own);
  }
  const { runtime, dockerHost } = loadRunnerConfig(own);
  return { waits, forgets: forget, dataDir, runtime, dockerHost, env: own };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        wait: { type: 'boolean', default: false },
        forget: { type: 'boolean', default: false },
        listen: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (cause) {
    throw new AppError('bad_config', `${messageOf(cause)}\n\n${WORKER_USAGE}`, { cause });
  }
}

/** The runner under the supervisor. */
export function workerPart(options: WorkerOptions, dist: string, dockerHost: string): PartSpec {
  const { waits, forgets, dataDir, env } = options;
  const stopDeadlineMs = runnerStopDeadline(env);
  return {
    name: 'runner',
    module: join(dist, 'runner/main.js'),
    args: waits ? ['--wait'] : [],
    firstArgs: forgets ? ['--forget'] : [],
    env: { ...env, DOCKER_HOST: dockerHost },
    logFile: join(dataDir, 'logs/runner.log'),
    ...(stopDeadlineMs === undefined ? {} : { stopDeadlineMs }),
  };
}

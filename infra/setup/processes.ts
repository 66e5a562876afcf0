// The processes of a local CloudAI and what each of them is told.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { Environment } from '../../shared/platform/config/reading.ts';
import { loadRunnerConfig } from '../../shared/platform/config/runner.ts';
import { stopDeadlineOf } from '../../shared/platform/shutdown.ts';
import type { PartSpec } from '../supervisor/supervisor.ts';

export interface ProcessOptions {
  /** Folder of the built code. */
  readonly dist: string;
  readonly dataDir: string;
  /** The person's own settings; they pass through, and what follows here comes on top. */
  readonly env: Environment;
  readonly port: number;
  readonly redisUrl: string;
  readonly dockerHost: string;
  readonly runtime: string;
  readonly jwtSecret: string;
  /** Made here; null when the person's own settings have one. */
  readonly clusterToken: string | null;
}

/** A supervisor waits a little longer than the process itself does. */
const SLACK_MS = 5_000;

/** How long a runner with these settings may take to stop. Wrong ones are for the runner itself to refuse. */
export function runnerStopDeadline(env: Environment): number | undefined {
  try {
    return stopDeadlineOf(loadRunnerConfig(env).shutdown) + SLACK_MS;
  } catch {
    return undefined;
  }
}

const FIRST_WORKER = 'worker-1';

/** In the order they start in. */
export function localProcesses(options: ProcessOptions): PartSpec[] {
  const { dist, dataDir, env } = options;
  const common: Record<string, string | undefined> = {
    ...env,
    DATA_DIR: dataDir,
    REDIS_URL: options.redisUrl,
  };
  // The secret that signs sessions and the token that adds machines are the API's alone.
  for (const name of ['JWT_SECRET', 'CLUSTER_TOKEN', 'CLUSTER_TOKEN_FILE']) delete common[name];
  const api = {
    ...common,
    CLUSTER_TOKEN: options.clusterToken ?? env.CLUSTER_TOKEN,
    CLUSTER_TOKEN_FILE: env.CLUSTER_TOKEN_FILE,
    PORT: String(options.port),
    JWT_SECRET: env.JWT_SECRET || options.jwtSecret,
    WEB_DIR: env.WEB_DIR || join(dist, 'web'),
  };
  // A cluster of its own has a first worker; in one that others share, each machine goes by its own name.
  const isOwnCluster = !env.STORE_URL || env.STORE_URL.startsWith('sqlite:');
  const workerId = env.WORKER_ID || (isOwnCluster ? FIRST_WORKER : undefined);
  const runner = {
    ...common,
    WORKER_ID: workerId,
    RUNTIME: options.runtime,
    DOCKER_HOST: options.dockerHost,
  };
  return [
    { name: 'api', env: api },
    { name: 'scheduler', env: common },
    // Stopped first, while all it needs to give its work back is still there.
    { name: 'runner', env: runner, stopDeadlineMs: runnerStopDeadline(runner) },
  ].map(({ name, env, ...rest }) => {
    const module = join(dist, name, 'main.js');
    if (!existsSync(module)) throw new AppError('internal', `${module} is missing: run "npm run build"`);
    return { name, env, module, logFile: join(dataDir, 'logs', `${name}.log`), ...rest };
  });
}

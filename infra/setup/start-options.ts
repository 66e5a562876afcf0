// What `npm start` was asked to do, from its arguments and the environment. Reads nothing else.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError, messageOf } from '../../shared/errors.ts';
import { DEFAULT_GRPC_PORT, readGrpcPort } from '../../shared/platform/config/grpc-port.ts';
import { type Environment, withValueFiles } from '../../shared/platform/config/reading.ts';

export interface StartOptions {
  readonly port: number;
  /** Of gRPC; null: off. */
  readonly grpcPort: number | null;
  /** Where the API listens; null leaves it to the API's own default. */
  readonly host: string | null;
  /** Stop once the first task has run. */
  readonly once: boolean;
  readonly dataDir: string;
  readonly runtime: 'docker' | 'process' | 'scripted';
  readonly redisUrl: string | null;
  /** Empty when not set. */
  readonly dockerHost: string;
  readonly storeUrl: string | null;
  /** The person gives the cluster a token of their own. */
  readonly hasClusterToken: boolean;
}

export const USAGE = `npm start [-- options]

  --port <number>   port of the API and the dashboard (default: PORT, or 8080)
  --once            stop again after the first task has run: exit code 0 when it went well
  --help            this text

Settings are environment variables, for example:
  DATA_DIR=./data             where records, files, logs and secrets are kept
  RUNTIME=process             run tasks as plain processes, without Docker and without isolation
  REDIS_URL=redis://…         use that Redis instead of a private one
  GRPC_PORT=off               no gRPC, which otherwise listens on port 50051
  STORE_URL=mongodb://…       keep the records there instead of in a file
All of them: docs/DOCUMENTATION.md`;

/** What the processes are told, with what lies in files in its place. @throws {AppError} `bad_config` */
export function settledEnvironment(env: Environment): Environment {
  return withValueFiles(env, ['JWT_SECRET', 'REDIS_URL', 'STORE_URL']);
}

/** @throws {AppError} `bad_config` naming the option or variable at fault; null when help is asked for. */
export function readStartOptions(
  args: readonly string[],
  env: Environment,
  cwd: string,
): StartOptions | null {
  const { values } = parse(args);
  if (values.help) return null;
  const runtime = env.RUNTIME || 'docker';
  if (runtime !== 'docker' && runtime !== 'process' && runtime !== 'scripted') {
    throw new AppError('bad_config', `RUNTIME must be docker, process or scripted, not "${runtime}"`);
  }
  return {
    port: readPort(values.port, env.PORT),
    grpcPort: grpcPortIn(env.GRPC_PORT),
    host: env.HOST || null,
    once: values.once ?? false,
    dataDir: resolve(cwd, env.DATA_DIR || 'data'),
    runtime,
    redisUrl: env.REDIS_URL || null,
    dockerHost: env.DOCKER_HOST || '',
    storeUrl: env.STORE_URL || null,
    hasClusterToken: Boolean(env.CLUSTER_TOKEN || env.CLUSTER_TOKEN_FILE),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        once: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new AppError('bad_config', `${messageOf(error)}\n\n${USAGE}`, { cause: error });
  }
}

function grpcPortIn(variable: string | undefined): number | null {
  const port = readGrpcPort(variable || String(DEFAULT_GRPC_PORT));
  if (port !== undefined) return port;
  throw new AppError('bad_config', `GRPC_PORT must be a number from 1 to 65535, or "off", not "${variable}"`);
}

function readPort(option: string | undefined, variable: string | undefined): number {
  const text = option ?? (variable || '8080');
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  const name = option === undefined ? 'PORT' : '--port';
  throw new AppError('bad_config', `${name} must be a number from 1 to 65535, not "${text}"`);
}

// What CloudAI runs on: Docker, Redis and an image for `npm start`, Docker and the image for `npm run worker`, each
// found or started here.

import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { DebianPackages } from './debian-packages.ts';
import { ensureDocker, type RunningDocker } from './docker-engine.ts';
import { ensureLocalImage } from './local-images.ts';
import type { Owned } from './owned.ts';
import type { Note, Progress } from './progress.ts';
import { stopped } from './readiness.ts';
import { startContainerRedis } from './redis-container.ts';
import { type RunningRedis, startPrivateRedis, useGivenRedis } from './redis-server.ts';
import type { StartOptions } from './start-options.ts';
import type { StopRequest } from './stop-request.ts';

export interface LocalServers {
  readonly redisUrl: string;
  readonly dockerHost: string;
  /** An image for the first task; null when none is present. */
  readonly image: string | null;
}

export interface LocalServersOptions {
  readonly options: StartOptions;
  readonly logs: string;
  readonly redisPassword: string;
  readonly progress: Progress;
  readonly owned: Owned;
  readonly stop: StopRequest;
}

/** Steps cannot be broken off in the middle (a package half installed is worse); between them a stop is heeded. */
export async function startServers(given: LocalServersOptions): Promise<LocalServers> {
  const { options, logs, progress, owned, stop } = given;
  const packages = new DebianPackages({ logFile: join(logs, 'apt.log') });
  const heed = () => {
    if (stop.isWanted) throw stopped();
  };

  heed();
  const docker = await startEngine(given, packages);

  heed();
  const redis = await progress.step(
    'Redis',
    (note) => openRedis(given, packages, docker, note),
    ({ how }) => how,
  );
  owned.add('Redis', () => redis.stop());

  heed();
  if (!docker) return { redisUrl: redis.url, dockerHost: options.dockerHost, image: 'busybox:latest' };
  const image = await imageStep(given, docker, packages);
  return { redisUrl: redis.url, dockerHost: docker.host, image };
}

/** What a machine needs that only runs tasks. Steps are as above. */
export async function startEngineAlone(
  given: EngineOptions & Pick<LocalServersOptions, 'stop'>,
): Promise<{ readonly dockerHost: string }> {
  const packages = new DebianPackages({ logFile: join(given.logs, 'apt.log') });
  if (given.stop.isWanted) throw stopped();
  const docker = await startEngine({ ...given, leaveTasks: true }, packages);
  if (given.stop.isWanted) throw stopped();
  if (docker) await imageStep(given, docker, packages);
  return { dockerHost: docker?.host ?? given.options.dockerHost };
}

interface EngineOptions {
  readonly options: Pick<StartOptions, 'runtime' | 'dockerHost' | 'dataDir'>;
  readonly logs: string;
  readonly progress: Progress;
  readonly owned: Owned;
  readonly leaveTasks?: boolean;
}

/** Null for a runtime without an engine. */
async function startEngine(given: EngineOptions, packages: DebianPackages): Promise<RunningDocker | null> {
  const { options, progress, owned } = given;
  const docker = options.runtime === 'docker' ? await dockerStep(given, packages) : null;
  if (docker) owned.add('Docker', () => docker.stop());
  if (options.runtime === 'process') {
    progress.warn('RUNTIME=process: tasks run as plain processes of this user, with NO ISOLATION whatever.');
    progress.warn(
      'They can read and change all that you can. Only for trying CloudAI out with your own tasks.',
    );
  }
  if (options.runtime === 'scripted') progress.warn('RUNTIME=scripted: tasks are only acted out.');
  return docker;
}

async function imageStep(
  { progress }: EngineOptions,
  { docker }: RunningDocker,
  packages: DebianPackages,
): Promise<string | null> {
  const { image } = await progress.step(
    'Image',
    (note) => ensureLocalImage(docker, packages, note),
    ({ how }) => how,
  );
  return image;
}

function dockerStep(
  { options, logs, progress, leaveTasks = false }: EngineOptions,
  packages: DebianPackages,
): Promise<RunningDocker> {
  const { dockerHost: host, dataDir } = options;
  const logFile = join(logs, 'dockerd.log');
  return progress.step(
    'Docker',
    (note) => ensureDocker({ host, dataDir, logFile, packages, leaveTasks }, note),
    ({ how }) => how,
  );
}

async function openRedis(
  { options, logs, redisPassword, progress }: LocalServersOptions,
  packages: DebianPackages,
  docker: RunningDocker | null,
  note: Note,
): Promise<RunningRedis> {
  if (options.redisUrl !== null) return useGivenRedis(options.redisUrl);
  const dir = join(options.dataDir, 'redis');
  const local = await startPrivateRedis(
    {
      dir,
      password: redisPassword,
      logFile: join(logs, 'redis.log'),
      packages,
      onDeath: (how, restartInMs) =>
        progress.warn(`Redis ended (${how}); it starts again in ${restartInMs / 1_000} s`),
    },
    note,
  );
  if (local) return local;
  // A container's port and folder are this machine's only when its Docker is, too.
  if (docker?.host.startsWith('unix://')) {
    return startContainerRedis({ docker: docker.docker, dir, password: redisPassword }, note);
  }
  throw new AppError(
    'bad_config',
    'there is no redis-server on this machine, and it cannot be installed from here (that takes root on Debian or Ubuntu).\n' +
      '  Install it ("sudo apt-get install redis-server", "brew install redis"), or name one: REDIS_URL=redis://… npm start',
  );
}

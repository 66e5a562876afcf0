// What `npm start` runs CloudAI on: Docker, Redis and an image, each found or started here.

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
  const docker = options.runtime === 'docker' ? await dockerStep(given, packages) : null;
  if (docker) owned.add('Docker', () => docker.stop());
  if (options.runtime === 'process') {
    progress.warn('RUNTIME=process: tasks run as plain processes of this user, with NO ISOLATION whatever.');
    progress.warn(
      'They can read and change all that you can. Only for trying CloudAI out with your own tasks.',
    );
  }
  if (options.runtime === 'scripted') progress.warn('RUNTIME=scripted: tasks are only acted out.');

  heed();
  const redis = await progress.step(
    'Redis',
    (note) => openRedis(given, packages, docker, note),
    ({ how }) => how,
  );
  owned.add('Redis', () => redis.stop());

  heed();
  if (!docker) return { redisUrl: redis.url, dockerHost: options.dockerHost, image: 'busybox:latest' };
  const { image } = await progress.step(
    'Image',
    (note) => ensureLocalImage(docker.docker, packages, note),
    ({ how }) => how,
  );
  return { redisUrl: redis.url, dockerHost: docker.host, image };
}

function dockerStep(
  { options, logs, progress }: LocalServersOptions,
  packages: DebianPackages,
): Promise<RunningDocker> {
  const { dockerHost, dataDir } = options;
  return progress.step(
    'Docker',
    (note) => ensureDocker({ host: dockerHost, dataDir, logFile: join(logs, 'dockerd.log'), packages }, note),
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

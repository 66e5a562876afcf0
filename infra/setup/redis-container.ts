// A private Redis as a container, for machines that have Docker but no redis-server.

import { join } from 'node:path';
import type Docker from 'dockerode';
import { AppError } from '../../shared/errors.ts';
import { makePrivateFolder, writePrivateFile } from '../../shared/platform/private-file.ts';
import { until } from './commands.ts';
import type { Note } from './progress.ts';
import { pullImage } from './pull.ts';
import { askRedis, type RunningRedis, redisConf } from './redis-server.ts';

const IMAGE = 'redis:7-alpine';
const LABEL = 'cloudai.setup';
const START_DEADLINE_MS = 60_000;

export interface ContainerRedisOptions {
  readonly docker: Docker;
  /** Absolute path of the folder for its data. */
  readonly dir: string;
  readonly password: string;
}

/** @throws {AppError} when the image cannot be had or the container does not answer. */
export async function startContainerRedis(
  { docker, dir, password }: ContainerRedisOptions,
  note: Note,
): Promise<RunningRedis> {
  await pullImage(docker, IMAGE, note);
  await makePrivateFolder(dir);
  await writePrivateFile(
    join(dir, 'redis.conf'),
    redisConf({ dir: '/data', password, port: 6379, bind: '0.0.0.0' }),
  );
  const label = `${LABEL}=redis:${dir}`;
  // One that a killed run left behind: two servers must not write the same files.
  for (const { Id } of await docker.listContainers({ all: true, filters: { label: [label] } })) {
    await docker.getContainer(Id).remove({ force: true });
  }
  note(`starting a container of ${IMAGE}`);
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: ['redis-server', '/data/redis.conf'],
    // As us, so that the files in our folder are ours.
    User: `${uid}:${gid}`,
    Labels: { [LABEL]: `redis:${dir}` },
    ExposedPorts: { '6379/tcp': {} },
    HostConfig: {
      Binds: [`${dir}:/data`],
      PortBindings: { '6379/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    },
  });
  const stop = async () => {
    await container.stop({ t: 20 }).catch(() => undefined);
    await container.remove({ force: true });
  };
  try {
    await container.start();
    const port = (await container.inspect()).NetworkSettings.Ports['6379/tcp']?.[0]?.HostPort;
    const url = `redis://:${password}@127.0.0.1:${port}`;
    let version = '';
    const up = await until(async () => {
      const answer = await askRedis(url);
      if (answer.ok) version = answer.version;
      return answer.ok;
    }, START_DEADLINE_MS);
    if (!up) {
      const output = await container.logs({ stdout: true, stderr: true, tail: 5 });
      throw new AppError('internal', `the container of ${IMAGE} does not answer on port ${port}:\n${output}`);
    }
    return { url, how: `${version} (container ${container.id.slice(0, 12)}, port ${port})`, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

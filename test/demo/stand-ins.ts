// Images for infra/compose.yaml where no registry can be reached, made of this machine's own programs: Redis, HAProxy,
// a Prometheus where one is, a store that speaks MongoDB's protocol, and CloudAI's own image. What compose says of each
// (its files, its commands, its tests of health) holds for them as for the others.

import { homedir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { findProgram } from '../../infra/setup/commands.ts';
import { DebianPackages } from '../../infra/setup/debian-packages.ts';
import { ensureFerretdb } from '../../infra/setup/ferretdb.ts';
import { buildImage, makeBase, makeBuilt } from '../support/image-build.ts';
import { makeScratchImage, program } from '../support/scratch-image.ts';

export interface StandIns {
  /** Settings of infra/compose.yaml. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether CloudAI's image lacks its packages, so that they must be mounted. */
  readonly withoutPackages: boolean;
  readonly hasPrometheus: boolean;
  remove(): Promise<void>;
}

/** Goes on by itself until it is told to stop: it ends when its input ends, which a pipe of its own never does. */
const SERVE = `#!/bin/sh
set -e
rm -f /tmp/hold && mkfifo /tmp/hold
exec ferretdb -data /data/db -listen 0.0.0.0:27017 <>/tmp/hold
`;
/** No shell of MongoDB: it says whether the server lets itself be called, which is all that is asked of it. */
const PING = '#!/bin/sh\nexec nc -w 3 127.0.0.1 27017 </dev/null >/dev/null\n';

/** @throws when a program is missing here */
export async function makeStandIns(docker: Docker, name: string): Promise<StandIns> {
  const made: string[] = [];
  const image = (tag: string) => {
    made.push(`${name}:${tag}`);
    return `${name}:${tag}`;
  };
  const remove = async () => {
    for (const one of made.reverse()) {
      await docker
        .getImage(one)
        .remove({ force: true })
        .catch(() => undefined);
    }
  };
  try {
    const given = process.env.CLOUDAI_IMAGE;
    const prometheus = findProgram('prometheus');
    const env = {
      CLOUDAI_IMAGE: given ?? (await makeOwn(docker, image)),
      REDIS_IMAGE: await makeRedis(docker, image('redis')),
      PROXY_IMAGE: await makeProxy(docker, image('proxy')),
      MONGO_IMAGE: await makeMongo(docker, image('mongo')),
      ...(prometheus && { PROMETHEUS_IMAGE: await makePrometheus(docker, image('prometheus'), prometheus) }),
    };
    return { env, withoutPackages: given === undefined, hasPrometheus: prometheus !== null, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function makeOwn(docker: Docker, image: (tag: string) => string): Promise<string> {
  const images = { base: image('base'), built: image('built') };
  await Promise.all([makeBase(docker, images.base), makeBuilt(docker, images.built)]);
  const own = image('own');
  await buildImage(docker, images, own);
  return own;
}

async function makeRedis(docker: Docker, name: string): Promise<string> {
  await makeScratchImage(docker, name, {
    programs: {
      'usr/local/bin/redis-server': program('redis-server'),
      'usr/local/bin/redis-cli': program('redis-cli'),
    },
    folders: ['data'],
    tools: ['grep', 'printf'],
  });
  return name;
}

async function makeProxy(docker: Docker, name: string): Promise<string> {
  const config = '/usr/local/etc/haproxy/haproxy.cfg';
  await makeScratchImage(docker, name, {
    programs: { 'usr/sbin/haproxy': program('haproxy') },
    folders: ['usr/local/etc/haproxy'],
    changes: [`ENTRYPOINT ["haproxy", "-W", "-db", "-f", "${config}"]`, 'USER 99:99', 'STOPSIGNAL SIGUSR1'],
  });
  return name;
}

async function makeMongo(docker: Docker, name: string): Promise<string> {
  const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cloudai');
  const packages = new DebianPackages({ logFile: '/dev/null', isRoot: false });
  const options = { cacheDir, packages, logFile: '/dev/null' };
  const ferretdb = await ensureFerretdb(options, () => undefined);
  await makeScratchImage(docker, name, {
    programs: { 'usr/local/bin/ferretdb': ferretdb },
    files: { 'usr/local/bin/serve': SERVE, 'usr/local/bin/mongosh': PING },
    folders: ['data/db'],
    tools: ['nc', 'mkfifo'],
    changes: ['ENTRYPOINT ["serve"]'],
  });
  return name;
}

async function makePrometheus(docker: Docker, name: string, file: string): Promise<string> {
  await makeScratchImage(docker, name, {
    programs: { 'usr/local/bin/prometheus': file },
    folders: ['prometheus', 'etc/prometheus'],
    changes: ['ENTRYPOINT ["prometheus"]'],
  });
  return name;
}

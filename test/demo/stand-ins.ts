// Images for infra/compose.yaml where no registry can be reached, under the very names it uses, made of this machine's own
// programs: Redis, HAProxy, a Prometheus where one is, a store that speaks MongoDB's protocol, and CloudAI's own image.
// What compose says of each (its files, commands and tests of health) holds for them as for the others. For an engine that
// nobody else uses.

import { homedir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { parse } from 'yaml';
import { findProgram } from '../../infra/setup/commands.ts';
import { DebianPackages } from '../../infra/setup/debian-packages.ts';
import { ensureFerretdb } from '../../infra/setup/ferretdb.ts';
import { buildImage, makeBase, makeBuilt } from '../support/image-build.ts';
import { makeScratchImage, program } from '../support/scratch-image.ts';
import { filled, read, type Yaml } from '../support/shipping.ts';

export interface StandIns {
  /** What was made, for people. */
  readonly names: readonly string[];
  /** Whether CloudAI's image lacks its packages, so that they must be mounted. */
  readonly withoutPackages: boolean;
  readonly hasPrometheus: boolean;
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
export async function makeStandIns(docker: Docker): Promise<StandIns> {
  const { services }: Yaml = parse(read('infra/compose.yaml'), { merge: true });
  const nameOf = (service: string) => filled(services[service].image);
  const given = process.env.CLOUDAI_IMAGE;
  const prometheus = findProgram('prometheus');
  const own = nameOf('api-1');
  if (given === undefined) await makeOwn(docker, own);
  else await takeOver(docker, given, own);
  await makeRedis(docker, nameOf('redis'));
  await makeProxy(docker, nameOf('proxy'));
  await makeMongo(docker, nameOf('mongo'));
  if (prometheus) await makePrometheus(docker, nameOf('prometheus'), prometheus);
  const names = [own, ...['redis', 'proxy', 'mongo', ...(prometheus ? ['prometheus'] : [])].map(nameOf)];
  return { names, withoutPackages: given === undefined, hasPrometheus: prometheus !== null };
}

async function makeOwn(docker: Docker, name: string): Promise<void> {
  const images = { base: 'cloudai-base:local', built: 'cloudai-built:local' };
  await Promise.all([makeBase(docker, images.base), makeBuilt(docker, images.built)]);
  await buildImage(docker, images, name);
}

/** An image of the machine's own engine. */
async function takeOver(docker: Docker, image: string, name: string): Promise<void> {
  const loading = await docker.loadImage(await new Docker().getImage(image).get());
  await new Promise<void>((loaded, failed) => {
    docker.modem.followProgress(loading, (error) => (error ? failed(error) : loaded()));
  });
  const [repo = '', tag] = name.split(':');
  await docker.getImage(image).tag({ repo, ...(tag === undefined ? {} : { tag }) });
}

function makeRedis(docker: Docker, name: string): Promise<void> {
  return makeScratchImage(docker, name, {
    programs: {
      'usr/local/bin/redis-server': program('redis-server'),
      'usr/local/bin/redis-cli': program('redis-cli'),
    },
    folders: ['data'],
    tools: ['grep', 'printf'],
  });
}

function makeProxy(docker: Docker, name: string): Promise<void> {
  const config = '/usr/local/etc/haproxy/haproxy.cfg';
  return makeScratchImage(docker, name, {
    programs: { 'usr/sbin/haproxy': program('haproxy') },
    folders: ['usr/local/etc/haproxy'],
    changes: [`ENTRYPOINT ["haproxy", "-W", "-db", "-f", "${config}"]`, 'USER 99:99'],
  });
}

async function makeMongo(docker: Docker, name: string): Promise<void> {
  const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cloudai');
  const packages = new DebianPackages({ logFile: '/dev/null', isRoot: false });
  const ferretdb = await ensureFerretdb({ cacheDir, packages, logFile: '/dev/null' }, () => undefined);
  await makeScratchImage(docker, name, {
    programs: { 'usr/local/bin/ferretdb': ferretdb },
    files: { 'usr/local/bin/serve': SERVE, 'usr/local/bin/mongosh': PING },
    folders: ['data/db'],
    tools: ['nc', 'mkfifo'],
    changes: ['ENTRYPOINT ["serve"]'],
  });
}

function makePrometheus(docker: Docker, name: string, file: string): Promise<void> {
  return makeScratchImage(docker, name, {
    programs: { 'usr/local/bin/prometheus': file },
    folders: ['prometheus', 'etc/prometheus'],
    changes: ['ENTRYPOINT ["prometheus"]'],
  });
}

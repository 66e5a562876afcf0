// The cluster of infra/compose.yaml on a host with an engine of its own: brought up, asked, broken and taken down by the
// commands that people type.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { findProgram } from '../../infra/setup/commands.ts';
import type { Host } from '../support/hosts/host.ts';
import { PACKAGES } from '../support/image-build.ts';
import { makeSecrets, root } from '../support/shipping.ts';
import type { StandIns } from './stand-ins.ts';

const run = promisify(execFile);
const DEADLINE_MS = 5 * 60_000;
const MOST_OUTPUT = 50_000_000;
const PROJECT = 'cloudai';
/** First three numbers of its addresses. */
export const NET = '10.213.17';

export class Composed {
  readonly url: string;
  readonly prometheusUrl: string;
  readonly #host: Host;
  readonly #words: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  private constructor(host: Host, words: readonly string[], env: Readonly<Record<string, string>>) {
    this.url = `http://${host.address}:8080`;
    this.prometheusUrl = `http://${host.address}:9090`;
    this.#host = host;
    this.#words = words;
    this.#env = env;
  }

  /** Prepares it; nothing runs yet. @throws when this machine has no Compose */
  static async prepared(host: Host, images: StandIns): Promise<Composed> {
    const compose = await findCompose();
    const secrets = join(host.folder, 'secrets');
    makeSecrets(secrets);
    // The stand-in of the store knows no passwords.
    await writeFile(join(secrets, 'store-url'), 'mongodb://mongo:27017/cloudai\n');
    const override = join(host.folder, 'override.yaml');
    // A machine with much else to do starts a runner in more than the usual lease.
    const own = {
      environment: { WORKER_LEASE_SECONDS: '60' },
      ...(images.withoutPackages && { volumes: [`${PACKAGES}:/app/node_modules:ro`] }),
    };
    const names = ['api-1', 'api-2', 'scheduler-1', 'scheduler-2', 'runner'];
    await writeFile(override, stringify({ services: Object.fromEntries(names.map((name) => [name, own])) }));
    const files = ['-f', join(root, 'infra/compose.yaml'), '-f', override];
    const metrics = images.hasPrometheus ? ['--profile', 'metrics'] : [];
    const { DockerRootDir } = (await host.docker.client.info()) as { DockerRootDir: string };
    return new Composed(host, [...compose, ...files, ...metrics], {
      DOCKER_HOST: host.docker.host,
      DOCKER_SOCKET: host.docker.host.replace('unix://', ''),
      DOCKER_FOLDER: DockerRootDir,
      CLOUDAI_SECRETS: secrets,
      // Asked from beyond the host.
      PROMETHEUS_ADDRESS: '0.0.0.0',
    });
  }

  /** As typed after `docker compose`. What it printed, both streams. */
  async compose(...args: string[]): Promise<string> {
    const [program = '', ...words] = [...this.#words, ...args];
    const { stdout, stderr } = await run(program, words, {
      env: { ...process.env, ...this.#env },
      timeout: DEADLINE_MS,
      maxBuffer: MOST_OUTPUT,
    });
    return stdout + stderr;
  }

  async state(service: string) {
    const label = [`com.docker.compose.project=${PROJECT}`, `com.docker.compose.service=${service}`];
    const docker = this.#host.docker.client;
    const [found] = await docker.listContainers({ all: true, filters: { label } });
    if (!found) throw new Error(`${service} has no container`);
    const { State, RestartCount } = await docker.getContainer(found.Id).inspect();
    return {
      running: State.Running,
      health: State.Health?.Status ?? null,
      pid: State.Pid,
      code: State.ExitCode,
      restarts: RestartCount,
    };
  }

  /** As a crash does: nobody told the engine. */
  async crash(service: string): Promise<void> {
    process.kill((await this.state(service)).pid, 'SIGKILL');
  }

  /** What a process of the cluster reads at an address there. */
  async read(service: string, url: string): Promise<string> {
    const program = `fetch(${JSON.stringify(url)}).then((r) => r.text()).then((t) => process.stdout.write(t))`;
    return this.compose('exec', '-T', service, 'node', '-e', program);
  }

  metricsOf(service: string): Promise<string> {
    if (service === 'runner') return this.read(service, `http://${NET}.1:9102/metrics`);
    return this.read(service, `http://${service}:${service.startsWith('api') ? 8080 : 9101}/metrics`);
  }

  /** What the engine still has that was not there before. */
  async left(): Promise<string[]> {
    const docker = this.#host.docker.client;
    const containers = await docker.listContainers({ all: true });
    const networks = (await docker.listNetworks()).filter(
      ({ Name }) => !['bridge', 'host', 'none'].includes(Name),
    );
    const { Volumes } = await docker.listVolumes();
    return [
      ...containers.map(({ Names }) => `container ${Names.join()}`),
      ...networks.map(({ Name }) => `network ${Name}`),
      ...(Volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ];
  }
}

/** `COMPOSE_PATH`, Docker's plugin, or the program by itself: version 2 or newer. */
async function findCompose(): Promise<string[]> {
  const given = process.env.COMPOSE_PATH;
  if (given) return [given];
  for (const [name = '', ...words] of [['docker', 'compose'], ['docker-compose']]) {
    const program = findProgram(name);
    if (!program) continue;
    const said = await run(program, [...words, 'version', '--short']).catch(() => null);
    if (said && !/^v?1\./.test(said.stdout)) return [program, ...words];
  }
  throw new Error('Docker Compose v2 is missing: install it, or name it with COMPOSE_PATH');
}

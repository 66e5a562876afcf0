// A cluster of infra/compose.yaml with stand-ins for its images: brought up, asked, broken and taken down by the commands
// that people type. Its project, ports, network and secrets are its own.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { stringify } from 'yaml';
import { findProgram } from '../../infra/setup/commands.ts';
import { freePort } from '../support/cluster.ts';
import { PACKAGES } from '../support/image-build.ts';
import { tempDir } from '../support/servers.ts';
import type { StandIns } from './stand-ins.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const DEADLINE_MS = 5 * 60_000;
const OWN = ['api-1', 'api-2', 'scheduler-1', 'scheduler-2', 'runner'];

export class Composed {
  readonly url: string;
  readonly grpcPort: number;
  readonly prometheusUrl: string;
  /** First three numbers of its addresses. */
  readonly net: string;
  readonly #docker: Docker;
  readonly #project: string;
  readonly #words: readonly string[];
  readonly #env: Record<string, string>;
  readonly #removeFolder: () => Promise<void>;

  private constructor(parts: {
    docker: Docker;
    project: string;
    words: string[];
    env: Record<string, string>;
    net: string;
    ports: readonly [number, number, number];
    removeFolder: () => Promise<void>;
  }) {
    const [port, grpc, prometheus] = parts.ports;
    this.url = `http://127.0.0.1:${port}`;
    this.grpcPort = grpc;
    this.prometheusUrl = `http://127.0.0.1:${prometheus}`;
    this.net = parts.net;
    this.#docker = parts.docker;
    this.#project = parts.project;
    this.#words = parts.words;
    this.#env = parts.env;
    this.#removeFolder = parts.removeFolder;
  }

  /** Prepares it; nothing runs yet. @throws when this machine has no Compose */
  static async prepared(docker: Docker, project: string, images: StandIns): Promise<Composed> {
    const compose = await findCompose();
    const { path, remove } = await tempDir();
    await run('sh', [join(root, 'infra/make-secrets.sh'), path]);
    // The stand-in knows no passwords.
    await writeFile(join(path, 'store-url'), 'mongodb://mongo:27017/cloudai\n', { mode: 0o644 });
    const packages = { volumes: [`${PACKAGES}:/app/node_modules:ro`] };
    const services = Object.fromEntries(OWN.map((name) => [name, images.withoutPackages ? packages : {}]));
    const override = join(path, 'override.yaml');
    await writeFile(override, stringify({ services }));
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const net = `10.213.${100 + (process.pid % 100)}`;
    const { DockerRootDir } = (await docker.info()) as { DockerRootDir: string };
    const env = {
      ...images.env,
      CLOUDAI_ADDRESS: '127.0.0.1',
      CLOUDAI_PORT: String(ports[0]),
      CLOUDAI_GRPC_PORT: String(ports[1]),
      PROMETHEUS_PORT: String(ports[2]),
      CLOUDAI_NET: net,
      CLOUDAI_SECRETS: path,
      WORKER_ID: project,
      DOCKER_SOCKET: (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', ''),
      DOCKER_FOLDER: DockerRootDir,
    };
    const words = [...compose, '-p', project, '-f', join(root, 'infra/compose.yaml'), '-f', override];
    if (images.hasPrometheus) words.push('--profile', 'metrics');
    return new Composed({ docker, project, words, env, net, ports, removeFolder: remove });
  }

  /** As typed after `docker compose`. What it printed, both streams. */
  async compose(...args: string[]): Promise<string> {
    const [program = '', ...words] = [...this.#words, ...args];
    const env = { ...process.env, ...this.#env };
    const { stdout, stderr } = await run(program, words, {
      env,
      timeout: DEADLINE_MS,
      maxBuffer: 50_000_000,
    });
    return stdout + stderr;
  }

  async #container(service: string) {
    const label = [`com.docker.compose.project=${this.#project}`, `com.docker.compose.service=${service}`];
    const [found] = await this.#docker.listContainers({ all: true, filters: { label } });
    if (!found) throw new Error(`${service} has no container`);
    return this.#docker.getContainer(found.Id).inspect();
  }

  async state(service: string) {
    const { State, RestartCount, NetworkSettings, HostConfig } = await this.#container(service);
    const [network] = Object.values(NetworkSettings.Networks);
    return {
      running: State.Running,
      health: State.Health?.Status ?? null,
      pid: State.Pid,
      code: State.ExitCode,
      restarts: RestartCount,
      address: HostConfig.NetworkMode === 'host' ? `${this.net}.1` : (network?.IPAddress ?? ''),
    };
  }

  /** As a crash does: nobody told the engine. */
  async crash(service: string): Promise<void> {
    process.kill((await this.state(service)).pid, 'SIGKILL');
  }

  /** What the engine still has of it. */
  async left(): Promise<string[]> {
    const filters = { label: [`com.docker.compose.project=${this.#project}`] };
    const containers = await this.#docker.listContainers({ all: true, filters });
    const networks = await this.#docker.listNetworks({ filters });
    const { Volumes } = await this.#docker.listVolumes({ filters });
    const workers = { label: [`cloudai.worker=${this.#project}`] };
    const tasks = await this.#docker.listContainers({ all: true, filters: workers });
    return [
      ...[...containers, ...tasks].map(({ Names }) => `container ${Names.join()}`),
      ...networks.map(({ Name }) => `network ${Name}`),
      ...(Volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ];
  }

  async remove(): Promise<void> {
    await this.compose('down', '--volumes', '--timeout', '20');
    await this.#removeFolder();
  }
}

/** `COMPOSE_PATH`, Docker's plugin, or the program by itself: version 2 or newer. */
async function findCompose(): Promise<string[]> {
  const given = process.env.COMPOSE_PATH;
  const choices = given ? [[given]] : [['docker', 'compose'], ['docker-compose']];
  for (const words of choices) {
    const [name = '', ...rest] = words;
    const program = given ?? findProgram(name);
    if (!program) continue;
    const said = await run(program, [...rest, 'version', '--short']).catch(() => null);
    if (said && !/^v?1\./.test(said.stdout)) return [program, ...rest];
  }
  throw new Error('Docker Compose v2 is missing: install it, or name it with COMPOSE_PATH');
}

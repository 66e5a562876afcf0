// The system under test: copies of the API and the scheduler, hosts with a Docker engine and a runner each, and the
// servers they need, all of this run's own. Says whether all is well; what breaks is in inject.ts.

import { cp, mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastLinesOf } from '../../infra/setup/commands.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TelemetryReply, WorkerListReply } from '../../shared/contracts/workers.ts';
import { messageOf } from '../../shared/errors.ts';
import { freePort, Part, type Room } from '../support/cluster.ts';
import type { Host } from '../support/hosts/host.ts';
import { HostNetwork } from '../support/hosts/network.ts';
import { KEPT, OwnRedis } from '../support/own-redis.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';
import { Door } from './door.ts';
import { type OwnStore, openMongo, openSqlite } from './own-store.ts';
import { makeSharedVolume } from './shared-volume.ts';
import { Supervised } from './supervised.ts';

export const WORKER_LEASE_MS = 6_000;
export const REDIS_PREFIX = 'chaos';
export const SLOTS = 2;
/** What each worker gives to tasks. */
export const CAPACITY = { cpu: 3, memory: 512 } as const;

const UP_DEADLINE_MS = 60_000;

export const STORE_KINDS = ['sqlite', 'mongodb'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

export interface StageOptions {
  readonly hosts: number;
  readonly apis: number;
  readonly schedulers: number;
  readonly store: StoreKind;
}

export interface StageHost {
  readonly workerId: string;
  readonly host: Host;
  readonly runner: Supervised;
}

export class Stage {
  readonly network: HostNetwork;
  readonly redis: OwnRedis;
  readonly store: OwnStore;
  readonly sharedDir: string;
  readonly apiUrls: readonly string[];
  readonly apis: readonly Supervised[];
  readonly schedulers: readonly Supervised[];
  readonly hosts: readonly StageHost[];
  /** As an admin. */
  readonly door: Door;
  #probes = 0;

  private constructor(
    parts: Pick<
      Stage,
      'network' | 'redis' | 'store' | 'sharedDir' | 'apiUrls' | 'apis' | 'schedulers' | 'hosts'
    >,
  ) {
    ({
      network: this.network,
      redis: this.redis,
      store: this.store,
      sharedDir: this.sharedDir,
      apiUrls: this.apiUrls,
      apis: this.apis,
      schedulers: this.schedulers,
      hosts: this.hosts,
    } = parts);
    this.door = new Door(parts.apiUrls);
  }

  static async open(options: StageOptions) {
    const { hosts: hostCount, apis: apiCount, schedulers: schedulerCount } = options;
    const network = await HostNetwork.open();
    const processes: Supervised[] = [];
    const supervise = (name: string, room: Room, env: Record<string, string>, host: Host | null = null) => {
      const part = new Part(room, env, join(network.folder, `${name}.log`), [], host);
      const supervised = new Supervised(name, part);
      processes.push(supervised);
      return supervised;
    };
    try {
      const folder = network.folder;
      const dataDir = join(folder, 'data');
      await mkdir(dataDir, { recursive: true });
      const volume = await makeSharedVolume(folder);
      const redis = await OwnRedis.started(KEPT, network.address);
      const store =
        options.store === 'mongodb'
          ? await openMongo(network.address)
          : openSqlite(join(dataDir, 'cloudai.db'));
      const common = {
        REDIS_URL: redis.url,
        REDIS_PREFIX,
        STORE_URL: store.url,
        FILES_URL: options.store === 'mongodb' ? 'mongodb' : `file:${dataDir}/files`,
        DATA_DIR: dataDir,
        LOG_LEVEL: 'info',
        WORKER_LEASE_SECONDS: String(WORKER_LEASE_MS / 1_000),
        LEADER_LEASE_SECONDS: '3',
      };
      const ports = await Promise.all(Array.from({ length: apiCount }, () => freePort()));
      const apis = ports.map((port, n) => {
        const secret = 'chaos-secret-'.repeat(4);
        const env = {
          ...common,
          HOST: '127.0.0.1',
          PORT: String(port),
          GRPC_PORT: 'off',
          JWT_SECRET: secret,
          // Workers break more often here than where the limit is made for; `shared/model/retry.test.ts` shows that it holds.
          MAX_PLATFORM_RETRIES: '100',
        };
        return supervise(`api-${n}`, 'api', env);
      });
      const schedulers = Array.from({ length: schedulerCount }, (_, n) =>
        supervise(`scheduler-${n}`, 'scheduler', common),
      );
      const hosts: StageHost[] = [];
      for (let n = 0; n < hostCount; n += 1) {
        const host = await network.add({ docker: true, engineArguments: volume.engineArguments });
        const workerId = workerIdOf(n);
        const runner = supervise(workerId, 'runner', { ...common, ...runnerEnv(workerId, host) }, host);
        hosts.push({ workerId, host, runner });
      }
      const apiUrls = ports.map((port) => `http://127.0.0.1:${port}`);
      const sharedDir = volume.dir;
      const stage = new Stage({ network, redis, store, sharedDir, apiUrls, apis, schedulers, hosts });
      await stage.#begin();
      return stage;
    } catch (error) {
      await Promise.allSettled(processes.map((process) => process.end('SIGKILL')));
      const said = await lastLinesOf(join(network.folder, 'api-0.log'), 5).catch(() => '');
      await network.remove().catch(() => undefined);
      throw new Error(`the stage does not come up: ${messageOf(error)}\n${said}`);
    }
  }

  get processes(): readonly Supervised[] {
    return [...this.apis, ...this.schedulers, ...this.hosts.map(({ runner }) => runner)];
  }

  get logFolder(): string {
    return this.network.folder;
  }

  /** After `stop`. Copies logs, records and what tasks wrote to where `remove` leaves them alone; returns where that is. */
  async keepEvidence(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'cloudai-evidence-'));
    const names = await readdir(this.logFolder);
    const kept = names.filter((name) => name.endsWith('.log') || name === 'data' || name === 'shared');
    for (const name of kept) {
      await cp(join(this.logFolder, name), join(folder, name), { recursive: true });
    }
    for (const { workerId, host } of this.hosts) {
      await cp(host.docker.logFile, join(folder, `${workerId}-docker.log`)).catch(() => undefined);
    }
    return folder;
  }

  /** What is not well, in words; null: all is. */
  async whatIsWrong(): Promise<string | null> {
    try {
      for (const url of this.apiUrls) {
        const { status, body } = await this.door.once(url, 'GET', '/readyz');
        if (status !== 200) return `${url}: ${JSON.stringify(body)}`;
      }
      const { body } = await this.door.once<WorkerListReply>(this.apiUrls[0] as string, 'GET', '/workers');
      for (const { workerId } of this.hosts) {
        const worker = body.workers.find((one) => one.worker_id === workerId);
        if (worker?.state !== 'ready' || worker.heartbeat_age_seconds === null) {
          return `${workerId} is ${worker?.state ?? 'not there'}`;
        }
      }
      return null;
    } catch (error) {
      return String((error as Error).cause ?? error);
    }
  }

  /**
   * Resolves when all parts are well and a task that was sent after that has run to its end, on every worker.
   * @throws Error with what is wrong after the deadline
   */
  async untilWell(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    let wrong: string | null = null;
    const isWell = async () => {
      wrong = await this.whatIsWrong();
      return wrong === null;
    };
    await waitFor(isWell, { what: 'all to be well', deadlineMs, everyMs: 100 }).catch(() => {
      throw new Error(`not well after ${deadlineMs} ms: ${wrong}`);
    });
    const probes = await Promise.all(this.hosts.map(({ workerId }) => this.#sendProbe(workerId)));
    let last = '';
    await waitFor(
      async () => {
        const tasks = await Promise.all(
          probes.map((id) => this.door.call<TaskBody>('GET', `/api/tasks/${id}`).then(({ body }) => body)),
        );
        last = tasks.map(({ task_id, status, message }) => `${task_id} is ${status} (${message})`).join(', ');
        return tasks.every(({ status }) => status === 'completed');
      },
      { what: 'the probes', deadlineMs: Math.max(1_000, end - performance.now()), everyMs: 100 },
    ).catch(() => {
      throw new Error(`not well after ${deadlineMs} ms: ${last}`);
    });
  }

  async telemetry(): Promise<TelemetryReply> {
    return (await this.door.call<TelemetryReply>('GET', '/telemetry')).body;
  }

  /** Ends everything; logs stay until `remove`. */
  async stop(): Promise<void> {
    for (const process of this.processes) process.thaw();
    await Promise.allSettled(this.processes.map((process) => process.end('SIGTERM')));
    await this.store.stop();
    await this.redis.remove();
  }

  async remove(): Promise<void> {
    await this.network.remove();
  }

  async #begin(): Promise<void> {
    for (const process of this.processes) process.start();
    const credentials = { username: 'chaos', password: 'chaos-password' };
    await this.door.call('POST', '/api/auth/register', credentials, { deadlineMs: UP_DEADLINE_MS });
    const { body } = await this.door.call<{ token: string }>('POST', '/api/auth/login', credentials);
    this.door.token = body.token;
    await this.untilWell(UP_DEADLINE_MS);
  }

  /** So small that it fits beside all others, and first in every line. */
  async #sendProbe(workerId: string): Promise<string> {
    this.#probes += 1;
    const name = `probe-${this.#probes}`;
    const { body } = await this.door.call<TaskBody>(
      'POST',
      '/api/tasks',
      {
        docker_image: TEST_IMAGE,
        command: 'true',
        name,
        worker: workerId,
        cpu_required: 0.01,
        memory_required: 6,
        priority: 9,
      },
      { headers: { 'idempotency-key': name } },
    );
    return body.task_id;
  }
}

export function workerIdOf(host: number): string {
  return `host-${host + 1}`;
}

function runnerEnv(workerId: string, host: Host): Record<string, string> {
  return {
    WORKER_ID: workerId,
    WORKER_ADDRESS: host.address,
    DOCKER_HOST: host.docker.host,
    DATA_DIR: join(host.folder, 'runner'),
    // Room for probes beside what tasks may fill.
    WORKER_CPUS: String(CAPACITY.cpu),
    WORKER_MEMORY_MB: String(CAPACITY.memory),
    NETWORK_SLOTS: String(SLOTS),
    STOP_GRACE_SECONDS: '2',
  };
}

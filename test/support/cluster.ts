// A whole CloudAI of real processes for end-to-end tests: API, scheduler and runners from `dist`, on a store,
// a Redis prefix and ports of its own. `npm test` builds `dist` first.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { hasEnded } from '../../infra/setup/commands.ts';
import type { ErrorBody, TaskBody } from '../../shared/contracts/http.ts';
import type { TelemetryReply, WorkerListReply } from '../../shared/contracts/workers.ts';
import { messageOf } from '../../shared/errors.ts';
import { withDeadline } from '../../shared/platform/deadline.ts';
import type { Host } from './hosts/host.ts';
import { redisUrl, tempDir, uniqueName } from './servers.ts';
import { waitFor } from './wait-for.ts';

const dist = resolve(import.meta.dirname, '../../dist');

/** Processes that start side by side on a busy machine need their time. */
const READY_DEADLINE_MS = 60_000;
const CALL_DEADLINE_MS = 30_000;

export type Room = 'api' | 'scheduler' | 'runner';

export interface RunnerOptions {
  readonly id: string;
  readonly env?: Record<string, string>;
  /** Where it runs, on the engine of that host; default: here. */
  readonly host?: Host;
}

export interface ClusterOptions {
  /** Default: SQLite in the cluster's own folder. */
  readonly storeUrl?: string;
  /** Default: the Redis of all tests. Processes on hosts need one that listens on the address of their network. */
  readonly redisUrl?: string;
  readonly apiHost?: Host;
  readonly schedulerHost?: Host;
  readonly runners?: readonly RunnerOptions[];
  readonly env?: Record<string, string>;
}

export interface Reply<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export class Part {
  readonly room: Room;
  readonly #env: Record<string, string>;
  readonly #logFile: string;
  readonly #args: readonly string[];
  readonly #host: Host | null;
  #child: ChildProcess | null = null;
  /** Called when it ended although nobody ended it. */
  onOwnEnd: (how: string) => void = () => undefined;
  /** Called when it did not end when it was told to, and is killed. */
  onForcedEnd: () => void = () => undefined;

  constructor(
    room: Room,
    env: Record<string, string>,
    logFile: string,
    args: readonly string[] = [],
    host: Host | null = null,
  ) {
    this.room = room;
    this.#env = env;
    this.#logFile = logFile;
    this.#args = args;
    this.#host = host;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== null && !hasEnded(this.#child);
  }

  start(): void {
    const args = [`${dist}/${this.room}/main.js`, ...this.#args];
    const options: SpawnOptions = {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...this.#env },
      // By the channel it notices that this process is gone, also when that was killed, and ends.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    };
    const child =
      this.#host?.spawn(process.execPath, args, options) ?? spawn(process.execPath, args, options);
    const keep = (chunk: Buffer) => void appendFile(this.#logFile, chunk).catch(() => undefined);
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.onOwnEnd(signal ?? `exit code ${code}`);
    });
    this.#child = child;
  }

  /** SIGSTOP: it does nothing, and nobody is told. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (!child) return null;
    this.#child = null;
    if (hasEnded(child)) return child.exitCode;
    const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
    child.kill(signal);
    const timer = setTimeout(() => {
      this.onForcedEnd();
      child.kill('SIGKILL');
    }, 20_000);
    const code = await ended;
    clearTimeout(timer);
    return code;
  }
}

export class Cluster {
  readonly url: string;
  readonly dataDir: string;
  readonly api: Part;
  readonly scheduler: Part;
  readonly runners: readonly Part[];
  token = '';
  readonly #makeApi: (port: number, env: Record<string, string>) => Part;
  readonly #cleanUp: () => Promise<void>;

  constructor(parts: {
    url: string;
    dataDir: string;
    api: Part;
    scheduler: Part;
    runners: Part[];
    makeApi: (port: number, env: Record<string, string>) => Part;
    cleanUp: () => Promise<void>;
  }) {
    this.url = parts.url;
    this.dataDir = parts.dataDir;
    this.api = parts.api;
    this.scheduler = parts.scheduler;
    this.runners = parts.runners;
    this.#makeApi = parts.makeApi;
    this.#cleanUp = parts.cleanUp;
  }

  /** One more copy of the API, ready; to be ended by whoever asked for it. */
  async addApi(env: Record<string, string> = {}): Promise<{ part: Part; url: string }> {
    const port = await freePort();
    const part = this.#makeApi(port, env);
    const url = `http://${new URL(this.url).hostname}:${port}`;
    part.start();
    await waitFor(async () => (await fetch(`${url}/readyz`)).status === 200, {
      what: `${url}/readyz`,
      deadlineMs: READY_DEADLINE_MS,
    });
    return { part, url };
  }

  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply<T>> {
    return ask<T>(this.url, { token: this.token, deadlineMs: CALL_DEADLINE_MS }, method, path, body, headers);
  }

  /** Registers and logs in; the first of a cluster is its admin. */
  async signIn(username: string): Promise<void> {
    const credentials = { username, password: 'secure123' };
    await this.call('POST', '/api/auth/register', credentials);
    const { body } = await this.call<{ token: string }>('POST', '/api/auth/login', credentials);
    this.token = body.token;
  }

  async submit(body: Record<string, unknown>): Promise<TaskBody> {
    const reply = await this.call<TaskBody & ErrorBody>('POST', '/api/tasks', body);
    if (reply.status !== 201) throw new Error(`submission refused: ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  async task(id: string): Promise<TaskBody> {
    return (await this.call<TaskBody>('GET', `/api/tasks/${id}`)).body;
  }

  async logs(id: string): Promise<string> {
    return (await this.call<string>('GET', `/api/tasks/${id}/logs`)).body;
  }

  async ended(id: string, deadlineMs = 60_000): Promise<TaskBody> {
    return this.until(id, ['completed', 'failed', 'cancelled'], deadlineMs);
  }

  async until(id: string, states: readonly string[], deadlineMs = 60_000): Promise<TaskBody> {
    const what = `${id} to be ${states.join(' or ')}`;
    let seen: TaskBody | null = null;
    const look = async () => {
      seen = await this.task(id);
      return states.includes(seen.status) ? seen : null;
    };
    try {
      return await waitFor(look, { what, deadlineMs, everyMs: 50 });
    } catch (cause) {
      // What holds it up is known to the cluster alone, and that is gone when somebody reads this.
      const [explanation, workers] = await Promise.all([
        this.call('GET', `/api/tasks/${id}/explain`),
        this.call('GET', '/workers'),
      ]);
      const told = [seen, explanation.body, workers.body].map((body) => JSON.stringify(body));
      throw new Error(`${messageOf(cause)}\n${told.join('\n')}`, { cause });
    }
  }

  async ready(): Promise<void> {
    await waitFor(async () => (await fetch(`${this.url}/readyz`)).status === 200, {
      what: `${this.url}/readyz`,
      deadlineMs: READY_DEADLINE_MS,
    });
    await waitFor(
      async () => {
        const { body } = await this.call<WorkerListReply>('GET', '/workers');
        return body.workers.filter(({ state }) => state === 'ready').length === this.runners.length;
      },
      { what: `${this.runners.length} ready workers`, deadlineMs: READY_DEADLINE_MS },
    );
  }

  async telemetry(): Promise<TelemetryReply> {
    return (await this.call<TelemetryReply>('GET', '/telemetry')).body;
  }

  async stop(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.end('SIGTERM')));
    await Promise.all([this.api.end('SIGTERM'), this.scheduler.end('SIGTERM')]);
    await this.#cleanUp();
  }
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  if (!existsSync(`${dist}/api/main.js`)) throw new Error('dist is not built: run "npm run build" first');
  const { path: dataDir, remove } = await tempDir();
  const port = await freePort();
  const common = {
    DATA_DIR: dataDir,
    REDIS_URL: options.redisUrl ?? redisUrl,
    REDIS_PREFIX: uniqueName('e2e'),
    LOG_LEVEL: 'info',
    GRPC_PORT: 'off',
    // Enough for a test: each is a container to start and to remove.
    NETWORK_SLOTS: '2',
    ...(options.storeUrl ? { STORE_URL: options.storeUrl } : {}),
    ...(process.env.DOCKER_HOST ? { DOCKER_HOST: process.env.DOCKER_HOST } : {}),
    ...options.env,
  };
  const { apiHost, schedulerHost } = options;
  const address = apiHost?.address ?? '127.0.0.1';
  const apiEnv = { ...common, HOST: address, PORT: String(port), JWT_SECRET: 'e2e-secret-'.repeat(4) };
  const runners = (options.runners ?? [{ id: uniqueName('w-') }]).map(
    ({ id, env, host }) =>
      new Part(
        'runner',
        { ...common, ...envOn(host), WORKER_ID: id, ...env },
        `${dataDir}/${id}.log`,
        [],
        host,
      ),
  );
  const cluster = new Cluster({
    url: `http://${address}:${port}`,
    dataDir,
    api: new Part('api', apiEnv, `${dataDir}/api.log`, [], apiHost),
    makeApi: (other, env) =>
      new Part('api', { ...apiEnv, ...env, PORT: String(other) }, `${dataDir}/api-${other}.log`, [], apiHost),
    scheduler: new Part('scheduler', common, `${dataDir}/scheduler.log`, [], schedulerHost),
    runners,
    cleanUp: process.env.KEEP_TEST_DATA ? async () => console.log(`kept ${dataDir}`) : remove,
  });
  for (const part of [cluster.api, cluster.scheduler, ...runners]) part.start();
  try {
    await cluster.ready();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

function envOn(host: Host | undefined): Record<string, string> {
  if (!host) return {};
  return { WORKER_ADDRESS: host.address, ...(host.hasDocker ? { DOCKER_HOST: host.docker.host } : {}) };
}

export interface Asking {
  /** Empty: as nobody. */
  readonly token: string;
  readonly deadlineMs: number;
}

/** One request, with JSON and a token. Rejects when there is no answer. */
export async function ask<T>(
  url: string,
  { token, deadlineMs }: Asking,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply<T>> {
  // By a timer of its own: a body that is cut off while it is read never ends for Node's fetch, whatever its signal says.
  return withDeadline(
    answerOf<T>(url, { token, deadlineMs }, method, path, body, headers),
    deadlineMs + 1_000,
    () => new Error(`${method} ${path}: no whole answer within ${deadlineMs} ms`),
  );
}

async function answerOf<T>(
  url: string,
  { token, deadlineMs }: Asking,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Reply<T>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(deadlineMs),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('application/json');
  return {
    status: response.status,
    body: (isJson ? JSON.parse(text) : text) as T,
    headers: response.headers,
  };
}

export async function freePort(address = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, address, done));
  const bound = server.address();
  await new Promise((done) => server.close(done));
  if (bound === null || typeof bound === 'string') throw new Error('no free port');
  return bound.port;
}

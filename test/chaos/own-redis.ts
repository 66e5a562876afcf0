// The Redis of a run, where its hosts reach it: set up as docs say, so that a restart loses next to nothing.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { freePort } from '../support/cluster.ts';
import { waitFor } from '../support/wait-for.ts';

const UP_DEADLINE_MS = 30_000;

export class OwnRedis {
  readonly url: string;
  readonly #args: readonly string[];
  #server: ChildProcess | null = null;

  private constructor(url: string, args: readonly string[]) {
    this.url = url;
    this.#args = args;
  }

  static async start(address: string, folder: string): Promise<OwnRedis> {
    await mkdir(folder, { recursive: true });
    const port = await freePort();
    const redis = new OwnRedis(`redis://${address}:${port}`, [
      ...['--bind', address, '--port', String(port), '--dir', folder, '--protected-mode', 'no'],
      ...['--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
    ]);
    await redis.start();
    return redis;
  }

  async start(): Promise<void> {
    this.#server = spawn('redis-server', [...this.#args], { stdio: 'ignore' });
    await waitFor(() => this.run((client) => client.ping()), {
      what: 'redis-server',
      deadlineMs: UP_DEADLINE_MS,
      everyMs: 50,
    });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((done) => server.once('exit', done));
    server.kill(signal);
    await gone;
  }

  async run<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      client.disconnect();
    }
  }
}

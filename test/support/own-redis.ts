// A Redis of a test's own, for outages: started, killed, frozen and emptied without harm to others.

import { type ChildProcess, spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { freePort } from './cluster.ts';
import { tempDir } from './servers.ts';
import { waitFor } from './wait-for.ts';

/** Kept as in production: a server that is killed and started again knows what it knew. */
export const KEPT: readonly string[] = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];

export class OwnRedis {
  readonly url: string;
  readonly port: number;
  readonly #address: string;
  readonly #dir: { path: string; remove(): Promise<void> };
  readonly #settings: readonly string[];
  #server: ChildProcess | null = null;
  /** No server outlives the process of its test. */
  readonly #onExit = () => void this.#server?.kill('SIGKILL');

  private constructor(
    address: string,
    port: number,
    dir: { path: string; remove(): Promise<void> },
    settings: readonly string[],
  ) {
    this.url = `redis://${address}:${port}`;
    this.#address = address;
    this.port = port;
    this.#dir = dir;
    this.#settings = settings;
  }

  /** Reserves a port; the server is not running yet. */
  static async prepare(settings: readonly string[] = [], address = '127.0.0.1'): Promise<OwnRedis> {
    return new OwnRedis(address, await freePort(address), await tempDir(), settings);
  }

  static async started(settings: readonly string[] = [], address?: string): Promise<OwnRedis> {
    const own = await OwnRedis.prepare(settings, address);
    await own.start();
    return own;
  }

  /** Comes up empty, unless it is one that is KEPT. */
  async start(): Promise<void> {
    this.#server = spawn(
      'redis-server',
      [
        ...['--port', String(this.port), '--bind', this.#address, '--dir', this.#dir.path],
        // Only hosts of a test reach an address that is not loopback.
        ...['--protected-mode', 'no'],
        ...['--save', '', '--appendonly', 'no', ...this.#settings],
      ],
      { stdio: 'ignore' },
    );
    process.once('exit', this.#onExit);
    await waitFor(async () => (await this.call('PING')) === 'PONG', {
      what: `redis-server on port ${this.port}`,
      everyMs: 50,
    });
  }

  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const server = this.#server;
    this.#server = null;
    process.off('exit', this.#onExit);
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((done) => server.once('exit', done));
    server.kill(signal);
    await gone;
  }

  freeze(): void {
    this.#server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#server?.kill('SIGCONT');
  }

  call(command: string, ...args: string[]): Promise<unknown> {
    return this.run((client) => client.call(command, ...args));
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

  async remove(): Promise<void> {
    await this.kill();
    await this.#dir.remove();
  }
}

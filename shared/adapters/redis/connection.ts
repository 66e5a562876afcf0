// The one connection that carries all commands of a process, and the bound on how long any of them may take.
// It reconnects for ever; no call waits for ever. Blocking commands and subscriptions have connections of their own.

import { Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../../platform/log.ts';
import { asAppError, unavailable } from './errors.ts';
import { FaultLog } from './fault-log.ts';
import { within } from './within.ts';

/** `fail-fast` for what a person waits for, `patient` for daemons that ride out a short outage. */
export type Patience = 'fail-fast' | 'patient';

interface Bounds {
  /** How long a call waits for a connection before it gives up. */
  readonly waitMs: number;
  /** How long one command may take. */
  readonly commandMs: number;
  readonly reconnectMs: number;
}

const BOUNDS: Record<Patience, Bounds> = {
  'fail-fast': { waitMs: 1_000, commandMs: 3_000, reconnectMs: 500 },
  patient: { waitMs: 3_000, commandMs: 5_000, reconnectMs: 2_000 },
};

const CONNECT_MS = 5_000;

export interface RunOptions {
  /** Instead of the connection's own wait. */
  readonly waitMs?: number;
  /** For a call of many commands, instead of the bound of one. */
  readonly deadlineMs?: number;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly prefix: string;
  readonly log: Log;
  readonly patience: Patience;
}

export class RedisConnection {
  readonly url: string;
  /** First part of every key. */
  readonly prefix: string;
  readonly log: Log;
  readonly client: Redis;
  readonly #patience: Patience;
  readonly #bounds: Bounds;
  readonly #faults: FaultLog;
  readonly #waiters = new Set<Waiter>();
  #lastFault: Error | null = null;
  /** True from the first failed try to connect until the next success. */
  #away = false;
  #closed = false;

  /** Connects in the background; a Redis that is away now is no error here. */
  constructor(options: ConnectionOptions) {
    this.url = options.url;
    this.prefix = options.prefix;
    this.log = options.log;
    this.#patience = options.patience;
    this.#bounds = BOUNDS[options.patience];
    this.#faults = new FaultLog(options.log, 'Redis cannot be reached');
    this.client = new Redis(options.url, {
      ...this.reconnecting(),
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      commandTimeout: this.#bounds.commandMs,
    });
    this.client.on('error', (error: Error) => this.#onFault(error));
    this.client.on('close', () => this.#onFault(this.#lastFault ?? new Error('connection lost')));
    this.client.on('ready', () => this.#onReady());
  }

  /** A connection that Redis has ended says `ready` for a moment more, but nothing can be sent over it. */
  get isReady(): boolean {
    return this.client.status === 'ready' && this.client.stream?.writable === true;
  }

  /** What every connection of this process shares: come back whenever Redis does. */
  reconnecting() {
    const { reconnectMs } = this.#bounds;
    return {
      connectTimeout: CONNECT_MS,
      keepAlive: 10_000,
      retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 8), reconnectMs),
      // After a failover the old primary is read-only: connect anew and send the command again.
      reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
    } as const satisfies RedisOptions;
  }

  /** For connections that BullMQ opens for blocking commands; it closes them itself. */
  blocking() {
    return { url: this.url, ...this.reconnecting(), maxRetriesPerRequest: null };
  }

  /**
   * Runs `call` with the connection up and within the bounds; `what` completes "Redis cannot be used to …".
   * Throws `queue_unavailable`, or `internal` for a command that Redis calls wrong.
   */
  async run<T>(what: string, call: (client: Redis) => Promise<T>, options: RunOptions = {}): Promise<T> {
    await this.#whenReady(what, options.waitMs ?? this.#bounds.waitMs);
    const stream = this.client.stream;
    const heardBefore = stream.bytesRead;
    try {
      return await within(options.deadlineMs ?? this.#bounds.commandMs, call(this.client));
    } catch (error) {
      const fault = asAppError(what, error);
      // A peer that vanished without a word leaves a connection that looks up: not one byte came back.
      const isSilent = this.client.stream === stream && stream.bytesRead === heardBefore;
      if (fault.retryable && this.isReady && isSilent) stream.destroy();
      throw fault;
    }
  }

  /** What is sent in this turn of the loop goes out in one write: for many commands at once. */
  sendTogether(): void {
    const { stream } = this.client;
    if (!this.isReady || stream.writableCorked > 0) return;
    stream.cork();
    setImmediate(() => stream.uncork());
  }

  async ping(): Promise<void> {
    await this.run('answer a ping', (client) => client.ping());
  }

  /** Resolves once connected, or after the bound of a call without that. */
  async settle(): Promise<void> {
    await this.#whenReady('connect', this.#bounds.waitMs).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rejectWaiters(unavailable('go on: the connection is closed'));
    if (this.isReady) {
      // Lets answers under way arrive; the timer is the bound when they do not.
      const timer = setTimeout(() => this.client.disconnect(), 1_000);
      await this.client.quit().catch(() => undefined);
      clearTimeout(timer);
    }
    this.client.disconnect();
  }

  async #whenReady(what: string, waitMs: number): Promise<void> {
    if (this.#closed) throw unavailable(`${what}: the connection is closed`);
    if (this.isReady) return;
    const cause = this.#lastFault ?? undefined;
    if (waitMs <= 0 || (this.#patience === 'fail-fast' && this.#away)) throw unavailable(what, cause);
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const timer = setTimeout(() => {
        done();
        reject(unavailable(what, this.#lastFault ?? new Error(`no connection in ${waitMs} ms`)));
      }, waitMs);
      const waiter: Waiter = {
        resolve: () => {
          done();
          resolve();
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  #onReady(): void {
    if (this.#away) this.log.info('Redis is back');
    this.#away = false;
    this.#lastFault = null;
    this.#faults.reset();
    for (const waiter of [...this.#waiters]) waiter.resolve();
    this.#checkServer().catch((error: unknown) => this.#faults.report(error));
  }

  #onFault(error: Error): void {
    if (this.#closed) return;
    this.#lastFault = error;
    this.#away = true;
    this.#faults.report(error);
    if (this.#patience === 'fail-fast') this.#rejectWaiters(unavailable('go on', error));
  }

  #rejectWaiters(error: Error): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  async #checkServer(): Promise<void> {
    const info = await this.client.info();
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    if (policy !== undefined && policy !== 'noeviction') {
      this.log.error(
        { policy },
        'Redis may throw queued work away when memory is short: set "maxmemory-policy noeviction" in its configuration',
      );
    }
    const version = /^redis_version:(\d+)\.(\d+)/m.exec(info);
    if (version && Number(version[1]) * 100 + Number(version[2]) < 602) {
      this.log.error({ version: version[0] }, 'Redis is too old: use 6.2 or newer');
    }
  }
}

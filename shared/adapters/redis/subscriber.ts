// The subscribing connection of a process: made when somebody first listens, and subscribed anew after each
// reconnect. It never rejects for a Redis that is away; messages come when it is back.

import { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { within } from './within.ts';

type Listener = (message: string) => void;

/** How long a listener waits for its subscription to stand before it goes on without. */
const CONFIRM_MS = 2_000;

export class Subscriber {
  readonly #connection: RedisConnection;
  readonly #faults: FaultLog;
  readonly #listeners = new Map<string, Set<Listener>>();
  #client: Redis | null = null;
  #closed = false;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#faults = new FaultLog(connection.log, 'cannot listen to messages');
  }

  async listen(channel: string, listener: Listener): Promise<() => Promise<void>> {
    if (this.#closed) return async () => undefined;
    // A wrapper of its own, so that one function may listen twice.
    const own: Listener = (message) => listener(message);
    const there = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, there.add(own));
    await this.#attempt(this.#subscribe([channel]));
    return async () => {
      there.delete(own);
      if (there.size > 0 || this.#listeners.get(channel) !== there) return;
      this.#listeners.delete(channel);
      if (this.#client?.status === 'ready') await this.#attempt(this.#client.unsubscribe(channel));
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    this.#client?.disconnect();
  }

  async #attempt(step: Promise<unknown>): Promise<void> {
    try {
      await within(CONFIRM_MS, step);
    } catch (error) {
      if (!this.#closed) this.#faults.report(error);
    }
  }

  async #subscribe(channels: readonly string[]): Promise<void> {
    this.#client ??= this.#connect();
    const client = this.#client;
    if (client.status !== 'ready') await new Promise<void>((done) => client.once('ready', done));
    await client.subscribe(...channels);
  }

  #connect(): Redis {
    const client = new Redis(this.#connection.url, {
      ...this.#connection.reconnecting(),
      maxRetriesPerRequest: null,
      autoResubscribe: false,
    });
    client.setMaxListeners(0);
    client.on('error', (error: Error) => this.#faults.report(error));
    client.on('ready', () => {
      this.#faults.reset();
      const channels = [...this.#listeners.keys()];
      if (channels.length > 0) void this.#attempt(client.subscribe(...channels));
    });
    client.on('message', (channel: string, message: string) => {
      for (const listener of [...(this.#listeners.get(channel) ?? [])]) listener(message);
    });
    return client;
  }
}

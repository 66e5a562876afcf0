// Makes the Socket.io servers of all API copies one: what is emitted to a room, by a copy or by a runner, reaches the
// room's sockets on every copy. Never throws into Socket.io: without Redis each copy serves its own sockets alone.

import { EventEmitter } from 'node:events';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { MessageSender } from './message-sender.ts';

/** First part of the channels that adapter and emitter share. */
export const socketsKey = (prefix: string): string => `${prefix}:sockets`;

type Namespace = Parameters<ReturnType<typeof createAdapter>>[0];

export class RedisSocketAdapter {
  readonly #connection: RedisConnection;
  #subscription: AdapterSubscription | null = null;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** What a Socket.io server takes as its `adapter`. Nothing is connected before a server asks. */
  factory(): ReturnType<typeof createAdapter> {
    const open = (namespace: Namespace) => this.#open(namespace);
    // Called with `new`, which an arrow function does not bear.
    return function socketAdapter(namespace: Namespace) {
      return open(namespace);
    };
  }

  close(): void {
    this.#subscription?.close();
  }

  #open(namespace: Namespace): ReturnType<ReturnType<typeof createAdapter>> {
    const connection = this.#connection;
    const sender = new MessageSender(connection);
    const publisher = Object.assign(new EventEmitter(), {
      publish: (channel: string, message: string | Uint8Array) => sender.send(channel, message),
    });
    this.#subscription ??= new AdapterSubscription(connection);
    return createAdapter(publisher, this.#subscription, { key: socketsKey(connection.prefix) })(namespace);
  }
}

/** What the adapter asks of its subscribing client, on a connection of its own that comes back whenever Redis does. */
class AdapterSubscription extends EventEmitter {
  readonly #client: Redis;
  readonly #faults: FaultLog;
  readonly #malformed: FaultLog;
  #closed = false;

  constructor(connection: RedisConnection) {
    super();
    this.setMaxListeners(0);
    this.#faults = new FaultLog(connection.log, 'cannot listen to what is sent to sockets');
    this.#malformed = new FaultLog(connection.log, 'dropped a message to sockets that cannot be read');
    this.#client = new Redis(connection.url, { ...connection.reconnecting(), maxRetriesPerRequest: null });
    this.#client.on('error', (error: Error) => this.#report(error));
    this.#client.on('ready', () => this.#faults.reset());
    for (const event of ['messageBuffer', 'pmessageBuffer'] as const) {
      this.#client.on(event, (...parts: unknown[]) => this.#pass(event, parts));
    }
  }

  subscribe(channels: string[]): void {
    this.#client.subscribe(...channels).catch((error: unknown) => this.#report(error));
  }

  psubscribe(pattern: string): void {
    this.#client.psubscribe(pattern).catch((error: unknown) => this.#report(error));
  }

  unsubscribe(channels: string[]): void {
    if (this.#client.status !== 'ready') return;
    this.#client.unsubscribe(...channels).catch((error: unknown) => this.#report(error));
  }

  punsubscribe(pattern: string): void {
    if (this.#client.status !== 'ready') return;
    this.#client.punsubscribe(pattern).catch((error: unknown) => this.#report(error));
  }

  close(): void {
    this.#closed = true;
    this.#client.disconnect();
  }

  /** The adapter decodes within its listener, and throws at what others wrote into the channel. */
  #pass(event: string, parts: readonly unknown[]): void {
    try {
      this.emit(event, ...parts);
    } catch (error) {
      this.#malformed.report(error);
    }
  }

  #report(error: unknown): void {
    if (!this.#closed) this.#faults.report(error);
  }
}

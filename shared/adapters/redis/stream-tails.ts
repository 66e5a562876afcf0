// Follows any number of streams whose entry ids are plain growing numbers, over one blocking connection that is made
// for the first of them. It reconnects for ever; each stream goes on behind the last entry that was handed over, also
// after Redis was emptied. Must never let a thousand quiet streams cost Redis more than a few.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { within } from './within.ts';

/** `fields` are names and values by turns. */
export type EntryHandler = (id: number, fields: readonly string[]) => void;

interface Listener {
  /** Number of the last entry it has, or does not want. */
  after: number;
  /** Reads begun before it came; their answers are not for it. */
  readonly joined: number;
  readonly handler: EntryHandler;
}

/** A lost wake costs a new tail no more than this. */
const BLOCK_MS = 5_000;
/** What Redis may take on top before the connection counts as dead. */
const SLACK_MS = 5_000;
const RETRY_MS = 500;
/** Of one stream in one answer. */
const ENTRIES_AT_ONCE = 8;
/** Redis registers a blocked reader with each of its streams: beyond so many it is asked now and then instead. */
const BLOCKING_STREAMS = 1_000;
const STREAMS_AT_ONCE = 500;
const ROUND_MS = 100;
/** After an answer, per stream: entries that come in this time share the next one. */
const PAUSE_MS_PER_STREAM = 0.02;
const CONTROL_TTL_MS = 60_000;

export class StreamTails {
  readonly #connection: RedisConnection;
  readonly #faults: FaultLog;
  /** Entries here end a blocked read, so that the next one knows of a new stream. */
  readonly #control: string;
  readonly #streams = new Map<string, Set<Listener>>();
  #client: Redis | null = null;
  #running: Promise<void> | null = null;
  #reads = 0;
  #wakes = 0;
  /** The read under way will learn of new streams: it does not block, or has been woken. */
  #isAwake = true;
  readonly #end = new AbortController();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#faults = new FaultLog(connection.log, 'cannot follow streams');
    this.#control = `${connection.prefix}:live-control:${randomUUID()}`;
  }

  /** Entries above `after`, in order, until the returned function is called. Succeeds when Redis is away, too. */
  tail(key: string, after: number, handler: EntryHandler): () => void {
    if (this.#end.signal.aborted) return () => undefined;
    const listener: Listener = { after, joined: this.#reads, handler };
    const listeners = this.#streams.get(key) ?? new Set();
    this.#streams.set(key, listeners.add(listener));
    if (this.#running) this.#wake();
    else this.#running = this.#run();
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#streams.get(key) === listeners) this.#streams.delete(key);
    };
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#streams.clear();
    this.#client?.disconnect();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#streams.size > 0) {
      try {
        await this.#round();
      } catch (error) {
        if (this.#end.signal.aborted) break;
        this.#faults.report(error);
        await delay(RETRY_MS);
      }
    }
    // In the same step as the last look, so that whoever comes next begins anew.
    this.#running = null;
  }

  async #round(): Promise<void> {
    const client = await this.#ready();
    if (this.#end.signal.aborted) return;
    const keys = [...this.#streams.keys()];
    if (keys.length <= BLOCKING_STREAMS) {
      const found = await this.#read(client, keys, BLOCK_MS);
      if (found) await delay(keys.length * PAUSE_MS_PER_STREAM);
      return;
    }
    for (let from = 0; from < keys.length; from += STREAMS_AT_ONCE) {
      await this.#read(client, keys.slice(from, from + STREAMS_AT_ONCE), null);
    }
    await delay(ROUND_MS);
  }

  /** @returns whether anything was there */
  async #read(client: Redis, keys: readonly string[], blockMs: number | null): Promise<boolean> {
    this.#reads += 1;
    const read = this.#reads;
    this.#isAwake = blockMs === null;
    const call = client.call('XREAD', [
      ...['COUNT', ENTRIES_AT_ONCE],
      ...(blockMs === null ? [] : ['BLOCK', blockMs]),
      'STREAMS',
      ...keys,
      this.#control,
      ...keys.map((key) => `${this.#afterOf(key)}-0`),
      `${this.#wakes}-0`,
    ]);
    let answer: unknown;
    try {
      answer = await within((blockMs ?? 0) + SLACK_MS, call);
    } catch (error) {
      // A peer that vanished without a word leaves a connection that looks up.
      if (client.status === 'ready') client.stream.destroy();
      throw error;
    } finally {
      this.#isAwake = true;
    }
    this.#faults.reset();
    const streams = (answer ?? []) as [key: string, entries: [id: string, fields: string[]][]][];
    for (const [key, entries] of streams) {
      for (const [id, fields] of entries) this.#handOver(key, Number.parseInt(id, 10), fields, read);
    }
    return streams.length > 0;
  }

  /** Never too high: a listener that is further on passes over what it has. */
  #afterOf(key: string): number {
    let after = Number.POSITIVE_INFINITY;
    for (const listener of this.#streams.get(key) ?? []) after = Math.min(after, listener.after);
    return Number.isFinite(after) ? after : 0;
  }

  #handOver(key: string, id: number, fields: readonly string[], read: number): void {
    for (const listener of [...(this.#streams.get(key) ?? [])]) {
      if (listener.joined >= read || listener.after >= id) continue;
      listener.after = id;
      try {
        listener.handler(id, fields);
      } catch (error) {
        this.#connection.log.error({ err: error, key }, 'a reader of a stream failed');
      }
    }
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#wakes += 1;
    const id = `${this.#wakes}-0`;
    this.#connection
      .run(
        'follow one more stream',
        (client) =>
          client
            .pipeline()
            .xadd(this.#control, 'MAXLEN', 1, id, 'wake', '')
            .pexpire(this.#control, CONTROL_TTL_MS)
            .exec(),
        { waitMs: 0 },
      )
      .catch((error: unknown) => this.#faults.report(error));
  }

  /** @throws when the next try to connect fails, and on close */
  async #ready(): Promise<Redis> {
    this.#client ??= this.#connect();
    const client = this.#client;
    if (client.status !== 'ready') await once(client, 'ready', { signal: this.#end.signal });
    return client;
  }

  #connect(): Redis {
    const client = new Redis(this.#connection.url, {
      ...this.#connection.reconnecting(),
      // A read that breaks off fails at once and is made anew: there may be other streams by then.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
    client.on('error', (error: Error) => this.#faults.report(error));
    return client;
  }
}

// Small messages between processes over Redis pub/sub. Best effort: what cannot be sent now is dropped, what
// cannot be read is dropped, and neither ever throws into its caller.

import { messageOf } from '../../errors.ts';
import type { ClusterEvent, WorkerNudge } from '../../model/event.ts';
import type { EventBus } from '../../ports/coordination.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { batches } from './queue-handle.ts';
import { Subscriber } from './subscriber.ts';

/** Events in one message: about 50 kB. */
const PER_MESSAGE = 250;

export class RedisEventBus implements EventBus {
  readonly #connection: RedisConnection;
  readonly #subscriber: Subscriber;
  readonly #malformed: FaultLog;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#subscriber = new Subscriber(connection);
    this.#malformed = new FaultLog(connection.log, 'dropped a message that cannot be read');
  }

  async publish(event: ClusterEvent): Promise<void> {
    await this.#send(this.#eventChannel(), [event]);
  }

  async publishMany(events: readonly ClusterEvent[]): Promise<void> {
    for (const batch of batches(events, PER_MESSAGE)) await this.#send(this.#eventChannel(), batch);
  }

  async subscribe(handler: (event: ClusterEvent) => void): Promise<() => Promise<void>> {
    return this.#listen(this.#eventChannel(), isClusterEvent, handler);
  }

  async nudge(workerId: string, nudge: WorkerNudge): Promise<void> {
    await this.#send(this.#nudgeChannel(workerId), [nudge]);
  }

  async onNudge(workerId: string, handler: (nudge: WorkerNudge) => void): Promise<() => Promise<void>> {
    return this.#listen(this.#nudgeChannel(workerId), isWorkerNudge, handler);
  }

  async close(): Promise<void> {
    await this.#subscriber.close();
  }

  #eventChannel(): string {
    return `${this.#connection.prefix}:events`;
  }

  #nudgeChannel(workerId: string): string {
    return `${this.#connection.prefix}:nudge:${workerId}`;
  }

  async #send(channel: string, messages: readonly unknown[]): Promise<void> {
    const text = JSON.stringify(messages);
    try {
      await this.#connection.run('send a message', (client) => client.publish(channel, text), { waitMs: 0 });
    } catch (error) {
      this.#connection.log.debug({ channel, fault: messageOf(error) }, 'a message was not sent');
    }
  }

  #listen<T>(
    channel: string,
    isMessage: (value: unknown) => value is T,
    handler: (message: T) => void,
  ): Promise<() => Promise<void>> {
    return this.#subscriber.listen(channel, (text) => {
      for (const message of this.#read(text)) {
        if (!isMessage(message)) {
          this.#malformed.report('not a message of this version', { channel });
          continue;
        }
        try {
          handler(message);
        } catch (error) {
          this.#connection.log.error({ err: error, channel }, 'a listener failed');
        }
      }
    });
  }

  #read(text: string): readonly unknown[] {
    try {
      const messages: unknown = JSON.parse(text);
      if (Array.isArray(messages)) return messages;
      this.#malformed.report('not a list');
    } catch (error) {
      this.#malformed.report(error);
    }
    return [];
  }
}

function isClusterEvent(value: unknown): value is ClusterEvent {
  if (!isRecord(value)) return false;
  if (value.type === 'worker') return typeof value.workerId === 'string';
  if (value.type === 'quota') return typeof value.userId === 'string';
  if (value.type === 'restored') return true;
  return (
    value.type === 'task' &&
    typeof value.taskId === 'string' &&
    typeof value.ownerId === 'string' &&
    typeof value.state === 'string' &&
    typeof value.attempt === 'number' &&
    typeof value.revision === 'number' &&
    (value.workerId === null || typeof value.workerId === 'string')
  );
}

function isWorkerNudge(value: unknown): value is WorkerNudge {
  if (!isRecord(value)) return false;
  if (value.type === 'removed') return true;
  return (value.type === 'cancel' || value.type === 'evict') && typeof value.taskId === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

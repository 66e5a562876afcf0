// Events into the rooms of all API copies' sockets, in the form that Socket.io's Redis adapter reads. Never throws
// and keeps nothing: what cannot be sent at once is dropped.

import { Emitter } from '@socket.io/redis-emitter';
import type { RoomEmitter } from '../../ports/live.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { MessageSender } from './message-sender.ts';
import { socketsKey } from './socket-adapter.ts';

export class RedisRoomEmitter implements RoomEmitter {
  readonly #sender: MessageSender;
  readonly #emitter: Emitter;
  readonly #malformed: FaultLog;

  constructor(connection: RedisConnection) {
    const sender = new MessageSender(connection);
    this.#sender = sender;
    this.#malformed = new FaultLog(connection.log, 'an event for watchers cannot be written');
    // The emitter only ever publishes.
    const publisher = {
      publish: (channel: string, message: string | Uint8Array) => sender.send(channel, message),
    };
    this.#emitter = new Emitter(publisher, { key: socketsKey(connection.prefix) });
  }

  emit(room: string, event: string, body: unknown): void {
    // Not even encoded while Redis is away.
    if (!this.#sender.isReady) return;
    try {
      this.#emitter.to(room).emit(event, body);
    } catch (error) {
      this.#malformed.report(error, { event });
    }
  }
}

// Socket.io on the listener of the API: who may connect, what each socket may have, and when it ends. What this copy
// hears is told to its own sockets only; what all copies must hear goes through the adapter. No socket may hold more
// than a bounded amount of memory, and nothing a client sends may throw.

import type { Server as Listener } from 'node:http';
import { Server, type ServerOptions } from 'socket.io';
import { SOCKET_PATH, TELEMETRY_ROOM } from '../../shared/contracts/live.ts';
import { AppError } from '../../shared/errors.ts';
import type { RunLearner } from '../../shared/learning/run-learner.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { EventBus } from '../../shared/ports/coordination.ts';
import type { ProgressBoard } from '../../shared/ports/live.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';
import type { KnownUsers } from '../services/known-users.ts';
import type { TaskOutput } from '../services/output/task-output.ts';
import type { TaskRecords } from '../services/task-records.ts';
import { type LiveAccess, tokenOfHandshake } from './access.ts';
import { type LiveServer, type LiveSocket, refusalOf } from './live-server.ts';
import { LogBroadcast } from './log-broadcast.ts';
import type { OpenSessions } from './open-sessions.ts';
import { Outbox } from './outbox.ts';
import { SocketCounts } from './socket-counts.ts';
import { Subscriptions } from './subscriptions.ts';
import { TaskEvents } from './task-events.ts';
import type { TelemetryTicker } from './telemetry-ticker.ts';

export interface SocketServerParts {
  readonly access: LiveAccess;
  readonly open: OpenSessions;
  readonly known: KnownUsers;
  readonly records: TaskRecords;
  readonly output: TaskOutput;
  readonly tasks: TaskStore;
  readonly learner: RunLearner;
  readonly ticker: TelemetryTicker;
  readonly progress: ProgressBoard;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Log;
  /** For `io.adapter`. */
  readonly socketAdapter: unknown;
  /** Pages of these may connect, besides the API's own. */
  readonly corsOrigins: readonly string[];
}

/** Requests of clients are small. */
const MAX_REQUEST_BYTES = 64 * 1_024;
/** A connection that has not said by then who it is ends. */
const CONNECT_MS = 10_000;

export class SocketServer {
  readonly #parts: SocketServerParts;
  readonly #io: LiveServer;
  readonly #events: TaskEvents;
  readonly #broadcast: LogBroadcast;
  readonly #counts = new SocketCounts();
  readonly #outboxes = new Map<string, Outbox>();
  #stopTelemetry: (() => void) | null = null;
  #stopping = false;

  constructor(parts: SocketServerParts, listener: Listener) {
    this.#parts = parts;
    this.#io = new Server(listener, {
      path: SOCKET_PATH,
      adapter: parts.socketAdapter as ServerOptions['adapter'],
      serveClient: false,
      destroyUpgrade: false,
      transports: ['polling', 'websocket'],
      maxHttpBufferSize: MAX_REQUEST_BYTES,
      perMessageDeflate: false,
      connectTimeout: CONNECT_MS,
      ...(parts.corsOrigins.length > 0 ? { cors: { origin: [...parts.corsOrigins] } } : {}),
      allowRequest: (_request, answer) => {
        const full = !this.#counts.hasRoomFor(this.#io.engine.clientsCount);
        answer(this.#stopping ? 'stopping' : full ? 'too many connections' : null, !full && !this.#stopping);
      },
    });
    this.#events = new TaskEvents({ ...parts, io: this.#io });
    this.#broadcast = new LogBroadcast(this.#io);
    this.#io.use((socket, next) => {
      this.#admit(socket).then(
        () => next(),
        (error: unknown) => next(Object.assign(new Error('refused'), { data: this.#refusal(error) })),
      );
    });
    this.#io.on('connection', (socket) => this.#onSocket(socket));
    this.#io.on('token-removed', (tokenId) => parts.open.endToken(tokenId));
    this.#io.on('account-changed', (userId) => {
      parts.known.forget(userId);
      this.#checkAccount(userId);
    });
    const { adapter } = this.#io.of('/');
    adapter.on('create-room', (room) => room === TELEMETRY_ROOM && this.#beginTelemetry());
    adapter.on('delete-room', (room) => room === TELEMETRY_ROOM && this.#endTelemetry());
  }

  /** Sockets open now, and characters on their way to all of them. */
  get load(): { sockets: number; unsent: number } {
    let unsent = 0;
    for (const outbox of this.#outboxes.values()) unsent += outbox.unsent;
    return { sockets: this.#outboxes.size, unsent };
  }

  start(): Promise<void> {
    return this.#events.start();
  }

  /** Ends what an API token has open on every copy. */
  tokenRemoved(tokenId: string): void {
    this.#parts.open.endToken(tokenId);
    this.#io.serverSideEmit('token-removed', tokenId);
  }

  /** Ends what an account has open on every copy and may have no longer. */
  accountChanged(userId: string): void {
    this.#checkAccount(userId);
    this.#io.serverSideEmit('account-changed', userId);
  }

  /** Cuts all connections; clients come back by themselves, to another copy or to this one once it is up again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#io.engine.close();
    await this.#io.of('/').adapter.close();
    await this.#events.stop();
  }

  async #admit(socket: LiveSocket): Promise<void> {
    const { auth, headers } = socket.handshake;
    if (!this.#counts.begin(socket.conn))
      throw new AppError('rate_limited', 'another connect of yours is under way: wait for its answer');
    try {
      const caller = await this.#parts.access.admit(tokenOfHandshake(auth, headers), headers);
      // Nobody would take it off the count.
      if (socket.conn.readyState !== 'open') return;
      const release = this.#counts.take(caller.principal?.userId ?? null);
      socket.data.caller = caller;
      socket.once('disconnect', release);
      socket.conn.once('close', release);
    } finally {
      this.#counts.end(socket.conn);
    }
  }

  #checkAccount(userId: string): void {
    const { open, log } = this.#parts;
    // The next sweep asks again.
    open
      .checkAccount(userId)
      .catch((error: unknown) => log.debug({ err: error }, 'an account was not checked'));
  }

  #refusal(error: unknown): ReturnType<typeof refusalOf> {
    const refusal = refusalOf(error);
    if (refusal.code === 'internal') this.#parts.log.error({ err: error }, 'a socket was not let in');
    return refusal;
  }

  #onSocket(socket: LiveSocket): void {
    const { log } = this.#parts;
    const outbox = new Outbox(socket.conn, () => {
      log.info({ socket: socket.id }, 'a socket that does not read was closed');
      // Not within a broadcast that goes through its room.
      setImmediate(() => socket.conn.close(true));
    });
    this.#outboxes.set(socket.id, outbox);
    const subscriptions = new Subscriptions(
      {
        ...this.#parts,
        events: this.#events,
        broadcast: this.#broadcast,
        greet: (one) => this.#greet(one),
      },
      socket,
      outbox,
    );
    // What comes is whatever the client sent, not what the types say.
    const on = (event: 'subscribe' | 'unsubscribe', act: (request: unknown, reply: Reply) => void) =>
      socket.on(event, (...said: unknown[]) => {
        const reply = said.at(-1);
        act(said[0], typeof reply === 'function' ? (reply as Reply) : () => undefined);
      });
    on('subscribe', (request, reply) => subscriptions.subscribe(request, reply));
    on('unsubscribe', (request, reply) => subscriptions.unsubscribe(request, reply));
    // Without a listener a broken packet would throw.
    socket.on('error', (error) => log.debug({ err: error }, 'a socket sent what cannot be read'));
    const forget = this.#parts.open.add({
      caller: socket.data.caller,
      end: (reason) => {
        socket.emit('session:end', reason);
        socket.disconnect(true);
      },
      again: () => socket.conn.close(true),
    });
    socket.once('disconnect', () => {
      forget();
      this.#outboxes.delete(socket.id);
      outbox.close();
      subscriptions.close();
    });
  }

  #greet(socket: LiveSocket): void {
    this.#parts.ticker.now().then(
      (tick) => socket.emit('telemetry', tick.body),
      (error: unknown) => this.#parts.log.debug({ err: error }, 'no telemetry for a new watcher'),
    );
  }

  #beginTelemetry(): void {
    this.#stopTelemetry ??= this.#parts.ticker.listen(({ body }) =>
      // Who has not taken the last one does not need this one.
      this.#io.local.to(TELEMETRY_ROOM).volatile.emit('telemetry', body),
    );
  }

  #endTelemetry(): void {
    this.#stopTelemetry?.();
    this.#stopTelemetry = null;
  }
}

type Reply = (answer: unknown) => void;

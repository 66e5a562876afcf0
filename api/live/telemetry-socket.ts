// /ws/telemetry: a plain WebSocket that shows the cluster once on open and then each second, for anything that can
// open one. Listens to nobody. A client that does not read gets fewer looks, and in the end none; no more than about
// a megabyte ever waits for it.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { AppError } from '../../shared/errors.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { type LiveAccess, TOKEN_PROTOCOL, tokenOfUpgrade } from './access.ts';
import type { Caller } from './live-server.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { TelemetryTicker } from './telemetry-ticker.ts';
import { refuseUpgrade } from './upgrades.ts';

export interface TelemetrySocketParts {
  readonly access: LiveAccess;
  readonly open: OpenSessions;
  readonly ticker: TelemetryTicker;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: 2,000. */
  readonly maxSockets?: number | undefined;
}

const MAX_SOCKETS = 2_000;
/** Clients have nothing to say. */
const MAX_MESSAGE_BYTES = 1_024;
/** Of a client that has more unsent, looks are left out. */
const MAX_UNSENT_BYTES = 2 ** 20;
/** And after so long of that it is cut off. */
const PATIENCE_MS = 60_000;
const PING_MS = 30_000;
/** What a client has to answer a close. */
const CLOSE_MS = 1_000;

/** Of RFC 6455: going away, and a policy is violated. */
const GOING_AWAY = 1001;
const POLICY = 1008;

interface Viewer {
  readonly socket: WebSocket;
  /** Since the last ping. */
  alive: boolean;
  /** Monotonic; null while it reads. */
  behindSince: number | null;
}

export class TelemetrySockets {
  readonly #parts: TelemetrySocketParts;
  readonly #maxSockets: number;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(TOKEN_PROTOCOL) ? TOKEN_PROTOCOL : false),
  });
  readonly #viewers = new Set<Viewer>();
  #entering = 0;
  #pinger: NodeJS.Timeout | null = null;
  #stopListening: (() => void) | null = null;
  #stopping = false;

  constructor(parts: TelemetrySocketParts) {
    this.#parts = parts;
    this.#maxSockets = parts.maxSockets ?? MAX_SOCKETS;
  }

  get size(): number {
    return this.#viewers.size;
  }

  /** Takes an upgrade of the API's listener. Never rejects. */
  readonly take = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    // Until the WebSocket has it, nobody else listens.
    const onError = () => socket.destroy();
    socket.on('error', onError);
    this.#entering += 1;
    try {
      const caller = await this.#admit(request);
      socket.off('error', onError);
      this.#server.handleUpgrade(request, socket, head, (viewer) => this.#onOpen(viewer, caller));
    } catch (error) {
      refuseUpgrade(socket, error);
    } finally {
      this.#entering -= 1;
    }
  };

  async stop(): Promise<void> {
    this.#stopping = true;
    const closed = [...this.#viewers].map(
      ({ socket }) => new Promise<void>((done) => socket.once('close', () => done())),
    );
    for (const { socket } of this.#viewers) socket.close(GOING_AWAY, 'the API is stopping');
    const timer = setTimeout(() => {
      for (const { socket } of this.#viewers) socket.terminate();
    }, CLOSE_MS);
    await Promise.all(closed);
    clearTimeout(timer);
  }

  async #admit(request: IncomingMessage): Promise<Caller> {
    if (this.#stopping || this.#viewers.size + this.#entering > this.#maxSockets) {
      throw new AppError('rate_limited', 'too many watch here already: try again later', {
        retryable: true,
        retryAfterSeconds: 10,
      });
    }
    return this.#parts.access.admit(tokenOfUpgrade(request), request.headers);
  }

  #onOpen(socket: WebSocket, caller: Caller): void {
    const { ticker, open, log } = this.#parts;
    const viewer: Viewer = { socket, alive: true, behindSince: null };
    this.#viewers.add(viewer);
    const forget = open.add({
      caller,
      // The protocol has room for 123 bytes.
      end: ({ message }) => socket.close(POLICY, message.slice(0, 120)),
      // The cluster looks the same to every role.
      again: () => undefined,
    });
    socket.on('pong', () => {
      viewer.alive = true;
    });
    // A message too large, or no WebSocket at all: closed by then.
    socket.on('error', (error) => log.debug({ err: error }, 'a watcher broke the protocol'));
    socket.once('close', () => {
      forget();
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#rest();
    });
    this.#stopListening ??= ticker.listen((tick) => this.#show(tick.text()));
    this.#pinger ??= setInterval(() => this.#ping(), PING_MS);
    ticker.now().then(
      (tick) => socket.send(tick.text()),
      (error: unknown) => log.debug({ err: error }, 'no telemetry for a new watcher'),
    );
    if (this.#stopping) socket.close(GOING_AWAY, 'the API is stopping');
  }

  #show(text: string): void {
    const now = this.#parts.clock.monotonic();
    // One copy of the bytes for all.
    const bytes = Buffer.from(text);
    for (const viewer of this.#viewers) {
      const { socket } = viewer;
      if (socket.bufferedAmount <= MAX_UNSENT_BYTES) {
        viewer.behindSince = null;
        socket.send(bytes, { binary: false });
        continue;
      }
      viewer.behindSince ??= now;
      if (now - viewer.behindSince > PATIENCE_MS) socket.terminate();
    }
  }

  #ping(): void {
    for (const viewer of this.#viewers) {
      if (!viewer.alive) {
        viewer.socket.terminate();
        continue;
      }
      viewer.alive = false;
      viewer.socket.ping();
    }
  }

  #rest(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    if (this.#pinger) clearInterval(this.#pinger);
    this.#pinger = null;
  }
}

// Everything that stays open: Socket.io and the plain WebSocket, on the listener of the API.

import type { Server as Listener } from 'node:http';
import { telemetryReply } from '../../shared/contracts/cluster.ts';
import { TELEMETRY_SOCKET_PATH } from '../../shared/contracts/live.ts';
import type { ClusterView } from '../services/cluster-view.ts';
import type { Sessions } from '../services/sessions.ts';
import { LiveAccess } from './access.ts';
import type { OpenSessions } from './open-sessions.ts';
import { SocketServer, type SocketServerParts } from './socket-server.ts';
import { TelemetrySockets } from './telemetry-socket.ts';
import { TelemetryTicker } from './telemetry-ticker.ts';
import { routeUpgrades } from './upgrades.ts';

export interface LiveParts extends Omit<SocketServerParts, 'access' | 'ticker'> {
  readonly sessions: Sessions;
  readonly view: ClusterView;
  readonly observeAuth: 'open' | 'required';
  readonly maxTelemetrySockets?: number | undefined;
}

export interface LiveLoad {
  readonly sockets: number;
  readonly telemetrySockets: number;
  /** Characters on their way to sockets, in all. */
  readonly unsent: number;
}

export class Live {
  readonly #sockets: SocketServer;
  readonly #viewers: TelemetrySockets;
  readonly #open: OpenSessions;
  readonly #ticker: TelemetryTicker;

  constructor(parts: LiveParts, listener: Listener) {
    const { sessions, known, open, view, observeAuth, corsOrigins, clock, log } = parts;
    const access = new LiveAccess(sessions, observeAuth, corsOrigins);
    this.#open = open;
    this.#ticker = new TelemetryTicker(async () => telemetryReply(await view.snapshot()), log);
    const shared = { access, open, ticker: this.#ticker };
    this.#sockets = new SocketServer({ ...parts, ...shared }, listener);
    this.#viewers = new TelemetrySockets({ ...shared, clock, log, maxSockets: parts.maxTelemetrySockets });
    routeUpgrades(listener, new Map([[TELEMETRY_SOCKET_PATH, this.#viewers.take]]));
    sessions.onTokenRemoved((tokenId) => this.#sockets.tokenRemoved(tokenId));
    known.onChanged((userId) => this.#sockets.accountChanged(userId));
  }

  /** For all who show the cluster each second. */
  get ticker(): TelemetryTicker {
    return this.#ticker;
  }

  get load(): LiveLoad {
    return { ...this.#sockets.load, telemetrySockets: this.#viewers.size };
  }

  async start(): Promise<void> {
    this.#open.start();
    await this.#sockets.start();
  }

  /** Within about a second; all who watch are told, and none may come in any more. */
  async stop(): Promise<void> {
    this.#open.stop();
    await Promise.all([this.#sockets.stop(), this.#viewers.stop()]);
    this.#ticker.stop();
  }
}

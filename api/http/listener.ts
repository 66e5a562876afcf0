// The listener under the API, and what a connection may cost before anybody knows whose it is: how many there may be, of
// one address too, and how long the head of a request may take. Knows nothing of requests.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Server as NetServer, Socket } from 'node:net';
import type { TlsTexts } from '../../shared/platform/tls-files.ts';
import { networkOf } from '../services/network-of.ts';

export interface ListenerBounds {
  /** Open connections, of all. */
  readonly connections: number;
  /** Of one address: a proxy in front is one, too. */
  readonly ofOneAddress: number;
  /** Until the whole head of a request has come, counted from the connection or the first byte. */
  readonly headMs: number;
  /** Between two looks for those that took too long. */
  readonly lookMs: number;
}

/** Sockets may be 20,000, and requests come besides. */
const MAX_CONNECTIONS = 25_000;
const HEAD_MS = 20_000;
const LOOK_MS = 5_000;
/** Bounds an upload that never pauses and never ends; Node's own five minutes are too short for a large file. */
const REQUEST_MS = 24 * 3_600_000;
/** A reader that vanished without a word is noticed although nothing is sent to it. */
const KEEP_ALIVE_MS = 30_000;

/**
 * What fits this process.
 * @param openFiles that it may have open, connections among them; null: not known
 */
export function listenerBounds(openFiles: number | null): ListenerBounds {
  // The rest is for files, the store and Redis.
  const room = openFiles === null ? MAX_CONNECTIONS : Math.max(16, Math.floor(openFiles * 0.75));
  const connections = Math.min(MAX_CONNECTIONS, room);
  return {
    connections,
    // Nobody alone can keep all others out.
    ofOneAddress: Math.max(12, Math.floor(connections * 0.75)),
    headMs: HEAD_MS,
    lookMs: LOOK_MS,
  };
}

/** As Linux says; null elsewhere. */
export function openFilesLimit(): number | null {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

/** With `tls` it speaks HTTPS alone, and `renew` changes the certificate. */
export function createListener(bounds: ListenerBounds, tls: TlsTexts | null = null): Server {
  const times = {
    headersTimeout: bounds.headMs,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: bounds.lookMs,
  };
  // A server of either kind is used alike from here on.
  const listener = tls
    ? (createTlsServer({ ...times, ...tls, handshakeTimeout: bounds.headMs }) as unknown as Server)
    : createServer(times);
  // A browser opens connections ahead of what it may ask. An answer to nothing, at the moment in which it asks after all,
  // would be taken for the answer to that; a connection that just ends makes it open another.
  listener.prependListener('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && (socket as Socket).bytesRead === 0) socket.destroy();
  });
  return boundConnections(listener, bounds);
}

/** As many connections as there may be, in all and of one address. */
export function boundConnections<T extends NetServer>(listener: T, bounds: ListenerBounds): T {
  listener.maxConnections = bounds.connections;
  const open = new Map<string, number>();
  const counted = new WeakSet<Socket>();
  listener.on('connection', (socket: Socket) => {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // The same connection comes here again when a wish to upgrade it was passed over.
    if (counted.has(socket)) return;
    const network = networkOf(socket.remoteAddress ?? '');
    const count = (open.get(network) ?? 0) + 1;
    if (count > bounds.ofOneAddress) {
      socket.destroy();
      return;
    }
    counted.add(socket);
    open.set(network, count);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  });
  return listener;
}

/** For connections from now on. */
export function renew(listener: Server, tls: TlsTexts): void {
  (listener as unknown as TlsServer).setSecureContext(tls);
}

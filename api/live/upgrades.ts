// Who gets a request to upgrade its connection, by path. Socket.io has a listener of its own; here is all else. An
// address that takes none is answered and closed, and a wish that nobody here can grant (HTTP/2) is passed over.

import { type IncomingMessage, type Server as Listener, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { SOCKET_PATH } from '../../shared/contracts/live.ts';
import { AppError } from '../../shared/errors.ts';
import { errorReply } from '../errors.ts';

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A peer that does not read its refusal is cut off. */
const REFUSAL_MS = 2_000;
/** Said about one connection only, and not to be said again. */
const HOP_HEADERS = new Set(['connection', 'upgrade', 'http2-settings']);

export function routeUpgrades(listener: Listener, routes: ReadonlyMap<string, Upgrade>): void {
  listener.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (path.startsWith(SOCKET_PATH)) return;
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      passOver(listener, request, socket, head);
      return;
    }
    const take = routes.get(path.replace(/\/+$/, ''));
    if (take) take(request, socket, head);
    else refuseUpgrade(socket, new AppError('not_found', 'there is no WebSocket at this address'));
  });
}

/** Answers as REST would, and closes. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const { body, headers } = errorReply(error);
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${body.statusCode} ${STATUS_CODES[body.statusCode]}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

/**
 * The request once more, without the wish: clients that would like HTTP/2 ask for it in their first request, and are
 * content with an answer over HTTP/1.1. A listener for upgrades would otherwise leave them without one.
 */
function passOver(listener: Listener, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!HOP_HEADERS.has(name.toLowerCase())) text += `${name}: ${rawHeaders[at + 1]}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  // Not the handshake once more.
  listener.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
}

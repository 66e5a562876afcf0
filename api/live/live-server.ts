// The types of the one Socket.io server and its sockets, and how an error is told to a socket.

import type { Server, Socket } from 'socket.io';
import type {
  ClientToServerEvents,
  ServerToClientEvents,
  SocketRefusal,
} from '../../shared/contracts/live.ts';
import type { Principal } from '../../shared/model/user.ts';
import { errorReply } from '../errors.ts';

/** Who is at the other end; without a token nobody in particular. */
export interface Caller {
  readonly principal: Principal | null;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
  /** Of an API token. */
  readonly tokenId: string | null;
  /** Of a JWT: which sign-ins of the account it belongs to; null for API tokens and nobody. */
  readonly epoch: number | null;
  /** Of a JWT that can be ended alone. */
  readonly signInId: string | null;
}

/** What API copies tell each other. */
export interface BetweenCopies {
  'token-removed': (tokenId: string) => void;
  'account-changed': (userId: string) => void;
}

export interface SocketData {
  caller: Caller;
}

export type LiveServer = Server<ClientToServerEvents, ServerToClientEvents, BetweenCopies, SocketData>;
export type LiveSocket = Socket<ClientToServerEvents, ServerToClientEvents, BetweenCopies, SocketData>;

/** In the same words as REST; nothing internal gets out. */
export function refusalOf(error: unknown): SocketRefusal {
  const { code, message } = errorReply(error).body;
  return { code, message };
}

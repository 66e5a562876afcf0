// How many sockets there may be: in all, of one user, of nobody in particular, and how many connects of one
// connection at a time.

import { AppError } from '../../shared/errors.ts';

const MAX_CONNECTIONS = 20_000;
export const MAX_SOCKETS_PER_USER = 100;
export const MAX_ANONYMOUS = 1_000;

const NOBODY = '';

export class SocketCounts {
  readonly #open = new Map<string, number>();
  readonly #connecting = new WeakSet<object>();

  /** Whether one more connection may come to so many. */
  hasRoomFor(connections: number): boolean {
    return connections < MAX_CONNECTIONS;
  }

  /** False when this connection has a connect under way. */
  begin(connection: object): boolean {
    if (this.#connecting.has(connection)) return false;
    this.#connecting.add(connection);
    return true;
  }

  end(connection: object): void {
    this.#connecting.delete(connection);
  }

  /**
   * Counts one more socket of the user, null: of nobody.
   * @returns takes it off the count; may be called again
   * @throws AppError `rate_limited`
   */
  take(userId: string | null): () => void {
    const key = userId ?? NOBODY;
    const open = this.#open.get(key) ?? 0;
    if (open >= (userId === null ? MAX_ANONYMOUS : MAX_SOCKETS_PER_USER)) {
      throw new AppError(
        'rate_limited',
        userId === null
          ? `${open} sockets watch without a token: connect with one`
          : `you have ${open} sockets open: close some of them first`,
      );
    }
    this.#open.set(key, open + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
    };
  }
}

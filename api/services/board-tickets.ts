// Tickets for the queue board: short-lived, good for that one path alone, no bearer tokens. Whether their holder is
// still an admin, and has not ended the sign-in since, is asked each time they are shown.

import { token as jwt } from '@hapi/jwt';
import { AppError } from '../../shared/errors.ts';
import { isEnded } from '../../shared/model/sign-ins.ts';
import { isActiveAdmin, type Principal, type User } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { UserStore } from '../../shared/ports/store.ts';
import type { Sessions } from './sessions.ts';
import type { SigningKeys } from './signing-keys.ts';

const ISSUER = 'cloudai';
const AUDIENCE = 'cloudai-queue-board';
export const TICKET_SECONDS = 15 * 60;
const MAX_TICKET_CHARS = 2_048;

export const SIGN_IN = 'sign in at the dashboard as an admin and open the queue board from the page "Users"';

export interface BoardTicketParts {
  readonly users: Pick<UserStore, 'get'>;
  readonly sessions: Pick<Sessions, 'identify'>;
  readonly keys: SigningKeys;
  readonly clock: Clock;
}

export class BoardTickets {
  readonly #parts: BoardTicketParts;

  constructor(parts: BoardTicketParts) {
    this.#parts = parts;
  }

  /** @throws AppError `forbidden` to who is no admin */
  async issue(holder: Principal, signInId: string | null): Promise<string> {
    const { id: sub, signInEpoch: epoch } = await this.#admin(holder.userId);
    const { keys, clock } = this.#parts;
    const iat = Math.floor(clock.now() / 1000);
    return keys.sign({
      iss: ISSUER,
      aud: AUDIENCE,
      sub,
      epoch,
      sign_in: signInId,
      iat,
      exp: iat + TICKET_SECONDS,
    });
  }

  /**
   * Who looks at the board, by the header of programs or the ticket of browsers.
   * @throws AppError `unauthenticated`, `forbidden`
   */
  async identify(header: string | undefined, ticket: string | undefined): Promise<Principal> {
    if (header !== undefined) {
      return principalOf(await this.#admin((await this.#parts.sessions.identify(header)).userId));
    }
    if (ticket === undefined) throw new AppError('unauthenticated', `the queue board is closed: ${SIGN_IN}`);
    const { userId, epoch, signInId } = this.#holder(ticket);
    const user = await this.#admin(userId);
    if (epoch !== user.signInEpoch || (typeof signInId === 'string' && isEnded(user, signInId))) {
      throw new AppError('unauthenticated', `the sign-in that opened the queue board was ended: ${SIGN_IN}`);
    }
    return principalOf(user);
  }

  #holder(ticket: string): { userId: string; epoch: unknown; signInId: unknown } {
    const { keys, clock } = this.#parts;
    try {
      if (ticket.length > MAX_TICKET_CHARS) throw new Error('too long');
      const artifacts = jwt.decode(ticket);
      keys.verify(artifacts);
      jwt.verifyPayload(artifacts, { aud: AUDIENCE, iss: ISSUER, sub: false, now: clock.now() });
      const { sub, epoch, sign_in: signInId } = artifacts.decoded.payload;
      return { userId: String(sub), epoch, signInId };
    } catch {
      throw new AppError('unauthenticated', `the queue board was opened too long ago: ${SIGN_IN}`);
    }
  }

  async #admin(userId: string): Promise<User> {
    const user = await this.#parts.users.get(userId);
    if (user !== null && isActiveAdmin(user)) return user;
    throw new AppError('forbidden', 'only admins may look at the queue board');
  }
}

function principalOf({ id, username, role }: User): Principal {
  return { userId: id, username, role };
}

// Everything that is open by virtue of a token, over whatever it came: ended when the token expires or is taken back, when
// its account is disabled or ends its sign-ins. What another API copy does is told at once; when that word is lost, the
// store tells a little later.

import type { SocketRefusal } from '../../shared/contracts/live.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Sessions } from '../services/sessions.ts';
import type { Caller } from './live-server.ts';

export interface OpenSession {
  readonly caller: Caller;
  /** Tells the other end why, and closes. */
  end(reason: SocketRefusal): void;
  /** Lets the other end come in anew, with what it may see now. */
  again(): void;
}

const SWEEP_MS = 1_000;
/** Where the word of another copy was lost. */
const RECHECK_MS = 5_000;
/** With the age of what is known of an account: how long it may watch on that lost the right. */
const RECHECK_ACCOUNTS_MS = 5_000;

const EXPIRED: SocketRefusal = {
  code: 'unauthenticated',
  message: 'the token has expired: log in for a new one',
};
const TAKEN_BACK: SocketRefusal = { code: 'unauthenticated', message: 'the API token was taken back' };

export class OpenSessions {
  readonly #sessions: Pick<Sessions, 'listApiTokens' | 'standing'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Set<OpenSession>();
  #sweeper: NodeJS.Timeout | null = null;
  #recheckedAt = 0;
  #recheckedAccountsAt = 0;

  constructor(sessions: Pick<Sessions, 'listApiTokens' | 'standing'>, clock: Clock, log: Log) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Looks at once: its account may have changed since it was let in, and nobody would tell it any more.
   * @returns takes it out again
   */
  add(session: OpenSession): () => void {
    this.#open.add(session);
    this.#check(session).catch((error: unknown) =>
      this.#log.debug({ err: error }, 'an account was not checked'),
    );
    return () => this.#open.delete(session);
  }

  endToken(tokenId: string): void {
    for (const session of [...this.#open]) {
      if (session.caller.tokenId === tokenId) session.end(TAKEN_BACK);
    }
  }

  /**
   * Ends what the account no longer stands for, and lets come in anew what it stands for otherwise.
   * @throws AppError when the store is away and nothing is known
   */
  async checkAccount(userId: string): Promise<void> {
    const theirs = [...this.#open].filter(({ caller }) => caller.principal?.userId === userId);
    for (const session of theirs) await this.#check(session);
  }

  async #check(session: OpenSession): Promise<void> {
    const { principal } = session.caller;
    if (principal === null) return;
    const { fault, role } = await this.#sessions.standing(principal, session.caller);
    if (!this.#open.has(session)) return;
    if (fault !== null) session.end({ code: 'unauthenticated', message: fault });
    else if (role !== principal.role) session.again();
  }

  start(): void {
    this.#recheckedAt = this.#clock.monotonic();
    this.#recheckedAccountsAt = this.#recheckedAt;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  stop(): void {
    if (this.#sweeper) clearInterval(this.#sweeper);
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const session of [...this.#open]) {
      const { expiresAt } = session.caller;
      if (expiresAt !== null && expiresAt <= now) session.end(EXPIRED);
    }
    const at = this.#clock.monotonic();
    if (at - this.#recheckedAccountsAt >= RECHECK_ACCOUNTS_MS) {
      this.#recheckedAccountsAt = at;
      this.recheckAccounts().catch((error: unknown) =>
        this.#log.debug({ err: error }, 'accounts were not checked'),
      );
    }
    if (at - this.#recheckedAt < RECHECK_MS) return;
    this.#recheckedAt = at;
    this.recheck().catch((error: unknown) => this.#log.debug({ err: error }, 'API tokens were not checked'));
  }

  /** One after the other: it is no hurry, and the store has others to serve. @throws AppError when the store is away */
  async recheckAccounts(): Promise<void> {
    const ids = new Set([...this.#open].map(({ caller }) => caller.principal?.userId));
    for (const id of ids) if (id !== undefined) await this.checkAccount(id);
  }

  /** Ends what the store no longer knows a token for. @throws AppError when the store is away */
  async recheck(): Promise<void> {
    const byUser = new Map<string, OpenSession[]>();
    for (const session of this.#open) {
      const { principal, tokenId } = session.caller;
      if (!principal || tokenId === null) continue;
      const theirs = byUser.get(principal.userId);
      if (theirs) theirs.push(session);
      else byUser.set(principal.userId, [session]);
    }
    for (const sessions of byUser.values()) {
      const holder = sessions[0]?.caller.principal;
      if (!holder) continue;
      const good = new Set((await this.#sessions.listApiTokens(holder)).map(({ id }) => id));
      for (const session of sessions) {
        if (session.caller.tokenId !== null && !good.has(session.caller.tokenId)) session.end(TAKEN_BACK);
      }
    }
  }
}

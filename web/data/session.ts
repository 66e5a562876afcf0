// Who is signed in, and the client that calls as them. The one place that touches the token.
//
// The token lives in sessionStorage: it survives a reload, is gone with the tab, is not shared with other tabs of a
// shared computer, and, unlike a cookie, is never sent by itself, so no other site can call in the user's name.

import { ApiError, type Client, createClient } from '../../client/client.ts';
import { createLive, type Live } from '../../client/live.ts';
import type { CredentialsBody, LoginReply, UserBody } from '../../shared/contracts/http.ts';
import { mayChange, seesAllTasks } from '../../shared/model/user.ts';
import { PageMemory } from './page-memory.ts';

const KEY = 'cloudai.token';

/** Sends `change` when someone signs in or out, `live` when the live connection comes or goes. */
export class Session extends EventTarget {
  client: Client;
  user: UserBody | null = null;
  /** True after the API refused a token that was good before. */
  expired = false;
  readonly memory = new PageMemory();
  #live: Live | null = null;

  constructor() {
    super();
    this.client = this.#clientFor(null);
  }

  /** What happens in the cluster, on one connection for all of the page; opened when somebody asks first. */
  get live(): Live {
    this.#live ??= createLive({
      url: location.origin,
      token: () => sessionStorage.getItem(KEY) ?? undefined,
      onState: () => this.dispatchEvent(new Event('live')),
    });
    return this.#live;
  }

  /** Whether more than reading is for whoever is signed in; the API decides, the pages only do not offer it. */
  get mayChange(): boolean {
    return this.user !== null && mayChange(this.user);
  }

  get seesAllTasks(): boolean {
    return this.user !== null && seesAllTasks(this.user);
  }

  /** A fresh token for the same user, e.g. after a change of the password. */
  renew({ token, user }: LoginReply): void {
    sessionStorage.setItem(KEY, token);
    this.client = this.#clientFor(token);
    this.user = user;
    // The connection stands on the old token; a new one is opened when somebody asks.
    this.#live?.close();
    this.#live = null;
    this.#tell();
  }

  /** Takes up the sign-in of before a reload, if it still holds. @throws ConnectionError, ApiError */
  async resume(): Promise<void> {
    const token = sessionStorage.getItem(KEY);
    if (!token) return;
    this.client = this.#clientFor(token);
    try {
      this.user = await this.client.me();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      this.#drop(true);
    }
    this.#tell();
  }

  async signIn(credentials: CredentialsBody): Promise<void> {
    const { token, user } = await this.#clientFor(null).login(credentials);
    sessionStorage.setItem(KEY, token);
    this.client = this.#clientFor(token);
    this.user = user;
    this.expired = false;
    this.#tell();
  }

  async register(credentials: CredentialsBody): Promise<void> {
    await this.#clientFor(null).register(credentials);
    await this.signIn(credentials);
  }

  /** The token is of no use to whoever may have it, too, when the API hears of it. */
  signOut(): void {
    void this.client.signOut().catch(() => undefined);
    this.#drop(false);
    this.#tell();
  }

  #drop(expired: boolean): void {
    sessionStorage.removeItem(KEY);
    this.memory.clear();
    this.#live?.close();
    this.#live = null;
    this.client = this.#clientFor(null);
    this.user = null;
    this.expired = expired;
  }

  #tell(): void {
    this.dispatchEvent(new Event('change'));
  }

  #clientFor(token: string | null): Client {
    const client: Client = createClient({
      url: location.origin,
      token: token ?? undefined,
      // Whoever looks at a page is told why it does not change, and may ask again.
      ratePatienceMs: 0,
      onUnauthenticated: () => {
        // Only if it is still this client's sign-in: a late answer must not end a newer one.
        if (this.user === null || this.client !== client) return;
        this.#drop(true);
        this.#tell();
      },
    });
    return client;
  }
}

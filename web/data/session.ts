// Who is signed in, and the client that calls as them. The one place that touches the token.
//
// The token lives in sessionStorage: it survives a reload, is gone with the tab, is not shared with other tabs of a
// shared computer, and, unlike a cookie, is never sent by itself, so no other site can call in the user's name.

import { ApiError, type Client, createClient } from '../../client/client.ts';
import { createLive, type Live, type LiveState } from '../../client/live.ts';
import type { CredentialsBody, LoginReply, UserBody } from '../../shared/contracts/http.ts';
import { type Deed, may, whyNot } from '../../shared/model/rights.ts';
import { seesAllTasks } from '../../shared/model/user.ts';
import { PageMemory } from './page-memory.ts';

const KEY = 'cloudai.token';

/** Of a sign-in that is over: refused by the API, or ended everywhere by whoever sits here. */
export type SignInEnd = 'refused' | 'everywhere' | 'everywhere with tokens';

/** Sends `change` when someone signs in or out, `live` when the live connection comes or goes. */
export class Session extends EventTarget {
  client: Client;
  user: UserBody | null = null;
  /** How the last sign-in of this page ended, where that needs words. */
  ended: SignInEnd | null = null;
  readonly memory = new PageMemory();
  #live: Live | null = null;
  #wasCut = false;

  constructor() {
    super();
    this.client = this.#clientFor(null);
  }

  /** What happens in the cluster, on one connection for all of the page; opened when somebody asks first. */
  get live(): Live {
    this.#live ??= createLive({
      url: location.origin,
      token: () => sessionStorage.getItem(KEY) ?? undefined,
      onState: (state, fault) => this.#onLive(state, fault !== null),
    });
    return this.#live;
  }

  /** Whether it is for whoever is signed in; the API decides by the same table, the pages only do not offer it. */
  may(deed: Deed): boolean {
    return this.user !== null && may(this.user, deed);
  }

  /** In words; empty when they may. */
  whyNot(deed: Deed): string {
    return this.user === null ? 'nobody is signed in' : whyNot(this.user, deed);
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
      this.#drop('refused');
    }
    this.#tell();
  }

  async signIn(credentials: CredentialsBody): Promise<void> {
    const { token, user } = await this.#clientFor(null).login(credentials);
    sessionStorage.setItem(KEY, token);
    this.client = this.#clientFor(token);
    this.user = user;
    this.ended = null;
    this.#tell();
  }

  async register(credentials: CredentialsBody): Promise<void> {
    await this.#clientFor(null).register(credentials);
    await this.signIn(credentials);
  }

  /** The token is of no use to whoever may have it, too, when the API hears of it. */
  signOut(): void {
    void this.client.signOut().catch(() => undefined);
    this.#drop(null);
    this.#tell();
  }

  /** Ends all sign-ins of the account, this one too. @throws ApiError, ConnectionError, and then this one goes on */
  async signOutEverywhere({ apiTokens }: { readonly apiTokens: boolean }): Promise<void> {
    await this.client.signOutAll({ apiTokens });
    // Others may have heard of it first, by a refusal.
    this.#drop(apiTokens ? 'everywhere with tokens' : 'everywhere');
    this.#tell();
  }

  /** The API cuts the connection when the role is another or the sign-in has ended: whoever is let in anew, or is not, is looked at. */
  #onLive(state: LiveState, isRefused: boolean): void {
    this.dispatchEvent(new Event('live'));
    if ((state === 'connected' && this.#wasCut) || (state === 'ended' && isRefused)) void this.#lookAgain();
    this.#wasCut = state === 'reconnecting' || (state !== 'connected' && this.#wasCut);
  }

  async #lookAgain(): Promise<void> {
    const { client } = this;
    try {
      const user = await client.me();
      if (this.client !== client) return;
      const isAnother = user.role !== this.user?.role;
      this.user = user;
      if (isAnother) this.#tell();
    } catch {
      // A refusal has ended the sign-in; of anything else the pages hear with their next call.
    }
  }

  #drop(ended: SignInEnd | null): void {
    sessionStorage.removeItem(KEY);
    this.memory.clear();
    this.#live?.close();
    this.#live = null;
    this.client = this.#clientFor(null);
    this.user = null;
    this.ended = ended;
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
        this.#drop('refused');
        this.#tell();
      },
    });
    return client;
  }
}

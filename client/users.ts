// Accounts over the REST API: one's own password, and what admins do with those of others.

import type { LoginReply } from '../shared/contracts/http.ts';
import type {
  AccountBody,
  NewUserBody,
  PasswordChangeBody,
  UserChangeBody,
  UserListReply,
} from '../shared/contracts/users.ts';
import type { Transport } from './transport.ts';

export interface UserFilter {
  /** Part of the name. */
  readonly q?: string | undefined;
  /** 1 to 1,000; the API's default is 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface UserCalls {
  me(options?: { signal?: AbortSignal | undefined }): Promise<AccountBody>;
  /** All other sign-ins end; the answer holds a fresh token. */
  changePassword(change: PasswordChangeBody): Promise<LoginReply>;
  /** Ends the sign-in of this client's token. */
  signOut(): Promise<void>;
  /** Ends all sign-ins of the account, this one too. */
  signOutAll(options?: { apiTokens?: boolean | undefined }): Promise<void>;
  /** For admins, as are those below. In order of name. */
  listUsers(filter?: UserFilter, options?: { signal?: AbortSignal | undefined }): Promise<UserListReply>;
  getUser(username: string, options?: { signal?: AbortSignal | undefined }): Promise<AccountBody>;
  createUser(user: NewUserBody): Promise<AccountBody>;
  /** Ends all sign-ins of the account. */
  signOutUser(username: string, options?: { apiTokens?: boolean | undefined }): Promise<void>;
  updateUser(username: string, change: UserChangeBody): Promise<AccountBody>;
  /** Lets this browser open `/queues` for some minutes (a cookie for that path alone). */
  openQueueBoard(): Promise<void>;
}

export function userCalls(transport: Transport): UserCalls {
  const address = (username: string) => `/api/users/${encodeURIComponent(username)}`;
  return {
    me: ({ signal } = {}) => transport.json({ method: 'GET', path: '/api/auth/me', signal }),
    changePassword: (body) => transport.json({ method: 'POST', path: '/api/auth/password', body }),
    signOut: () => transport.json({ method: 'POST', path: '/api/auth/logout' }),
    signOutAll: ({ apiTokens = false } = {}) =>
      transport.json({ method: 'POST', path: '/api/auth/logout-all', body: { api_tokens: apiTokens } }),
    signOutUser: (username, { apiTokens = false } = {}) =>
      transport.json({
        method: 'POST',
        path: `${address(username)}/logout`,
        body: { api_tokens: apiTokens },
      }),
    listUsers: (filter = {}, { signal } = {}) =>
      transport.json({ method: 'GET', path: '/api/users', query: { ...filter }, signal }),
    getUser: (username, { signal } = {}) =>
      transport.json({ method: 'GET', path: address(username), signal }),
    createUser: (body) => transport.json({ method: 'POST', path: '/api/users', body }),
    updateUser: (username, body) => transport.json({ method: 'PATCH', path: address(username), body }),
    openQueueBoard: () => transport.json({ method: 'POST', path: '/api/auth/queue-board' }),
  };
}

// /api/users: accounts, for admins. Translates between the wire and the services only.

import type { Plugin, Request, Server } from '@hapi/hapi';
import {
  newUserSchema,
  signOutSchema,
  type UserListQuery,
  userChangeSchema,
  userListSchema,
  usernameParams,
} from '../../shared/contracts/user-schemas.ts';
import {
  accountBody,
  type NewUserBody,
  quotaOf,
  type SignOutBody,
  type UserChangeBody,
  type UserListReply,
} from '../../shared/contracts/users.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import type { UserDirectory } from '../services/user-directory.ts';
import { bodyOf, checked, queryOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { principalOf } from './auth.ts';

export interface UsersOptions {
  readonly directory: UserDirectory;
  readonly trail: AuditTrail;
}

export const usersPlugin: Plugin<UsersOptions> = {
  name: 'users',
  register: (server: Server, { directory, trail }: UsersOptions) => {
    server.route({
      method: 'GET',
      path: '/api/users',
      options: { validate: checked({ query: userListSchema }) },
      handler: async (request): Promise<UserListReply> => {
        const { q, limit, cursor } = queryOf<UserListQuery>(request);
        const found = await directory.list(principalOf(request), { text: q, limit, after: cursor });
        return { users: found.accounts.map(accountBody), next_cursor: found.next };
      },
    });

    server.route({
      method: 'POST',
      path: '/api/users',
      options: { validate: checked({ payload: newUserSchema }) },
      handler: async (request, h) => {
        const wanted = bodyOf<NewUserBody>(request);
        const account = await trail.note(
          originOf(request),
          { action: 'user.create', target: wanted.username, details: { role: wanted.role } },
          () => directory.create(principalOf(request), wanted),
        );
        const body = accountBody(account);
        return h.response(body).code(201).header('location', `/api/users/${body.username}`);
      },
    });

    server.route({
      method: 'GET',
      path: '/api/users/{username}',
      options: { validate: checked({ params: usernameParams }) },
      handler: async (request) => accountBody(await directory.get(principalOf(request), nameOf(request))),
    });

    server.route({
      method: 'POST',
      path: '/api/users/{username}/logout',
      options: { validate: checked({ params: usernameParams, payload: signOutSchema }) },
      handler: async (request, h) => {
        const apiTokens = bodyOf<SignOutBody | null>(request)?.api_tokens ?? false;
        const target = nameOf(request);
        const deed = { action: 'user.sign_out', target, details: { api_tokens: apiTokens } } as const;
        await trail.note(originOf(request), deed, () =>
          directory.signOut(principalOf(request), target, { apiTokens }),
        );
        return h.response().code(204);
      },
    });

    server.route({
      method: 'PATCH',
      path: '/api/users/{username}',
      options: { validate: checked({ params: usernameParams, payload: userChangeSchema }) },
      handler: async (request) => {
        const { quota, ...rest } = bodyOf<UserChangeBody>(request);
        const change = { ...rest, quota: quota && quotaOf(quota) };
        const { password, ...told } = rest;
        const details = {
          ...told,
          ...(password === undefined ? {} : { password: 'new' }),
          ...(quota === undefined ? {} : { quota }),
        };
        const account = await trail.note(
          originOf(request),
          { action: 'user.change', target: nameOf(request), details },
          () => directory.change(principalOf(request), nameOf(request), change),
        );
        return accountBody(account);
      },
    });
  },
};

function nameOf(request: Request): string {
  return String(request.params.username);
}

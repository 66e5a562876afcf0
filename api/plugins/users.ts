// /api/users: accounts, for admins. Translates between the wire and the services only.

import type { Plugin, Request, Server } from '@hapi/hapi';
import { accountReplySchema, userListReplySchema } from '../../shared/contracts/account-reply-schemas.ts';
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
import { documented } from '../openapi/call-doc.ts';
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
      options: {
        ...documented({
          id: 'listUsers',
          tag: 'administration',
          summary: 'Accounts in order of name.',
          replies: { 200: userListReplySchema },
          refusals: [403],
        }),
        validate: checked({ query: userListSchema }),
      },
      handler: async (request): Promise<UserListReply> => {
        const { q, limit, cursor } = queryOf<UserListQuery>(request);
        const found = await directory.list(principalOf(request), { text: q, limit, after: cursor });
        return { users: found.accounts.map(accountBody), next_cursor: found.next };
      },
    });

    server.route({
      method: 'POST',
      path: '/api/users',
      options: {
        ...documented({
          id: 'createUser',
          tag: 'administration',
          summary: 'Makes an account, also where registration is closed.',
          replies: {
            201: {
              content: { 'application/json': accountReplySchema },
              headers: { Location: { description: 'Of the account.' } },
            },
          },
          refusals: [403, 409],
        }),
        validate: checked({ payload: newUserSchema }),
      },
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
      options: {
        ...documented({
          id: 'getUser',
          tag: 'administration',
          summary: 'One account.',
          replies: { 200: accountReplySchema },
          refusals: [403, 404],
        }),
        validate: checked({ params: usernameParams }),
      },
      handler: async (request) => accountBody(await directory.get(principalOf(request), nameOf(request))),
    });

    server.route({
      method: 'POST',
      path: '/api/users/{username}/logout',
      options: {
        ...documented({
          id: 'logoutUser',
          tag: 'administration',
          summary: 'Ends all sign-ins of an account, and takes back its API tokens if asked to.',
          notes: 'The body may be left out.',
          replies: { 204: null },
          refusals: [404],
        }),
        validate: checked({ params: usernameParams, payload: signOutSchema }),
      },
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
      options: {
        ...documented({
          id: 'changeUser',
          tag: 'administration',
          summary: 'Changes what is named of role, disabled, password and quota.',
          replies: { 200: accountReplySchema },
          refusals: [403, 404, 409],
        }),
        validate: checked({ params: usernameParams, payload: userChangeSchema }),
      },
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

// /api/auth: registration, login, who am I, API tokens.

import type { Plugin, ResponseObject, Server } from '@hapi/hapi';
import type { CredentialsBody, LoginReply, NewTokenReply } from '../../shared/contracts/http.ts';
import { tokenBody, userBody } from '../../shared/contracts/http.ts';
import {
  loginSchema,
  newTokenSchema,
  registerSchema,
  tokenIdParams,
} from '../../shared/contracts/schemas.ts';
import type { Accounts } from '../services/accounts.ts';
import type { Sessions } from '../services/sessions.ts';
import { bodyOf, checked, idOf } from '../validation.ts';
import { principalOf } from './auth.ts';

export interface AccountsOptions {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
}

export const accountsPlugin: Plugin<AccountsOptions> = {
  name: 'accounts',
  register: (server: Server, { accounts, sessions }: AccountsOptions) => {
    server.route({
      method: 'POST',
      path: '/api/auth/register',
      options: { auth: false, validate: checked({ payload: registerSchema }) },
      handler: async (request, h) => {
        const user = await accounts.register(bodyOf<CredentialsBody>(request));
        return h.response(userBody(user)).code(201);
      },
    });

    server.route({
      method: 'POST',
      path: '/api/auth/login',
      options: { auth: false, validate: checked({ payload: loginSchema }) },
      handler: async (request, h) => {
        const credentials = bodyOf<CredentialsBody>(request);
        const { user, token, expiresAt } = await accounts.login(credentials, request.info.remoteAddress);
        const reply: LoginReply = {
          token,
          expires_at: new Date(expiresAt).toISOString(),
          user: userBody(user),
        };
        return notKept(h.response(reply));
      },
    });

    server.route({
      method: 'GET',
      path: '/api/auth/me',
      handler: async (request) => userBody(await accounts.whoIs(principalOf(request))),
    });

    server.route({
      method: 'POST',
      path: '/api/auth/tokens',
      options: { validate: checked({ payload: newTokenSchema }) },
      handler: async (request, h) => {
        const { name } = bodyOf<{ name: string }>(request);
        const { record, token } = await sessions.createApiToken(principalOf(request), name);
        const reply: NewTokenReply = { ...tokenBody(record), token };
        return notKept(h.response(reply).code(201));
      },
    });

    server.route({
      method: 'GET',
      path: '/api/auth/tokens',
      handler: async (request) => ({
        tokens: (await sessions.listApiTokens(principalOf(request))).map(tokenBody),
      }),
    });

    server.route({
      method: 'DELETE',
      path: '/api/auth/tokens/{id}',
      options: { validate: checked({ params: tokenIdParams }) },
      handler: async (request, h) => {
        await sessions.removeApiToken(principalOf(request), idOf(request));
        return h.response().code(204);
      },
    });
  },
};

/** Replies with a secret in them must stay in no cache. */
function notKept(response: ResponseObject): ResponseObject {
  return response.header('cache-control', 'no-store');
}

// /api/auth: registration, login, who am I, another password, API tokens.

import type { Plugin, ResponseObject, Server } from '@hapi/hapi';
import {
  accountReplySchema,
  loginReplySchema,
  newTokenReplySchema,
  tokenListReplySchema,
  userReplySchema,
} from '../../shared/contracts/account-reply-schemas.ts';
import type { CredentialsBody, LoginReply, NewTokenReply } from '../../shared/contracts/http.ts';
import { tokenBody, userBody } from '../../shared/contracts/http.ts';
import {
  loginSchema,
  newTokenSchema,
  registerSchema,
  tokenIdParams,
} from '../../shared/contracts/schemas.ts';
import { passwordChangeSchema, signOutSchema } from '../../shared/contracts/user-schemas.ts';
import { accountBody, type PasswordChangeBody, type SignOutBody } from '../../shared/contracts/users.ts';
import type { AuditActor } from '../../shared/model/audit.ts';
import type { User } from '../../shared/model/user.ts';
import { documented } from '../openapi/call-doc.ts';
import type { Accounts, SignIn } from '../services/accounts.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import type { Sessions } from '../services/sessions.ts';
import type { UserDirectory } from '../services/user-directory.ts';
import { bodyOf, checked, idOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { principalOf, sessionOf } from './auth.ts';
import { ALSO_ANONYMOUS } from './rate-limits.ts';

export interface AccountsOptions {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly directory: UserDirectory;
  readonly trail: AuditTrail;
}

export const accountsPlugin: Plugin<AccountsOptions> = {
  name: 'accounts',
  register: (server: Server, { accounts, sessions, directory, trail }: AccountsOptions) => {
    server.route({
      method: 'POST',
      path: '/api/auth/register',
      options: {
        ...documented({
          id: 'register',
          tag: 'accounts',
          summary: 'Makes an account; the first of a cluster is its admin.',
          replies: { 201: userReplySchema },
          refusals: [403, 409],
        }),
        ...ALSO_ANONYMOUS,
        auth: false,
        validate: checked({ payload: registerSchema }),
      },
      handler: async (request, h) => {
        const credentials = bodyOf<CredentialsBody>(request);
        const user = await trail.note(
          originOf(request),
          { action: 'account.register', target: () => accounts.knownName(credentials.username) },
          () => accounts.register(credentials),
          (made) => ({ actor: actorOf(made), details: { role: made.role } }),
        );
        return h.response(userBody(user)).code(201);
      },
    });

    server.route({
      method: 'POST',
      path: '/api/auth/login',
      options: {
        ...documented({
          id: 'login',
          tag: 'accounts',
          summary: 'A token for a name and a password.',
          notes: 'After repeated failures 429 with `locked_out`.',
          replies: { 200: loginReplySchema },
          refusals: [401, 403],
        }),
        ...ALSO_ANONYMOUS,
        auth: false,
        validate: checked({ payload: loginSchema }),
      },
      handler: async (request, h) => {
        const credentials = bodyOf<CredentialsBody>(request);
        const signIn = await trail.note(
          originOf(request),
          { action: 'account.sign_in', target: () => accounts.knownName(credentials.username) },
          () => accounts.login(credentials, request.app.address),
          ({ user }) => ({ actor: actorOf(user) }),
        );
        return notKept(h.response(loginReply(signIn)));
      },
    });

    server.route({
      method: 'POST',
      path: '/api/auth/password',
      options: {
        ...documented({
          id: 'changePassword',
          tag: 'accounts',
          summary: 'Another password: all other sign-ins end, and the answer is a fresh one.',
          replies: { 200: loginReplySchema },
          refusals: [403],
        }),
        validate: checked({ payload: passwordChangeSchema }),
      },
      handler: async (request, h) => {
        const { current_password, new_password } = bodyOf<PasswordChangeBody>(request);
        const change = { current: current_password, next: new_password };
        const by = principalOf(request);
        const signIn = await trail.note(
          originOf(request),
          { action: 'account.password', target: by.username },
          () => accounts.changePassword(by, change, request.app.address),
        );
        return notKept(h.response(loginReply(signIn)));
      },
    });

    server.route({
      method: 'POST',
      path: '/api/auth/logout',
      options: {
        ...documented({
          id: 'logout',
          tag: 'accounts',
          summary: 'Ends this sign-in.',
          replies: { 204: null },
          refusals: [409],
        }),
      },
      handler: async (request, h) => {
        const session = sessionOf(request);
        const deed = { action: 'account.sign_out', target: session.principal.username } as const;
        await trail.note(originOf(request), deed, () => accounts.signOut(session));
        return h.response().code(204);
      },
    });

    server.route({
      method: 'POST',
      path: '/api/auth/logout-all',
      options: {
        ...documented({
          id: 'logoutAll',
          tag: 'accounts',
          summary: 'Ends all own sign-ins, this one too, and takes back the API tokens if asked to.',
          notes: 'The body may be left out.',
          replies: { 204: null },
        }),
        validate: checked({ payload: signOutSchema }),
      },
      handler: async (request, h) => {
        const by = principalOf(request);
        const apiTokens = bodyOf<SignOutBody | null>(request)?.api_tokens ?? false;
        const deed = { action: 'account.sign_out_all', target: by.username } as const;
        const details = { api_tokens: apiTokens };
        await trail.note(originOf(request), { ...deed, details }, () =>
          accounts.signOutAll(by, { apiTokens }),
        );
        return h.response().code(204);
      },
    });

    server.route({
      method: 'GET',
      path: '/api/auth/me',
      options: {
        ...documented({
          id: 'getOwnAccount',
          tag: 'accounts',
          summary: 'Who am I, with quota and use.',
          replies: { 200: accountReplySchema },
        }),
      },
      handler: async (request) => accountBody(await directory.own(principalOf(request))),
    });

    server.route({
      method: 'POST',
      path: '/api/auth/tokens',
      options: {
        ...documented({
          id: 'createToken',
          tag: 'accounts',
          summary: 'A long-lived API token, shown once.',
          replies: { 201: newTokenReplySchema },
          refusals: [409],
        }),
        validate: checked({ payload: newTokenSchema }),
      },
      handler: async (request, h) => {
        const { name } = bodyOf<{ name: string }>(request);
        const { record, token } = await trail.note(
          originOf(request),
          { action: 'token.create', details: { name } },
          () => sessions.createApiToken(principalOf(request), name),
          (made) => ({ targets: [made.record.id] }),
        );
        const reply: NewTokenReply = { ...tokenBody(record), token };
        return notKept(h.response(reply).code(201));
      },
    });

    server.route({
      method: 'GET',
      path: '/api/auth/tokens',
      options: {
        ...documented({
          id: 'listTokens',
          tag: 'accounts',
          summary: 'Own API tokens without the secret.',
          replies: { 200: tokenListReplySchema },
        }),
      },
      handler: async (request) => ({
        tokens: (await sessions.listApiTokens(principalOf(request))).map(tokenBody),
      }),
    });

    server.route({
      method: 'DELETE',
      path: '/api/auth/tokens/{id}',
      options: {
        ...documented({
          id: 'deleteToken',
          tag: 'accounts',
          summary: 'Takes an API token back.',
          replies: { 204: null },
          refusals: [404],
        }),
        validate: checked({ params: tokenIdParams }),
      },
      handler: async (request, h) => {
        const id = idOf(request);
        await trail.note(originOf(request), { action: 'token.delete', target: id }, () =>
          sessions.removeApiToken(principalOf(request), id),
        );
        return h.response().code(204);
      },
    });
  },
};

function actorOf({ id, username }: User): AuditActor {
  return { userId: id, username, token: null };
}

function loginReply({ user, token, expiresAt }: SignIn): LoginReply {
  return { token, expires_at: new Date(expiresAt).toISOString(), user: userBody(user) };
}

/** Replies with a secret in them must stay in no cache. */
function notKept(response: ResponseObject): ResponseObject {
  return response.header('cache-control', 'no-store');
}

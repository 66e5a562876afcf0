// `login`, `logout`, `register-user`, `passwd`, `tokens`: who the CLI is to the cluster. Never prints a password or a kept
// token.

import type { Command } from 'commander';
import { ApiError } from '../../client/client.ts';
import { age } from '../../client/words.ts';
import type { LoginReply, TokenBody } from '../../shared/contracts/http.ts';
import { askChange, askName, askNewPassword, askPassword, type PasswordOptions } from '../credentials.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { writeProfile } from '../profile.ts';
import type { Run } from '../program.ts';
import type { Session } from '../session.ts';

interface CredentialOptions extends PasswordOptions {
  readonly username?: string;
}

export function addAccountCommands(program: Command, run: Run): void {
  const login = program
    .command('login')
    .description('sign in and keep the sign-in in the profile')
    .option('--username <name>', 'who you are; asked for when absent')
    .option('--password-stdin', 'read the password from standard input')
    .action(run(signIn));
  withExamples(login, [
    { line: 'login --username alice', what: 'asks for the password' },
    { line: 'login --url https://cluster.example', what: 'this cluster from now on' },
    { line: 'login --username ci --password-stdin', what: 'for scripts, with the password piped in' },
  ]);
  const registerUser = program
    .command('register-user')
    .description('create an account; the first of a cluster is its admin')
    .argument('[username]')
    .option('--username <name>', 'name of the account; asked for when absent')
    .option('--password-stdin', 'read the password from standard input')
    .action(run(register));
  withExamples(registerUser, [{ line: 'register-user alice', what: 'asks for a password, twice' }]);
  const passwd = program
    .command('passwd')
    .description('change your password; all other sign-ins end, tokens stay')
    .option('--password-stdin', 'read the current and the new password from standard input, a line each')
    .action(run(changePassword));
  withExamples(passwd, [{ line: 'passwd', what: 'asks for the one of now, and twice for the new one' }]);
  const logout = program
    .command('logout')
    .description('end the sign-in kept in the profile and forget it')
    .option('--all', 'end all your sign-ins, on all machines')
    .action(run(signOut));
  withExamples(logout, [
    { line: 'logout', what: 'of the cluster that commands go to' },
    { line: 'logout --all', what: 'also in all browsers and on other machines; API tokens stay' },
  ]);
  addTokenCommands(program.command('tokens').description('long-lived tokens for scripts'), run);
}

function addTokenCommands(tokens: Command, run: Run): void {
  const create = tokens
    .command('create')
    .description('make a token; it is shown this once')
    .argument('<name>', 'what it is for')
    .action(run(createToken));
  withExamples(create, [{ line: 'tokens create ci --quiet', what: 'prints the token alone' }]);
  const list = tokens.command('list').description('list your tokens').action(run(listTokens));
  withExamples(list, [{ line: 'tokens list', what: 'with when each was last used' }]);
  const remove = tokens
    .command('delete')
    .description('make a token useless')
    .argument('<token-id>')
    .action(run(deleteToken));
  withExamples(remove, [
    { line: 'tokens delete token-01k2v8x4m6n8p0q2r4s6t8v0w2', what: 'its id is in "tokens list"' },
  ]);
}

async function signIn(session: Session, options: CredentialOptions): Promise<void> {
  const username = await askName(session, options.username);
  const password = await askPassword(session, 'Password: ', options);
  const reply = await session.anonymous.login({ username, password }).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    const advice = 'Check both and try again. No account yet? cloudai register-user';
    throw new CliError(EXIT.notAllowed, error.message, advice);
  });
  await keepSignIn(session, reply, session.url);
  await session.show({
    // The token stays in the profile; scripts get theirs from "tokens create".
    json: { url: session.url, user: reply.user, expires_at: reply.expires_at },
    text: () => `Signed in to ${session.url} as ${reply.user.username} (${reply.user.role}).\n`,
  });
}

async function keepSignIn(session: Session, reply: LoginReply, url: string | null): Promise<void> {
  await writeProfile(session.profilePath, {
    url,
    sign_ins: {
      ...session.profile.sign_ins,
      [session.url]: { username: reply.user.username, token: reply.token, expires_at: reply.expires_at },
    },
  });
}

async function changePassword(session: Session, options: PasswordOptions): Promise<void> {
  const { current, next } = await askChange(session, options);
  const change = { current_password: current, new_password: next };
  const reply = await session.client.changePassword(change).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 403)) throw error;
    throw new CliError(EXIT.notAllowed, 'the current password is wrong', 'Try again.', [], error);
  });
  const { user, expires_at } = reply;
  const kept = session.profile.sign_ins[session.url];
  // The one of before is of no use any more; that of another user is.
  const isKept = kept === undefined || kept.username === user.username;
  if (isKept) await keepSignIn(session, reply, session.profile.url);
  await session.show({
    json: { url: session.url, user, expires_at },
    text: () => `The password of ${user.username} is changed; all other sign-ins have ended.\n`,
  });
}

async function register(session: Session, options: CredentialOptions, argument?: string): Promise<void> {
  const username = await askName(session, argument ?? options.username);
  const password = await askNewPassword(session, 'Password', options);
  const user = await session.anonymous.register({ username, password });
  await session.show({
    json: user,
    ids: [user.user_id],
    text: () =>
      `Account ${user.username} (${user.role}) is made. Sign in: cloudai login --username ${user.username}\n`,
  });
}

/** Where the cluster cannot be reached the sign-in is forgotten all the same, and ends by itself in time. */
async function signOut(session: Session, { all = false }: { all?: boolean }): Promise<void> {
  const { [session.url]: gone, ...rest } = session.profile.sign_ins;
  const token = gone?.token;
  if (all && token === undefined) {
    throw new CliError(
      EXIT.notAllowed,
      `you are not signed in to ${session.url}`,
      'Sign in first: cloudai login',
    );
  }
  if (token !== undefined) {
    const client = session.clientWith(token);
    const end = all ? client.signOutAll() : client.signOut();
    // It may have ended already, and with --all a person counts on it.
    await end.catch((error: unknown) => {
      if (all && !(error instanceof ApiError && error.status === 401)) throw error;
    });
  }
  if (gone) await writeProfile(session.profilePath, { ...session.profile, sign_ins: rest });
  await session.show({
    json: { url: session.url, signed_out: gone !== undefined },
    text: () => (gone ? `Signed out of ${session.url}.\n` : `You were not signed in to ${session.url}.\n`),
  });
}

async function createToken(session: Session, _options: object, name: string): Promise<void> {
  const reply = await session.client.createToken(name);
  await session.show({ json: reply, ids: [reply.token], text: () => `${reply.token}\n` });
  await session.remark(`Token "${name}" (${reply.token_id}). Keep it now: it is not shown again.`);
}

async function listTokens(session: Session): Promise<void> {
  const tokens = await session.client.listTokens();
  const ago = (at: string | null) => (at === null ? 'never' : `${age(at, session.io.now())} ago`);
  await session.show({
    json: { tokens },
    ids: tokens.map(({ token_id }) => token_id),
    text: () =>
      tokens.length === 0
        ? 'You have no tokens. Make one: cloudai tokens create NAME\n'
        : session.table<TokenBody>(tokens, [
            { title: 'TOKEN', cell: ({ token_id }) => token_id },
            { title: 'NAME', cell: ({ name }) => name, min: 8 },
            { title: 'MADE', cell: ({ created_at }) => ago(created_at) },
            { title: 'LAST USED', cell: ({ last_used_at }) => ago(last_used_at) },
          ]),
  });
}

async function deleteToken(session: Session, _options: object, tokenId: string): Promise<void> {
  await session.client.deleteToken(tokenId);
  await session.show({ json: { token_id: tokenId, deleted: true }, text: () => `${tokenId} is deleted.\n` });
}

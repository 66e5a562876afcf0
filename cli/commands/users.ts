// `users`, `user`, `add-user`, `set-user`: accounts, one's own for everybody and all of them for admins. Never prints a
// password.

import { type Command, Option } from 'commander';
import type { QuotaBody, UserChangeBody } from '../../shared/contracts/users.ts';
import { ROLES, type Role } from '../../shared/model/user.ts';
import { accountTable, accountText } from '../account-view.ts';
import { askNewPassword } from '../credentials.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { inTypedWords } from '../option-names.ts';
import { amountLimit, limit, positive } from '../options.ts';
import type { Run } from '../program.ts';
import type { Session } from '../session.ts';

interface SetOptions {
  readonly role?: Role;
  readonly disable?: boolean;
  readonly enable?: boolean;
  readonly max_tasks?: number | 'none';
  readonly max_storage?: number | 'none';
  readonly max_cores?: number | 'none';
  readonly max_memory?: number | 'none';
  readonly max_gpus?: number | 'none';
  readonly max_reads?: number | 'none';
  readonly max_writes?: number | 'none';
  readonly password?: boolean;
  readonly password_stdin?: boolean;
}

export function addUserCommands(program: Command, run: Run): void {
  const role = () => new Option('--role <role>', 'what the account may do').choices([...ROLES]);
  const users = program
    .command('users')
    .description('list accounts, in order of name (admins)')
    .option('--match <part>', 'only names with this part')
    .option('--limit <n>', 'how many; 100 when not set', positive)
    .action(run(listUsers));
  withExamples(users, [
    { line: 'users', what: 'with role, state and what is used of each quota' },
    { line: 'users --match ali --json', what: 'for scripts' },
  ]);
  const user = program
    .command('user')
    .description('show your account, or another one (admins)')
    .argument('[user]')
    .action(run(showUser));
  withExamples(user, [
    { line: 'user', what: 'who you are, and what you have left' },
    { line: 'user alice', what: 'of somebody else' },
  ]);
  const add = program
    .command('add-user')
    .description('make an account for somebody, also where registration is closed (admins)')
    .argument('<username>')
    .addOption(role())
    .option('--password-stdin', 'read the password from standard input')
    .action(run(addUser));
  withExamples(add, [
    { line: 'add-user bob', what: 'asks for a password, twice' },
    { line: 'add-user ops --role admin --password-stdin', what: 'with the password piped in' },
  ]);
  const set = program
    .command('set-user')
    .description('change an account (admins)')
    .argument('<user>')
    .addOption(role())
    .option('--disable', 'let it sign in no more, and end what it has open')
    .option('--enable', 'let it sign in again')
    .option('--max-tasks <n>', 'unfinished tasks it may have; "none" for any number', limit)
    .option('--max-storage <mb>', 'MB of uploads it may keep; "none" for any amount', limit)
    .option(
      '--max-cores <n>',
      'cores its tasks may hold at a time; more wait; "none" for any number',
      amountLimit,
    )
    .option('--max-memory <mb>', 'MB of memory, the same', limit)
    .option('--max-gpus <n>', 'GPUs, the same', limit)
    .option(
      '--max-reads <n>',
      'requests a second that read, averaged over 10 s; 0 for any number; "none" for what the settings say',
      limit,
    )
    .option('--max-writes <n>', 'requests a second that write, the same', limit)
    .option('--password', 'ask for a new password; it is signed out everywhere')
    .option('--password-stdin', 'read the new password from standard input')
    .action(run(setUser));
  withExamples(set, [
    { line: 'set-user alice --max-tasks 100 --max-storage 10240', what: 'quotas' },
    {
      line: 'set-user alice --max-cores 16 --max-memory 65536 --max-gpus 2',
      what: 'what its tasks may hold',
    },
    { line: 'set-user alice --max-tasks none', what: 'no limit of tasks' },
    { line: 'set-user ci --max-reads 2000 --max-writes 500', what: 'a limit of requests of its own' },
    { line: 'set-user bob --role admin', what: 'may do everything from now on' },
    { line: 'set-user bob --disable', what: 'signed out within seconds; its tasks run on' },
  ]);
  addSignOutCommand(program, run);
}

function addSignOutCommand(program: Command, run: Run): void {
  const signOut = program
    .command('sign-out')
    .description('end all sign-ins of an account (admins)')
    .argument('<user>')
    .option('--tokens', 'take back its API tokens, too')
    .action(run(signOutUser));
  withExamples(signOut, [
    { line: 'sign-out bob', what: 'wherever bob is signed in; within seconds' },
    { line: 'sign-out bob --tokens', what: 'and no script of bob gets in any more' },
  ]);
}

async function signOutUser(
  session: Session,
  { tokens = false }: { tokens?: boolean },
  username: string,
): Promise<void> {
  await session.client.signOutUser(username, { apiTokens: tokens });
  await session.show({
    json: { username, signed_out: true, api_tokens: tokens },
    ids: [username],
    text: () => `${username} is signed out everywhere${tokens ? '; its API tokens are taken back' : ''}.\n`,
  });
}

async function listUsers(session: Session, options: { match?: string; limit?: number }): Promise<void> {
  const reply = await session.client.listUsers({ q: options.match, limit: options.limit });
  const { users } = reply;
  await session.show({
    json: reply,
    ids: users.map(({ username }) => username),
    text: () => (users.length === 0 ? 'There is no such account.\n' : accountTable(session, users)),
  });
  if (reply.next_cursor !== null) await session.remark('There are more; ask for them with --limit.');
}

async function showUser(session: Session, _options: object, username?: string): Promise<void> {
  const { client } = session;
  const account = await (username === undefined ? client.me() : client.getUser(username));
  await session.show({ json: account, ids: [account.username], text: () => accountText(session, account) });
}

async function addUser(
  session: Session,
  options: { role?: Role; password_stdin?: boolean },
  username: string,
): Promise<void> {
  const password = await askNewPassword(session, `Password of ${username}`, options);
  const account = await session.client.createUser({ username, password, role: options.role ?? 'user' });
  await session.show({
    json: account,
    ids: [account.username],
    text: () => `Account ${account.username} (${account.role}) is made.\n`,
  });
}

async function setUser(session: Session, options: SetOptions, username: string): Promise<void> {
  const change = changeOf(options);
  const asksPassword = options.password || options.password_stdin;
  if (Object.keys(change).length === 0 && !asksPassword) {
    const advice = 'Name what to change; --help shows the options.';
    throw new CliError(EXIT.usage, 'nothing is to be changed', advice);
  }
  const password = asksPassword
    ? await askNewPassword(session, `New password of ${username}`, options)
    : undefined;
  const whole = { ...change, ...(password === undefined ? {} : { password }) };
  const account = await session.client.updateUser(username, whole).catch((error: unknown) => {
    // Scripts match the names of fields.
    throw session.json ? error : inTypedWords(error);
  });
  await session.show({ json: account, ids: [account.username], text: () => accountText(session, account) });
}

function changeOf({ role, disable, enable, ...limits }: SetOptions): UserChangeBody {
  if (disable && enable) {
    throw new CliError(EXIT.usage, '--disable and --enable exclude each other', 'Give one of them.');
  }
  const named: [keyof QuotaBody, number | 'none' | undefined][] = [
    ['unfinished_tasks', limits.max_tasks],
    ['upload_storage', limits.max_storage],
    ['cpu', limits.max_cores],
    ['memory', limits.max_memory],
    ['gpu', limits.max_gpus],
    ['rate_limit_reads', limits.max_reads],
    ['rate_limit_writes', limits.max_writes],
  ];
  const quota: Partial<QuotaBody> = Object.fromEntries(
    named.flatMap(([name, given]) => (given === undefined ? [] : [[name, given === 'none' ? null : given]])),
  );
  return {
    ...(role === undefined ? {} : { role }),
    ...(disable || enable ? { disabled: disable === true } : {}),
    ...(Object.keys(quota).length === 0 ? {} : { quota }),
  };
}

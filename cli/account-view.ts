// Accounts as people read them in a terminal. No calls here.

import { age, megabytes, trim } from '../client/words.ts';
import type { AccountBody } from '../shared/contracts/users.ts';
import type { Session } from './session.ts';
import { plain } from './table.ts';

export function accountTable(session: Session, accounts: readonly AccountBody[]): string {
  const now = session.io.now();
  return session.table<AccountBody>(accounts, [
    { title: 'USER', cell: ({ username }) => username, min: 8 },
    { title: 'ROLE', cell: ({ role }) => role },
    { title: 'STATE', cell: stateOf },
    { title: 'UNFINISHED', cell: (account) => tasksOf(account), align: 'right' },
    { title: 'UPLOADS', cell: (account) => storageOf(account), align: 'right' },
    ...HELD.filter((kind) => accounts.some((account) => isOfInterest(account, kind))).map((kind) => ({
      title: kind.name.toUpperCase(),
      cell: (account: AccountBody) => heldOf(account, kind),
      align: 'right' as const,
      dispensable: 2,
    })),
    { title: 'MADE', cell: ({ created_at }) => `${age(created_at, now)} ago`, dispensable: 1 },
  ]);
}

export function accountText(session: Session, account: AccountBody): string {
  const { username, user_id, role, created_at } = account;
  const lines: [string, string][] = [
    ['User', `${username} (${user_id})`],
    ['Role', role],
    ['State', stateOf(account)],
    ['Unfinished tasks', tasksOf(account)],
    ['Uploads', storageOf(account)],
    ...HELD.filter(({ of, always }) => always || isOfInterest(account, { of })).map(
      (kind): [string, string] => [`${kind.name} held`, heldOf(account, kind)],
    ),
    ...ratesOf(account),
    ['Made', `${age(created_at, session.io.now())} ago`],
  ];
  const width = Math.max(...lines.map(([title]) => title.length));
  return lines.map(([title, text]) => `${`${title}:`.padEnd(width + 2)}${plain(text)}\n`).join('');
}

function stateOf({ disabled }: AccountBody): string {
  return disabled ? 'disabled' : 'active';
}

function tasksOf({ used, quota }: AccountBody): string {
  return ofLimit(String(used.unfinished_tasks), quota.unfinished_tasks, String);
}

function storageOf({ used, quota }: AccountBody): string {
  return ofLimit(megabytes(used.upload_storage), quota.upload_storage, megabytes);
}

interface Held {
  readonly name: string;
  readonly of: 'cpu' | 'memory' | 'gpu';
  readonly words: (value: number) => string;
  /** Also when nothing is held and nothing limited. */
  readonly always: boolean;
}

/** What assigned and running tasks hold. */
const HELD: readonly Held[] = [
  { name: 'Cores', of: 'cpu', words: (value) => trim(value, 2), always: true },
  { name: 'Memory', of: 'memory', words: megabytes, always: true },
  { name: 'GPUs', of: 'gpu', words: String, always: false },
];

function isOfInterest({ used, quota }: AccountBody, { of }: Pick<Held, 'of'>): boolean {
  // An API of an earlier release knows neither.
  return (used[of] ?? 0) > 0 || (quota[of] ?? null) !== null;
}

function heldOf({ used, quota }: AccountBody, { of, words }: Held): string {
  return ofLimit(words(used[of] ?? 0), quota[of] ?? null, words);
}

/** Only those that are not what the settings say. */
function ratesOf({ quota }: AccountBody): [string, string][] {
  const rates: [string, number | null | undefined][] = [
    ['Reads a second', quota.rate_limit_reads],
    ['Writes a second', quota.rate_limit_writes],
  ];
  return rates.flatMap(([title, rate]): [string, string][] =>
    rate === null || rate === undefined ? [] : [[title, rate === 0 ? 'any number' : `at most ${rate}`]],
  );
}

function ofLimit(used: string, limit: number | null, words: (limit: number) => string): string {
  return limit === null ? used : `${used} of ${words(limit)}`;
}

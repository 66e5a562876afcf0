// Accounts as people read them in a terminal. No calls here.

import { age, megabytes } from '../client/words.ts';
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

function ofLimit(used: string, limit: number | null, words: (limit: number) => string): string {
  return limit === null ? used : `${used} of ${words(limit)}`;
}

// Who may do what, as docs/DOCUMENTATION.md says it: the tables of calls, of rooms and of calls over gRPC, read by their
// words. What it cannot read is an error, so that the document stays readable.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { GRPC_SERVICE } from '../../shared/contracts/grpc.ts';

export const PEOPLE = ['nobody', 'viewer', 'other', 'owner', 'admin'] as const;
/** `other` and `owner` are users; `owner` is whose it is. */
export type Who = (typeof PEOPLE)[number];

const WORDS: Readonly<Record<string, readonly Who[]>> = {
  anyone: PEOPLE,
  account: ['viewer', 'other', 'owner', 'admin'],
  user: ['other', 'owner', 'admin'],
  owner: ['owner'],
  viewer: ['viewer'],
  admin: ['admin'],
};

const reference = readFileSync(resolve(import.meta.dirname, '../../docs/DOCUMENTATION.md'), 'utf8');

/** By `GET /api/tasks/{id}`, as hapi spells it apart from `*`. */
export function documentedCalls(observeAuth: 'open' | 'required'): ReadonlyMap<string, readonly Who[]> {
  const rows = tableUnder('| call | who | does |').flatMap(([calls = '', who = '']) =>
    callsOf(calls).map((call) => [call, peopleOf(who, observeAuth)] as const),
  );
  const found = new Map(rows);
  if (found.size !== rows.length) throw new Error('a call stands in two rows of the document');
  return found;
}

/** By `telemetry`, `tasks`, `task:<id>`. */
export function documentedRooms(observeAuth: 'open' | 'required'): ReadonlyMap<string, readonly Who[]> {
  return new Map(
    tableUnder('| room | who | events |').map(([room = '', who = '']) => [
      room.replaceAll('`', ''),
      peopleOf(who, observeAuth),
    ]),
  );
}

/** By `cloudai.v1.CloudAI/GetTask`. */
export function documentedMethods(observeAuth: 'open' | 'required'): ReadonlyMap<string, readonly Who[]> {
  const rows = tableUnder('| method | who | as |').flatMap(([methods = '', who = '']) =>
    [...methods.matchAll(/`([^`]+)`/g)].map(
      ([, name = '']) =>
        [name.includes('/') ? name : `${GRPC_SERVICE}/${name}`, peopleOf(who, observeAuth)] as const,
    ),
  );
  const found = new Map(rows);
  if (found.size !== rows.length) throw new Error('a method stands in two rows of the document');
  return found;
}

function tableUnder(head: string): string[][] {
  const at = reference.indexOf(`\n${head}\n`);
  if (at < 0) throw new Error(`the document has no table ${head}`);
  const lines = reference.slice(at + 1).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(2, end).map((line) =>
    line
      .slice(1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

/** Of `` `POST /api/workers/{id}/cordon`, `/uncordon` `` and `` `PATCH`, `HEAD`, `DELETE /api/uploads/{id}` `` each; HEAD is GET to hapi. */
function callsOf(cell: string): string[] {
  const parts = [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
  const whole = parts.find((part) => /^[A-Z]+ \//.test(part));
  if (whole === undefined) throw new Error(`the document has a row without a call: ${cell}`);
  const [method = '', address = ''] = whole.split(' ');
  const path = address.split('?')[0] ?? '';
  return parts.flatMap((part) => {
    if (/^[A-Z]+ \//.test(part)) return [part.split('?')[0] ?? ''];
    if (/^[A-Z]+$/.test(part)) return part === 'HEAD' ? [] : [`${part} ${path}`];
    if (/^\/\w+$/.test(part)) return [`${method} ${path.slice(0, path.lastIndexOf('/'))}${part}`];
    // What is sent.
    return [];
  });
}

function peopleOf(cell: string, observeAuth: 'open' | 'required'): readonly Who[] {
  const named = cell.split(',').flatMap((word) => {
    const plain = word.trim();
    const people = WORDS[plain === 'observer' ? (observeAuth === 'open' ? 'anyone' : 'account') : plain];
    if (people === undefined) throw new Error(`the document uses a word that it does not explain: ${cell}`);
    return people;
  });
  return PEOPLE.filter((who) => named.includes(who));
}

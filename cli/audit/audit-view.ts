// Entries of the audit log as people read them in a terminal. No calls here.

import type { AuditEntryBody } from '../../shared/contracts/audit.ts';
import type { Session } from '../session.ts';
import { plain } from '../table.ts';
import { paintState } from '../words.ts';

export function auditTable(session: Session, entries: readonly AuditEntryBody[]): string {
  const paint = (text: string, { outcome }: AuditEntryBody) =>
    paintState(outcome === 'done' ? 'completed' : 'failed', session.io.color)(text);
  return session.table<AuditEntryBody>(entries, [
    { title: 'AT', cell: ({ at }) => moment(at) },
    { title: 'WHO', cell: who, min: 8 },
    { title: 'FROM', cell: ({ address }) => address ?? '', dispensable: 2 },
    { title: 'ACTION', cell: ({ action }) => action },
    { title: 'TARGET', cell: ({ target }) => target ?? '', min: 12 },
    { title: 'OUTCOME', cell: outcomeOf, paint },
    { title: 'DETAILS', cell: detailsOf, min: 12, dispensable: 1 },
  ]);
}

/** One line, for what goes on and on. */
export function auditLine(session: Session, entry: AuditEntryBody): string {
  const { at, address, action, target, outcome } = entry;
  const paint = paintState(outcome === 'done' ? 'completed' : 'failed', session.io.color);
  const words = [who(entry), address, action, target, outcomeOf(entry), detailsOf(entry)];
  const [by, from, what, to, ended, more] = words.map((word) => plain(word ?? ''));
  return `${moment(at)}  ${[by, from, what, to].filter(Boolean).join('  ')}  ${paint(ended ?? '')}${more ? `  ${more}` : ''}\n`;
}

function moment(at: string): string {
  return `${at.slice(0, 19).replace('T', ' ')}Z`;
}

function who({ actor }: AuditEntryBody): string {
  if (actor === null) return 'nobody known';
  return actor.token === null ? actor.username : `${actor.username} (token ${actor.token.name})`;
}

function outcomeOf({ outcome, code }: AuditEntryBody): string {
  return code === null ? outcome : `${outcome}: ${code}`;
}

function detailsOf({ details }: AuditEntryBody): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

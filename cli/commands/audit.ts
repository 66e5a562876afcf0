// `audit`: who did what, newest first, or as it happens. For admins.

import type { Command } from 'commander';
import type { AuditQuestion } from '../../client/audit.ts';
import { pause } from '../../client/transport.ts';
import type { AuditEntryBody } from '../../shared/contracts/audit.ts';
import { AuditFeed, auditPages } from '../audit/audit-pages.ts';
import { auditLine, auditTable } from '../audit/audit-view.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { positive } from '../options.ts';
import type { Run } from '../program.ts';
import type { Session } from '../session.ts';

interface AuditOptions extends Pick<AuditQuestion, 'actor' | 'action' | 'target' | 'from' | 'to'> {
  readonly limit?: number;
  readonly follow?: boolean;
}

const LIMIT = 50;
const FOLLOW_EVERY_MS = 2_000;

export function addAuditCommand(program: Command, run: Run): void {
  const audit = program
    .command('audit')
    .description('who did what, newest first (admins)')
    .option('--actor <user>', 'only what this user did')
    .option('--action <actions>', 'only these, e.g. task.cancel, or all of a kind: user,worker')
    .option('--target <name>', 'only what was done to this task, user, worker, file, …')
    .option('--from <moment>', 'from then on: -15m, -2h, -7d or a time')
    .option('--to <moment>', 'until then (default now)')
    .option('--limit <n>', `how many; ${LIMIT} when not set`, positive)
    .option('-f, --follow', 'go on with what is done from now on, oldest first')
    .action(run(show));
  withExamples(audit, [
    { line: 'audit --from -24h', what: 'of the last day' },
    { line: 'audit --action account.sign_in --actor alice', what: 'when and from where alice signed in' },
    { line: 'audit --target task-01jd8x2b9q3v5w7y8z0a1c2d3e', what: 'who cancelled it' },
    {
      line: 'audit --action user,worker --follow --json',
      what: 'changes by admins as they happen, for a program',
    },
  ]);
}

async function show(session: Session, options: AuditOptions): Promise<void> {
  const { actor, action, target, from, to, limit = LIMIT } = options;
  const question = { actor, action, target, from, to };
  if (options.follow) {
    if (to !== undefined) {
      throw new CliError(EXIT.usage, '--follow and --to exclude each other', 'Leave one of them out.');
    }
    return follow(session, question, limit);
  }
  const entries: AuditEntryBody[] = [];
  let next: string | null = null;
  for await (const page of auditPages(session.client, question, limit, session.io.signal)) {
    entries.push(...page.entries);
    next = page.next_cursor;
  }
  await session.show({
    json: { entries, next_cursor: next },
    ids: entries.map(({ audit_id }) => audit_id),
    text: () => (entries.length === 0 ? 'Nothing of that kind was done.\n' : auditTable(session, entries)),
  });
  if (next !== null) await session.remark(`There are more: --limit ${limit * 4} shows them.`);
}

/** Until Ctrl-C. */
async function follow(session: Session, question: AuditQuestion, limit: number): Promise<void> {
  const { client, io } = session;
  const feed = new AuditFeed(client, question, limit);
  for (;;) {
    for (const entry of await feed.fresh(io.signal)) {
      if (session.json) await io.out(`${JSON.stringify(entry)}\n`);
      else if (session.quiet) await io.out(`${entry.audit_id}\n`);
      else await io.out(auditLine(session, entry));
    }
    await pause(FOLLOW_EVERY_MS, io.signal);
  }
}

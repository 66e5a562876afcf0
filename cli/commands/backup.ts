// `backup` and `restore`: all records of the cluster into a file, and back. For admins.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ApiError } from '../../client/client.ts';
import { byteSize } from '../../client/words.ts';
import type { RestoreReply } from '../../shared/contracts/backups.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { fileFault } from '../file-fault.ts';
import { saveStream } from '../files/archive.ts';
import { bytesOf, checkUnchanged, type LocalFile } from '../files/local-file.ts';
import { openTransfer } from '../files/transfer.ts';
import type { Run } from '../program.ts';
import type { Session } from '../session.ts';
import { plain } from '../table.ts';

interface RestoreOptions {
  readonly yes?: boolean;
  readonly dry_run?: boolean;
}

export function addBackupCommands(program: Command, run: Run): void {
  withExamples(
    program
      .command('backup')
      .description('all records of the cluster into a file, while it runs (admins)')
      .argument('<file>', 'a tar archive; - is standard output')
      .action(run(backup)),
    [
      { line: 'backup cloudai.tar', what: 'readable by you alone: it holds hashes of passwords and secrets' },
      { line: 'backup -', what: 'to standard output, for example into "age -r …"' },
    ],
  );
  withExamples(
    program
      .command('restore')
      .description('put a backup in the place of all records, while the cluster runs (admins)')
      .argument('<file>', 'made by "backup"')
      .option('--dry-run', 'only say what would change')
      .option('--yes', 'do not ask')
      .action(run(restore)),
    [
      { line: 'restore cloudai.tar --dry-run', what: 'how the backup differs from now' },
      { line: 'restore cloudai.tar', what: 'says the same, and asks' },
    ],
  );
}

async function backup(session: Session, _options: object, target: string): Promise<void> {
  const { client, io } = session;
  await session.remark('The cluster makes a copy …');
  const { body, sizeBytes, sha256 } = await client.downloadBackup({ signal: io.signal });
  const transfer = openTransfer(session, { files: 1, bytes: sizeBytes });
  const hash = createHash('sha256');
  const check = () => {
    if (hash.digest('hex') === sha256) return;
    throw new CliError(EXIT.failed, 'other bytes came than were announced', 'Run the command again.');
  };
  await transfer.run(async () => {
    const onChunk = (chunk: Uint8Array) => {
      hash.update(chunk);
      transfer.line.addBytes(chunk.length);
    };
    await saveStream(body, target, io, onChunk, { mode: 0o600, check });
  }, 'Stopped. A backup cannot be gone on with; nothing is left of it.');
  if (target === '-') return;
  const local = resolve(target);
  await session.show({
    json: { file: local, size_bytes: sizeBytes, sha256 },
    ids: [local],
    text: () => `${byteSize(sizeBytes)} in ${plain(local)}\n`,
  });
  await session.remark(
    'Output, files and settings are not in it: see "Backup" in docs/OPERATIONS.md. Keep it as you keep passwords.',
  );
}

async function restore(session: Session, options: RestoreOptions, given: string): Promise<void> {
  const { yes = false, dry_run: dryRun = false } = options;
  const file = await localFile(given);
  if (!yes && !dryRun && (session.json || !session.io.interactive)) {
    const advice = 'Add --yes, or --dry-run to see what would change.';
    throw new CliError(EXIT.usage, 'a restore replaces all records, and nobody can be asked', advice);
  }
  if (!yes) {
    const reply = await send(session, file, true);
    if (dryRun) return show(session, reply);
    await session.io.err(changesText(reply, false));
    const word = await session.io.ask('Replace all records? Type "restore" to do it: ', { secret: false });
    if (word.trim() !== 'restore') throw new CliError(EXIT.failed, 'nothing was changed', '');
    await checkUnchanged(file);
  }
  await show(session, await send(session, file, dryRun));
}

async function localFile(given: string): Promise<LocalFile> {
  const local = resolve(given);
  const found = await stat(local).catch((error: unknown) => {
    throw new CliError(EXIT.usage, `cannot read ${plain(given)}: ${fileFault(error)}`);
  });
  if (!found.isFile()) throw new CliError(EXIT.usage, `${plain(given)} is no file`);
  return { local, sizeBytes: found.size, mtimeMs: found.mtimeMs };
}

async function send(session: Session, file: LocalFile, dryRun: boolean): Promise<RestoreReply> {
  const { client, io } = session;
  const transfer = openTransfer(session, { files: 1, bytes: file.sizeBytes });
  let reply: RestoreReply | null = null;
  await transfer.run(async () => {
    const { body, unreadable } = bytesOf(file, 0, file.sizeBytes, ({ length }) =>
      transfer.line.addBytes(length),
    );
    try {
      reply = await client.restoreBackup(body, { dryRun, signal: io.signal });
    } catch (error) {
      const fault = unreadable();
      if (fault === undefined && error instanceof ApiError && error.code === 'invalid_request') {
        const advice = `"tar -tvf ${plain(file.local)}" shows what is in it; another copy of the backup may be whole.`;
        throw new CliError(EXIT.usage, error.message, advice, error.details, error);
      }
      if (fault === undefined) throw error;
      throw new CliError(EXIT.failed, `cannot read ${plain(file.local)}: ${fileFault(fault)}`);
    }
  }, 'Stopped. Whether the restore was done, "cloudai restore --dry-run" shows.');
  if (!reply) throw new Error('a transfer that ended well has an answer');
  return reply;
}

function show(session: Session, reply: RestoreReply): Promise<void> {
  return session.show({
    json: reply,
    ids: reply.safety_copy === null ? [] : [plain(reply.safety_copy)],
    text: () => changesText(reply, !reply.dry_run),
  });
}

/** As what has been done, or what would be. */
function changesText(reply: RestoreReply, isDone: boolean): string {
  const are = isDone ? 'were' : 'would be';
  const gone = (n: number, noun: string) =>
    `${count(n, noun)} of now ${isDone ? (n === 1 ? 'is' : 'are') : are} gone`;
  const { created_at, release, schema_version } = reply.backup;
  const from = created_at === null ? 'A bare database' : `Backup of ${plain(created_at)}`;
  const by = release === null ? '' : ` by CloudAI ${plain(release)}`;
  const lines = [
    `${from}${by}, records of version ${schema_version}: ${count(reply.tasks_in_backup, 'task')}.`,
    `All records ${are} replaced: tasks, accounts, tokens, quotas, webhooks.`,
  ];
  const { tasks_lost, unfinished_tasks_lost, tasks_again, users_lost, safety_copy } = reply;
  if (tasks_lost > 0) {
    const unfinished = unfinished_tasks_lost > 0 ? `, ${unfinished_tasks_lost} of them unfinished` : '';
    lines.push(`${gone(tasks_lost, 'task')}: not in the backup${unfinished}.`);
  }
  if (tasks_again > 0)
    lines.push(`${count(tasks_again, 'task')} that ended since ${isDone ? 'will' : 'would'} run again.`);
  if (users_lost > 0) lines.push(`${gone(users_lost, 'account')}.`);
  if (safety_copy !== null) {
    lines.push(
      `What was there before is on the machine of the API, to be restored in turn: ${plain(safety_copy)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

// `files`, `task-files`, `download`, `upload`, `delete-file`: what tasks left, and what they are given.

import type { Command } from 'commander';
import { byteSize, fileCount } from '../../client/words.ts';
import type { FileBody, FileTotalBody } from '../../shared/contracts/files.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { usernameKey } from '../../shared/model/user.ts';
import { CliError, complaintOf, EXIT, type ExitCode } from '../exit.ts';
import { fileTable } from '../file-view.ts';
import { eachOf } from '../files/at-once.ts';
import { downloadFile } from '../files/download.ts';
import { collectFiles, collectTaskFiles } from '../files/lists.ts';
import { LocalFolder } from '../files/local-folder.ts';
import { partNames } from '../files/part-names.ts';
import { ProgressLine } from '../files/progress-line.ts';
import { planUpload, uploadFile } from '../files/upload.ts';
import { positive } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';
import { plain } from '../table.ts';

interface ListOptions {
  readonly limit?: number;
  readonly all?: boolean;
}

interface AttemptOptions {
  readonly attempt?: number;
}

const LIST_LIMIT = 1_000;
/** Downloads or uploads side by side. */
const AT_ONCE = 4;

export function addFileCommands(program: Command, run: Run): void {
  program
    .command('files')
    .description('list files: uploads and what tasks left')
    .argument('[user]', 'whose; your own when left out')
    .option('--limit <n>', `at most this many (default ${LIST_LIMIT})`, positive)
    .option('--all', 'without any limit')
    .action(run(files));
  program
    .command('task-files')
    .description('list the files a task left')
    .argument('<task>')
    .argument('[user]', 'whose task it is')
    .option('--attempt <n>', 'of this attempt instead of the last one', positive)
    .action(run(taskFiles));
  program
    .command('download')
    .description('download all files a task left; run it again to go on where it broke off')
    .usage('[options] <task> [user] [folder]')
    .argument('<task>')
    .argument('[user]', 'whose task it is')
    .argument('[folder]', 'where to put them (default: a folder named like the task)')
    .option('--attempt <n>', 'of this attempt instead of the last one', positive)
    .action(run(download));
  program
    .command('upload')
    .description('upload a file or all files of a folder, for tasks to read (see "task -file")')
    .argument('<file>', 'file or folder on this machine')
    .argument('[path]', 'what to call it there; its own name when left out')
    .action(run(upload));
  program.command('delete-file').description('delete an upload').argument('<path>').action(run(deleteFile));
}

async function files(session: Session, options: ListOptions, user?: string): Promise<void> {
  const limit = options.all ? Number.POSITIVE_INFINITY : (options.limit ?? LIST_LIMIT);
  const { client } = session;
  const list = await collectFiles(limit, (page) => client.listFiles({ ...page, user }));
  await session.show({
    json: list,
    ids: list.files.map(({ path }) => path),
    text: () =>
      list.files.length === 0
        ? 'No files. Upload one: cloudai upload FILE\n'
        : fileTable(session, list.files),
  });
  if (list.files.length > 0) await session.remark(`${totalText(list.total)} in all.`);
  if (list.next_cursor !== null) await session.remark('There are more: --all shows them.');
}

async function taskFiles(
  session: Session,
  { attempt }: AttemptOptions,
  given: string,
  user?: string,
): Promise<void> {
  const id = await findTaskId(session.client, given);
  if (user !== undefined) checkOwner(await session.client.getTask(id), user);
  const list = await collectTaskFiles(session.client, id, attempt);
  await session.show({
    json: list,
    ids: list.files.map(({ path }) => path),
    text: () => (list.files.length === 0 ? `${noFiles(id, list.attempt)}\n` : fileTable(session, list.files)),
  });
  if (list.files.length > 0) {
    await session.remark(`${totalText(list.total)} of attempt ${list.attempt}.`);
  }
}

async function download(
  session: Session,
  { attempt }: AttemptOptions,
  given: string,
  ...words: (string | undefined)[]
): Promise<ExitCode> {
  const { client, io } = session;
  const id = await findTaskId(client, given);
  const folder = new LocalFolder(folderOf(await client.getTask(id), words[0], words[1]));
  const list = await collectTaskFiles(client, id, attempt);
  if (list.files.length === 0) await session.remark(noFiles(id, list.attempt));
  else await folder.make();
  const line = new ProgressLine(io, !session.json && !session.quiet, list.total);
  const parts = partNames(list.files.map(({ path }) => path));
  const done = new Map<FileBody, { local_path: string | null; status: string; error?: string }>();
  await eachOf(list.files, AT_ONCE, async (file) => {
    try {
      const path = await folder.placeOf(file.path);
      const part = await folder.placeOf(parts.get(file.path) ?? '');
      const watch = { signal: io.signal, onBytes: (bytes: number) => line.addBytes(bytes) };
      const status = await downloadFile(client, file, { path, part }, watch);
      done.set(file, { local_path: path, status });
      line.addFile();
    } catch (error) {
      io.signal.throwIfAborted();
      done.set(file, { local_path: null, status: 'failed', error: complaintOf(error).message });
    }
  }).finally(() => line.end());
  // In the order of the list, not of arrival.
  const results = list.files.flatMap((file) => {
    const result = done.get(file);
    return result ? [{ ...file, ...result }] : [];
  });
  const failed = results.filter(({ status }) => status === 'failed');
  const kept = results.filter(({ status }) => status !== 'failed');
  await session.show({
    json: { task_id: id, attempt: list.attempt, folder: folder.path, files: results },
    ids: kept.map(({ local_path }) => local_path ?? ''),
    text: () => {
      const present = kept.filter(({ status }) => status === 'present').length;
      const note = present === 0 ? '' : ` (${present} of them there before)`;
      return kept.length === 0 ? '' : `${totalText(sum(kept))}${note} in ${folder.path}\n`;
    },
  });
  if (failed.length === 0) return EXIT.ok;
  return tellFailures(
    session,
    failed.map(({ path, error = '' }) => ({ path, error })),
    list.files.length,
  );
}

async function upload(session: Session, _options: object, given: string, path?: string): Promise<ExitCode> {
  const { client, io } = session;
  const plan = await planUpload(given, path);
  if (plan.leftOut.length > 0) {
    await session.remark(`left out as no regular files: ${plan.leftOut.map(plain).join(', ')}`);
  }
  const bytes = plan.files.reduce((all, { sizeBytes }) => all + sizeBytes, 0);
  const line = new ProgressLine(io, !session.json && !session.quiet, { files: plan.files.length, bytes });
  const uploaded: FileBody[] = [];
  const failed: { path: string; error: string }[] = [];
  await eachOf(plan.files, AT_ONCE, async (source) => {
    try {
      const watch = { signal: io.signal, onBytes: (more: number) => line.addBytes(more) };
      uploaded.push(await uploadFile(client, source, watch));
      line.addFile();
    } catch (error) {
      io.signal.throwIfAborted();
      // Nothing of the rest would go better, and the exit code says why.
      if (complaintOf(error).exitCode === EXIT.notAllowed || plan.files.length === 1) throw error;
      failed.push({ path: source.path, error: complaintOf(error).message });
    }
  }).finally(() => line.end());
  uploaded.sort((a, b) => (a.path < b.path ? -1 : 1));
  await session.show({
    json: { files: uploaded, failed },
    ids: uploaded.map(({ path: name }) => name),
    text: () => uploaded.map((file) => `${plain(file.path)} (${byteSize(file.size_bytes)})\n`).join(''),
  });
  return failed.length === 0 ? EXIT.ok : tellFailures(session, failed, plan.files.length);
}

async function deleteFile(session: Session, _options: object, path: string): Promise<void> {
  await session.client.deleteFile({ path });
  await session.show({ json: { deleted: path }, ids: [path], text: () => `${plain(path)} is deleted.\n` });
}

/**
 * Where to, from the one or two words after the task. One word alone is the user if it is the task's, a folder if it
 * can be no username.
 * @throws {CliError} when the user named is not the task's
 */
function folderOf(task: TaskBody, first: string | undefined, second: string | undefined): string {
  if (first === undefined) return task.task_id;
  if (second !== undefined) {
    checkOwner(task, first);
    return second;
  }
  if (usernameKey(first) === usernameKey(task.user)) return task.task_id;
  if (/[/\\]|^\.|^~/.test(first)) return first;
  throw notOwner(task, first, `To name a folder, write ./${first}.`);
}

/** @throws {CliError} when it is someone else's */
function checkOwner(task: TaskBody, user: string): void {
  if (usernameKey(user) !== usernameKey(task.user)) throw notOwner(task, user);
}

function notOwner(task: TaskBody, user: string, advice = ''): CliError {
  return new CliError(EXIT.usage, `${task.task_id} is a task of ${task.user}, not of ${user}`, advice);
}

async function tellFailures(
  session: Session,
  failed: readonly { path: string; error: string }[],
  all: number,
): Promise<ExitCode> {
  const lines = failed.map(({ path, error }) => `  ${plain(path)}: ${plain(error)}\n`);
  await session.io.err(`cloudai: ${failed.length} of ${fileCount(all)} failed\n${lines.join('')}`);
  return EXIT.failed;
}

function noFiles(id: string, attempt: number | null): string {
  return attempt === null
    ? `${id} has not run yet, so it has no files.`
    : `Attempt ${attempt} of ${id} left no files.`;
}

function sum(some: readonly FileBody[]): FileTotalBody {
  return { files: some.length, bytes: some.reduce((all, { size_bytes }) => all + size_bytes, 0) };
}

function totalText({ files: count, bytes }: FileTotalBody): string {
  return `${fileCount(count)}, ${byteSize(bytes)}`;
}

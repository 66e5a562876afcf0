// `download` and `get-file`: what a task left, and what was uploaded, back to this machine.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { byteSize } from '../../client/words.ts';
import type { FileBody } from '../../shared/contracts/files.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { filePathFault } from '../../shared/model/file-path.ts';
import { usernameKey } from '../../shared/model/user.ts';
import { withExamples } from '../examples.ts';
import { CliError, complaintOf, EXIT, type ExitCode } from '../exit.ts';
import { archiveFormatOf, saveStream } from '../files/archive.ts';
import { eachOf } from '../files/at-once.ts';
import { DiskFull, downloadFile } from '../files/download.ts';
import { collectTaskFiles } from '../files/lists.ts';
import { LocalFolder } from '../files/local-folder.ts';
import { partNames } from '../files/part-names.ts';
import { pathChoice } from '../files/path-choice.ts';
import { AT_ONCE, openTransfer } from '../files/transfer.ts';
import { checkOwner, noFiles, notOwner, tellFailures, totalOf, totalText } from '../files/words.ts';
import { collect, positive } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';
import { plain } from '../table.ts';

interface DownloadOptions {
  readonly attempt?: number;
  readonly path?: readonly string[];
  readonly archive?: string;
}

export function addDownloadCommands(program: Command, run: Run): void {
  withExamples(
    program
      .command('download')
      .description('download the files a task left; run it again to go on where it broke off')
      .usage('[options] <task> [user] [folder]')
      .argument('<task>')
      .argument('[user]', 'whose task it is')
      .argument('[folder]', 'where to put them (default: a folder named like the task)')
      .option('--attempt <n>', 'of this attempt instead of the last one', positive)
      .option('--path <path>', 'only this file, folder or pattern like "*.json" (may be repeated)', collect)
      .option('--archive <file>', 'all in one .tar.gz or .zip; - is standard output, as .tar.gz')
      .action(run(download)),
    [
      { line: 'download task-01jd8x2b alice ./output', what: 'all files of that task of alice' },
      { line: 'download 0a1c2d3e --path model.bin --path logs', what: 'one file and one folder of it' },
      { line: 'download 0a1c2d3e --archive result.zip', what: 'all of them in one archive' },
      { line: 'download 0a1c2d3e --archive -', what: 'to standard output, for example into "tar xz"' },
    ],
  );
  withExamples(
    program
      .command('get-file')
      .description('get an upload back; run it again to go on where it broke off')
      .argument('<path>', 'as "files" lists it')
      .argument('[file]', 'where to put it (default: its own name here); - is standard output')
      .option('--user <user>', 'whose, for admins')
      .action(run(getFile)),
    [
      { line: 'get-file data/train.csv', what: 'to ./train.csv' },
      { line: 'get-file data/train.csv -', what: 'to standard output, for example into "head"' },
    ],
  );
}

async function download(
  session: Session,
  options: DownloadOptions,
  given: string,
  ...words: (string | undefined)[]
): Promise<ExitCode> {
  const { client } = session;
  const id = await findTaskId(client, given);
  if (options.archive !== undefined) return archive(session, options, id, words[0], words[1]);
  const { io } = session;
  const folder = new LocalFolder(folderOf(await client.getTask(id), words[0], words[1]));
  const list = await collectTaskFiles(client, id, options.attempt);
  const chosen = options.path ? list.files.filter(fits(options.path)) : list.files;
  if (list.files.length === 0) await session.remark(noFiles(id, list.attempt));
  else if (chosen.length === 0) {
    throw new CliError(
      EXIT.failed,
      `none of its ${list.files.length} files fits`,
      `See "cloudai task-files ${id}".`,
    );
  } else await folder.make();
  const transfer = openTransfer(session, totalOf(chosen));
  // Of all files, so that a part is found again whatever is chosen.
  const parts = partNames(list.files.map(({ path }) => path));
  const done = new Map<FileBody, { local_path: string | null; status: string; error?: string }>();
  await transfer.run(() =>
    eachOf(chosen, AT_ONCE, async (file) => {
      try {
        const path = await folder.placeOf(file.path);
        const part = await folder.placeOf(parts.get(file.path) ?? '');
        const status = await downloadFile(client, file, { path, part }, transfer.watch(file.path));
        done.set(file, { local_path: path, status });
        transfer.line.addFile();
      } catch (error) {
        io.signal.throwIfAborted();
        // Nothing of the rest would find room.
        if (error instanceof DiskFull) throw error;
        done.set(file, { local_path: null, status: 'failed', error: complaintOf(error).message });
      }
    }),
  );
  // In the order of the list, not of arrival.
  const results = chosen.flatMap((file) => {
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
      return kept.length === 0 ? '' : `${totalText(totalOf(kept))}${note} in ${folder.path}\n`;
    },
  });
  if (failed.length === 0) return EXIT.ok;
  const named = failed.map(({ path, error = '' }) => ({ path, error }));
  return tellFailures(session, named, chosen.length);
}

async function archive(
  session: Session,
  { archive: target = '', attempt, path }: DownloadOptions,
  id: string,
  user: string | undefined,
  folder: string | undefined,
): Promise<ExitCode> {
  const { client, io } = session;
  const format = archiveFormatOf(target);
  if (path !== undefined || folder !== undefined) {
    const what = path === undefined ? 'a folder' : '--path';
    throw new CliError(
      EXIT.usage,
      `--archive goes without ${what}`,
      'It holds all files, under the name it gives.',
    );
  }
  if (user !== undefined) checkOwner(await client.getTask(id), user);
  // How much it will be is not known beforehand.
  const transfer = openTransfer(session, { files: 1, bytes: 0 });
  let bytes = 0;
  await transfer.run(async () => {
    const body = await client.downloadArchive(id, { format, attempt, signal: io.signal });
    bytes = await saveStream(body, target, io, ({ length }) => transfer.line.addBytes(length));
  }, 'Stopped. An archive cannot be gone on with; nothing is left of it.');
  if (target === '-') return EXIT.ok;
  const local = resolve(target);
  await session.show({
    json: { task_id: id, archive: local, format, size_bytes: bytes },
    ids: [local],
    text: () => `${byteSize(bytes)} in ${local}\n`,
  });
  return EXIT.ok;
}

async function getFile(
  session: Session,
  { user }: { readonly user?: string },
  path: string,
  given?: string,
): Promise<void> {
  const { client, io } = session;
  const fault = filePathFault(path);
  if (fault !== null) throw new CliError(EXIT.usage, `"${path}" is no upload: it must be ${fault}`);
  const file = await client.findFile(path, { user, signal: io.signal });
  if (file === null) {
    throw new CliError(EXIT.failed, `there is no upload ${path}`, '"cloudai files" lists them.');
  }
  const transfer = openTransfer(session, { files: 1, bytes: file.size_bytes });
  if (given === '-') {
    const hash = createHash('sha256');
    await transfer.run(async () => {
      const { body } = await client.downloadFile(file, { user, signal: io.signal });
      await saveStream(body, '-', io, (chunk) => {
        hash.update(chunk);
        transfer.line.addBytes(chunk.length);
      });
      if (hash.digest('hex') === file.sha256) return;
      throw new CliError(EXIT.failed, 'other bytes came than were announced', 'Run the command again.');
    }, 'Stopped.');
    return;
  }
  const local = await placeOf(given, basename(path));
  let status = '';
  await transfer.run(async () => {
    const watch = { ...transfer.watch(path), user };
    status = await downloadFile(client, file, { path: local, part: `${local}.part` }, watch);
  });
  await session.show({
    json: { ...file, local_path: local, status },
    ids: [local],
    text: () =>
      `${byteSize(file.size_bytes)} in ${plain(local)}${status === 'present' ? ', there before' : ''}\n`,
  });
}

/** A folder gets the file under its own name. */
async function placeOf(given: string | undefined, name: string): Promise<string> {
  if (given === undefined) return resolve(name);
  const found = await stat(given).catch(() => null);
  return resolve(found?.isDirectory() || given.endsWith('/') ? join(given, name) : given);
}

function fits(words: readonly string[]): (file: FileBody) => boolean {
  const chosen = pathChoice(words);
  return ({ path }) => chosen(path);
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

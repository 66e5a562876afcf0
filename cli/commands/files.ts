// `files`, `task-files`, `delete-file`, `uploads`, `delete-upload`: lists of what tasks left and of what they are given.
// Bytes move elsewhere.

import type { Command } from 'commander';
import { withExamples } from '../examples.ts';
import { fileTable, uploadTable } from '../file-view.ts';
import { collectFiles, collectTaskFiles } from '../files/lists.ts';
import { checkOwner, noFiles, totalText } from '../files/words.ts';
import { positive } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';
import { plain } from '../table.ts';
import { addDownloadCommands } from './download.ts';
import { addUploadCommand } from './upload.ts';

interface ListOptions {
  readonly limit?: number;
  readonly all?: boolean;
}

interface AttemptOptions {
  readonly attempt?: number;
}

const LIST_LIMIT = 1_000;

export function addFileCommands(program: Command, run: Run): void {
  withExamples(
    program
      .command('files')
      .description('list files: uploads and what tasks left')
      .argument('[user]', 'whose; your own when left out')
      .option('--limit <n>', `at most this many (default ${LIST_LIMIT})`, positive)
      .option('--all', 'without any limit')
      .action(run(files)),
    [
      { line: 'files', what: 'your files' },
      { line: 'files alice --all', what: 'all of alice, for admins' },
    ],
  );
  withExamples(
    program
      .command('task-files')
      .description('list the files a task left')
      .argument('<task>')
      .argument('[user]', 'whose task it is')
      .option('--attempt <n>', 'of this attempt instead of the last one', positive)
      .action(run(taskFiles)),
    [
      { line: 'task-files task-01jd8x2b alice', what: 'what that task of alice left' },
      { line: 'task-files 0a1c2d3e --attempt 1', what: 'what its first attempt left' },
    ],
  );
  addDownloadCommands(program, run);
  addUploadCommand(program, run);
  withExamples(
    program.command('delete-file').description('delete an upload').argument('<path>').action(run(deleteFile)),
    [{ line: 'delete-file data/train.csv', what: 'that one is gone' }],
  );
  withExamples(
    program.command('uploads').description('list uploads that are not finished').action(run(uploads)),
    [{ line: 'uploads', what: 'how far each is, and until when it can be gone on with' }],
  );
  withExamples(
    program
      .command('delete-upload')
      .description('give up an upload that is not finished')
      .argument('<upload-id>')
      .action(run(deleteUpload)),
    [{ line: 'delete-upload upload-0123456789abcdef0123', what: 'what had come of it is gone' }],
  );
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

async function deleteFile(session: Session, _options: object, path: string): Promise<void> {
  await session.client.deleteFile({ path });
  await session.show({ json: { deleted: path }, ids: [path], text: () => `${plain(path)} is deleted.\n` });
}

async function uploads(session: Session): Promise<void> {
  const list = await session.client.listUploads();
  await session.show({
    json: { uploads: list },
    ids: list.map(({ upload_id }) => upload_id),
    text: () => (list.length === 0 ? 'No unfinished uploads.\n' : uploadTable(session, list)),
  });
}

async function deleteUpload(session: Session, _options: object, id: string): Promise<void> {
  await session.client.deleteUpload(id);
  await session.show({ json: { deleted: id }, ids: [id], text: () => `${plain(id)} is given up.\n` });
}

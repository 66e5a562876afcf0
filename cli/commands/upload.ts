// `upload`: files of this machine to the user's space.

import type { Command } from 'commander';
import { byteSize } from '../../client/words.ts';
import type { FileBody } from '../../shared/contracts/files.ts';
import { withExamples } from '../examples.ts';
import { complaintOf, EXIT, type ExitCode } from '../exit.ts';
import { eachOf } from '../files/at-once.ts';
import { AT_ONCE, openTransfer } from '../files/transfer.ts';
import { planUpload, RESUMABLE_BYTES, type Sent, sendFile } from '../files/upload.ts';
import { UploadMemory } from '../files/upload-memory.ts';
import { tellFailures } from '../files/words.ts';
import type { Run } from '../program.ts';
import type { Session } from '../session.ts';
import { plain } from '../table.ts';

interface UploadOptions {
  readonly force?: boolean;
}

export function addUploadCommand(program: Command, run: Run): void {
  withExamples(
    program
      .command('upload')
      .description(
        'upload a file or all files of a folder, for tasks to read (see "task -file"); run it again to go on where it broke off',
      )
      .argument('<file>', 'file or folder on this machine')
      .argument('[path]', 'what to call it there; its own name when left out')
      .option('--force', 'send also what is there already')
      .action(run(upload)),
    [
      { line: 'upload ./data', what: 'all files below data, those that are there already left out' },
      { line: 'upload train.csv in/train.csv', what: 'under another name' },
      { line: 'upload model.bin --force', what: 'send it although it is there' },
    ],
  );
}

async function upload(
  session: Session,
  { force = false }: UploadOptions,
  given: string,
  path?: string,
): Promise<ExitCode> {
  const { client, io } = session;
  const plan = await planUpload(given, path);
  if (plan.leftOut.length > 0) {
    await session.remark(`left out as no regular files: ${plan.leftOut.map(plain).join(', ')}`);
  }
  const bytes = plan.files.reduce((all, { sizeBytes }) => all + sizeBytes, 0);
  const transfer = openTransfer(session, { files: plan.files.length, bytes });
  // Whose uploads are gone on with: the same file may be sent as someone else, too.
  const large = plan.files.some(({ sizeBytes }) => sizeBytes >= RESUMABLE_BYTES);
  const user = large ? (await client.me({ signal: io.signal })).username : '';
  const memory = new UploadMemory(session.profilePath);
  const sent: Sent[] = [];
  const failed: { path: string; error: string }[] = [];
  await transfer.run(() =>
    eachOf(plan.files, AT_ONCE, async (source) => {
      const watch = transfer.watch(source.path);
      const { patience } = watch;
      try {
        const means = { client, memory, user, patience, watch, force, resumableFrom: RESUMABLE_BYTES };
        sent.push(await sendFile(source, means));
        transfer.line.addFile();
      } catch (error) {
        io.signal.throwIfAborted();
        // Nothing of the rest would go better, and the exit code says why.
        if (complaintOf(error).exitCode === EXIT.notAllowed || plan.files.length === 1) throw error;
        failed.push({ path: source.path, error: complaintOf(error).message });
      }
    }),
  );
  sent.sort((a, b) => (a.file.path < b.file.path ? -1 : 1));
  await session.show({
    json: { files: sent.map(({ file, status }) => ({ ...file, status })), failed },
    ids: sent.map(({ file }) => file.path),
    text: () => sent.map(({ file, status }) => line(file, status)).join(''),
  });
  return failed.length === 0 ? EXIT.ok : tellFailures(session, failed, plan.files.length);
}

function line({ path, size_bytes }: FileBody, status: Sent['status']): string {
  return `${plain(path)} (${byteSize(size_bytes)}${status === 'present' ? ', there already' : ''})\n`;
}

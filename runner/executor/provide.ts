// The files an attempt is given, from its owner's space to where its container will find them. Begins in the
// background; an attempt that ends before it has a container leaves nothing behind.

import { Readable } from 'node:stream';
import { AppError, isAppError } from '../../shared/errors.ts';
import type { FileRecord } from '../../shared/model/file.ts';
import type { Task } from '../../shared/model/task.ts';
import type { InputFile } from '../../shared/ports/container-runtime.ts';
import type { AttemptState } from './attempt-state.ts';
import { ENGINE_PATIENCE_MS, keepTrying } from './patience.ts';
import { type ExecutorParts, patienceOf } from './steps.ts';

/** Looks for records at once. */
const LOOKS_AT_ONCE = 8;
/** How often files may be replaced by their owner while they are on their way. */
const MOST_REPLACED = 3;

/**
 * Throws `container_start_failed` when a file is gone, what the engine fails with, and `Abandoned`. A store that is
 * away is waited for.
 */
export async function provideInput(state: AttemptState, parts: ExecutorParts): Promise<void> {
  const { task } = state;
  if (!task) throw new AppError('internal', 'a step needs a record that is not there');
  const signal = state.over.signal;
  const patience = { ...patienceOf(state, parts), signal };
  const provide = async () => {
    const records = await findAll(task, parts);
    await keepTrying(
      {
        ...patience,
        what: 'provide the input',
        isPassing: (error) => isAppError(error, 'runtime_unavailable'),
        giveUpAfterMs: ENGINE_PATIENCE_MS,
      },
      () => parts.runtime.provideInput(state.key, inputFiles(state, records, parts), signal),
    );
  };
  for (let replaced = 1; ; replaced += 1) {
    try {
      return await keepTrying(
        {
          ...patience,
          what: 'read the input',
          isPassing: (error) => isAppError(error, 'store_unavailable'),
        },
        provide,
      );
    } catch (error) {
      if (!isAppError(error, 'not_found')) throw error;
      // Between the look at its record and the first byte its owner wrote it anew, or removed it.
      if (replaced >= MOST_REPLACED)
        throw new AppError('container_start_failed', error.message, { cause: error });
    }
  }
}

/** For an attempt that is over. Its container took the input with it, if it had one and nobody else removed that. */
export function dropInput({ providing, key }: AttemptState, { runtime, log }: ExecutorParts): void {
  providing
    ?.then(() => runtime.dropInput(key))
    .catch((error) => log.warn({ err: error, ...key }, 'the input of an attempt was not removed'));
}

async function findAll({ ownerId, spec }: Task, { records }: ExecutorParts): Promise<FileRecord[]> {
  const found: FileRecord[] = [];
  for (let at = 0; at < spec.files.length; at += LOOKS_AT_ONCE) {
    const looks = spec.files.slice(at, at + LOOKS_AT_ONCE).map(async (path) => {
      const record = await records.find({ ownerId, taskId: null, attempt: null, path });
      if (record) return record;
      throw new AppError(
        'container_start_failed',
        `its input file "${path}" is not in the file space any more`,
      );
    });
    found.push(...(await Promise.all(looks)));
  }
  return found;
}

function inputFiles(state: AttemptState, records: readonly FileRecord[], parts: ExecutorParts): InputFile[] {
  const tell = tellTo(state, records, parts);
  return records.map(({ id, path, sizeBytes }) => ({
    path,
    sizeBytes,
    open: async () => counted(await read(id, path, parts), tell),
  }));
}

async function read(id: string, path: string, { files }: ExecutorParts): Promise<Readable> {
  try {
    return await files.read(id);
  } catch (error) {
    if (!isAppError(error, 'not_found')) throw error;
    throw new AppError('not_found', `its input file "${path}" is not there any more`, { cause: error });
  }
}

function counted(content: Readable, tell: (bytes: number) => void): Readable {
  const count = async function* () {
    for await (const chunk of content) {
      tell((chunk as Buffer).length);
      yield chunk;
    }
  };
  const stream = Readable.from(count(), { objectMode: false });
  // Dropped before its first byte it has not begun to go through the content.
  stream.once('close', () => content.destroy());
  return stream;
}

function tellTo({ key }: AttemptState, records: readonly FileRecord[], { progress }: ExecutorParts) {
  const total = records.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const message = `providing ${records.length} ${records.length === 1 ? 'file' : 'files'}`;
  let done = 0;
  return (bytes: number) => {
    done += bytes;
    const percent = total === 0 ? null : Math.floor((100 * done) / total);
    progress.report(key, { phase: 'preparing', percent, message, layers: null, bytes: { done, total } });
  };
}

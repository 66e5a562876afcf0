// The files an attempt is given: a volume of its own, filled through a container that is never started. Works for
// engines on other machines too.

import { Readable } from 'node:stream';
import { AppError, isAppError } from '../../errors.ts';
import type { InputFile } from '../../ports/container-runtime.ts';
import { fileArchive } from './archive.ts';
import { type Connection, LOOK_TIMEOUT_MS, WORK_TIMEOUT_MS } from './connection.ts';
import {
  INPUT_PATH,
  inputVolumeName,
  LABEL_ATTEMPT,
  LABEL_INPUT,
  LABEL_TASK,
  LABEL_WORKER,
  volumeAt,
} from './container-settings.ts';
import type { PauseContainers } from './pause-containers.ts';
import { watchSilence } from './silence.ts';
import type { TaskVolumes } from './task-volumes.ts';

/** The longest that files of one attempt may take on their way. */
const FILL_LIMIT_MS = 3 * 3_600_000;
interface AttemptOf {
  readonly taskId: string;
  readonly attempt: number;
}

export interface InputVolumes {
  provideInput(
    of: AttemptOf & { readonly workerId: string },
    files: readonly InputFile[],
    signal?: AbortSignal,
  ): Promise<void>;
  dropInput(of: AttemptOf): Promise<void>;
  /** Throws `container_start_failed` when nothing was provided: the engine itself would make an empty volume. */
  check(of: AttemptOf): Promise<void>;
}

export function createInputVolumes(parts: {
  readonly connection: Connection;
  readonly pauses: PauseContainers;
  readonly volumes: TaskVolumes;
}): InputVolumes {
  const { connection, pauses, volumes } = parts;
  const { docker } = connection;

  const drop = async (name: string) => {
    await pauses.remove(name);
    await volumes.remove(name);
  };

  const fill = async (name: string, helper: string, files: readonly InputFile[], signal?: AbortSignal) => {
    let fault: unknown = null;
    const { heard, end } = watchSilence({
      connection,
      doing: 'give a task its files',
      mostMs: FILL_LIMIT_MS,
      tooLong: () => new AppError('timed_out', 'providing the input took too long'),
      giveUp: (error) => body.destroy(error),
    });
    const body = Readable.from(told(fileArchive(files), heard), { objectMode: false });
    body.on('error', (error) => {
      fault = error;
    });
    const stop = () => body.destroy(new AppError('timed_out', 'providing the input was given up'));
    signal?.addEventListener('abort', stop);
    try {
      if (signal?.aborted) stop();
      await connection.ask(`fill the volume ${name}`, FILL_LIMIT_MS, (abortSignal) =>
        docker.getContainer(helper).putArchive(body, { path: INPUT_PATH, abortSignal } as never),
      );
    } catch (error) {
      // The engine only sees that the archive ends; what ended it is what matters.
      throw fault instanceof AppError ? fault : error;
    } finally {
      end();
      signal?.removeEventListener('abort', stop);
      body.destroy();
    }
  };

  return {
    async provideInput(of, files, signal) {
      const name = inputVolumeName(of);
      await drop(name);
      volumes.take(name);
      const labels = { [LABEL_TASK]: of.taskId, [LABEL_ATTEMPT]: String(of.attempt) };
      await connection.ask('make a volume for the input', WORK_TIMEOUT_MS, (abortSignal) =>
        docker.createVolume({ Name: name, Labels: { ...labels, [LABEL_WORKER]: of.workerId }, abortSignal }),
      );
      const helper = await pauses.shelf(name, { [LABEL_INPUT]: name }, [volumeAt(INPUT_PATH, name)]);
      try {
        await fill(name, helper, files, signal);
      } finally {
        await pauses.remove(helper);
      }
    },
    dropInput: (of) => drop(inputVolumeName(of)),
    async check(of) {
      const name = inputVolumeName(of);
      if (volumes.has(name)) return;
      try {
        await connection.ask('look for the input of the task', LOOK_TIMEOUT_MS, () =>
          docker.getVolume(name).inspect(),
        );
      } catch (error) {
        if (!isAppError(error, 'not_found')) throw error;
        throw new AppError('container_start_failed', 'the files of this attempt were not provided', {
          cause: error,
        });
      }
    },
  };
}

/** Tells of each chunk that was taken. */
async function* told(content: Readable, heard: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    heard();
    yield chunk as Buffer;
  }
}

// The files an attempt is given: a volume of its own, filled through a container that is never started. Works for
// engines on other machines too. Must never leave a volume behind for longer than a sweep.

import { Readable } from 'node:stream';
import { AppError, isAppError } from '../../errors.ts';
import type { Log } from '../../platform/log.ts';
import type { InputFile } from '../../ports/container-runtime.ts';
import { fileArchive } from './archive.ts';
import { type Connection, LOOK_TIMEOUT_MS, WORK_TIMEOUT_MS } from './connection.ts';
import {
  INPUT_PATH,
  inputVolumeName,
  LABEL_ATTEMPT,
  LABEL_TASK,
  LABEL_WORKER,
  volumeAt,
} from './container-settings.ts';
import { statusOf } from './errors.ts';
import type { PauseContainers } from './pause-containers.ts';
import { watchSilence } from './silence.ts';

/** On containers through which volumes are filled: the name of the volume. */
export const LABEL_INPUT = 'cloudai.input';

/** The longest that files of one attempt may take on their way. */
const FILL_LIMIT_MS = 3 * 3_600_000;
/**
 * So long something that this process does not know must be there before it is swept: another life of the runner may
 * be at work on it.
 */
const SWEEP_GRACE_MS = 60_000;
const SWEEP_EVERY_MS = 20_000;

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
  /** A container that has the volume of this name mounted; or none. */
  learn(containerId: string, volume: string | null): void;
  knows(containerId: string): boolean;
  /** The container is gone: its volume goes too. */
  release(containerId: string): Promise<void>;
  /** Looks, now and then, for what an earlier life left. Never throws, and makes nobody wait. */
  sweep(workerId: string): void;
}

export function createInputVolumes(parts: {
  readonly connection: Connection;
  readonly pauses: PauseContainers;
  readonly log: Log;
  readonly sweepGraceMs?: number;
}): InputVolumes {
  const { connection, pauses, log, sweepGraceMs = SWEEP_GRACE_MS } = parts;
  const { docker } = connection;
  /** Volumes this process has filled, or is filling. */
  const own = new Set<string>();
  const ofContainer = new Map<string, string | null>();
  /** What nobody here knows, and when it was seen first; monotonic. */
  const unknown = new Map<string, number>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  let sweeping = false;

  const removeVolume = (name: string) =>
    connection.ask('remove the input of a task', WORK_TIMEOUT_MS, async (abortSignal) => {
      try {
        await docker.getVolume(name).remove({ abortSignal } as never);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
      }
    });

  const drop = async (name: string) => {
    // First, so that whatever is left now is swept.
    own.delete(name);
    await pauses.remove(name);
    await removeVolume(name);
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

  const look = async (workerId: string) => {
    const label = [`${LABEL_WORKER}=${workerId}`];
    const [{ Volumes }, helpers] = await Promise.all([
      connection.ask('list volumes', LOOK_TIMEOUT_MS, (abortSignal) =>
        (docker.listVolumes as (options: object) => Promise<{ Volumes: { Name: string }[] | null }>).call(
          docker,
          {
            // Not those of containers: they go with them.
            filters: { label: [...label, LABEL_TASK], dangling: ['true'] },
            abortSignal,
          },
        ),
      ),
      connection.ask('list containers', LOOK_TIMEOUT_MS, (abortSignal) =>
        docker.listContainers({ all: true, filters: { label: [...label, LABEL_INPUT] }, abortSignal }),
      ),
    ]);
    const left = new Map<string, string[]>((Volumes ?? []).map(({ Name }) => [Name, []]));
    for (const { Id, Labels } of helpers) {
      const name = Labels[LABEL_INPUT] ?? '';
      left.set(name, [...(left.get(name) ?? []), Id]);
    }
    const used = new Set(ofContainer.values());
    const now = performance.now();
    for (const name of unknown.keys()) if (!left.has(name)) unknown.delete(name);
    for (const [name, ids] of left) {
      if (own.has(name) || used.has(name)) continue;
      const since = unknown.get(name) ?? now;
      unknown.set(name, since);
      if (now - since < sweepGraceMs) continue;
      log.info({ volume: name }, 'removing a volume that an earlier life of the runner left');
      try {
        for (const id of ids) await pauses.remove(id);
        await removeVolume(name);
      } catch (error) {
        // A container may have it after all.
        log.debug({ err: error, volume: name }, 'left input was not removed');
      }
    }
  };

  return {
    async provideInput(of, files, signal) {
      const name = inputVolumeName(of);
      await drop(name);
      own.add(name);
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
      if (own.has(name)) return;
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
    learn(containerId, volume) {
      ofContainer.set(containerId, volume);
    },
    knows: (containerId) => ofContainer.has(containerId),
    async release(containerId) {
      const name = ofContainer.get(containerId);
      ofContainer.delete(containerId);
      if (!name) return;
      own.delete(name);
      await removeVolume(name);
    },
    sweep(workerId) {
      if (sweeping || performance.now() - sweptAt < Math.min(SWEEP_EVERY_MS, sweepGraceMs)) return;
      sweeping = true;
      sweptAt = performance.now();
      look(workerId)
        .catch((error) => log.debug({ err: error }, 'the sweep for left input failed'))
        .finally(() => {
          sweeping = false;
        });
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

// What a program leaves in /output, read through the engine's API. Reading costs the engine a process of its own, so
// it is not asked to when the folder is as it was before the start.

import type { Readable } from 'node:stream';
import { AppError, isAppError } from '../../errors.ts';
import type { ContainerStatus, OutputEntry } from '../../ports/container-runtime.ts';
import { archiveEntries, folderArchive } from './archive.ts';
import { type Connection, LOOK_TIMEOUT_MS, WORK_TIMEOUT_MS } from './connection.ts';
import { OUTPUT_PATH } from './container-settings.ts';

/** For everybody to write to, as /tmp is. */
const OPEN_MODE = 0o1777;

export interface OutputFolders {
  /** Lets a program that does not run as root write to the folder of a container that was not started yet. */
  openToAll(containerId: string): Promise<void>;
  /** Begins to look what the folder of a container that was not started yet is like. */
  note(containerId: string): void;
  /** Resolves when it is known: from then on the program may run. Never rejects. */
  noted(containerId: string): Promise<void>;
  forget(containerId: string): void;
  readOutput(containerId: string, signal?: AbortSignal): AsyncIterable<OutputEntry>;
  /**
   * The status of a container that is being read: the engine answers no question about it meanwhile, and does not
   * remove it.
   */
  statusWhileRead(containerId: string): ContainerStatus | null;
  /** Ends all reading of the container. */
  stopReading(containerId: string): void;
}

interface Reading {
  readonly status: ContainerStatus;
  readonly stop: AbortController;
}

export function createOutputFolders(parts: {
  readonly connection: Connection;
  readonly inspect: (containerId: string) => Promise<ContainerStatus | null>;
}): OutputFolders {
  const { connection, inspect } = parts;
  const { docker } = connection;
  /**
   * Times of folders that no program has seen. Only the very same time later on means that nothing was made in the
   * folder: clocks differ, the engine notes the start of a container after its program ran, and a program may set the
   * folder's time to a past one, as unpacking does.
   */
  const untouched = new Map<string, Promise<string | null>>();
  const readings = new Map<string, Set<Reading>>();

  const timeOf = (containerId: string): Promise<string> =>
    connection.ask('look at the output folder', LOOK_TIMEOUT_MS, async (abortSignal) => {
      const options = { path: OUTPUT_PATH, abortSignal } as never;
      const answer = (await docker.getContainer(containerId).infoArchive(options)) as unknown as Readable & {
        headers: Record<string, string>;
      };
      answer.resume();
      const stat = Buffer.from(answer.headers['x-docker-container-path-stat'] ?? '', 'base64').toString();
      return (JSON.parse(stat) as { mtime: string }).mtime;
    });

  const isUntouched = async (containerId: string): Promise<boolean> => {
    const before = await untouched.get(containerId);
    return before != null && before === (await timeOf(containerId));
  };

  const open = (containerId: string): Promise<Readable> =>
    connection.ask('read the output folder', WORK_TIMEOUT_MS, async (abortSignal) => {
      const options = { path: `${OUTPUT_PATH}/.`, abortSignal } as never;
      return (await docker.getContainer(containerId).getArchive(options)) as Readable;
    });

  async function* read(containerId: string, signal: AbortSignal | undefined): AsyncGenerator<OutputEntry> {
    if (await isUntouched(containerId)) return;
    const status = await inspect(containerId);
    if (!status) throw new AppError('not_found', 'cannot read the output folder: the container is gone');
    const reading = { status, stop: new AbortController() };
    const here = readings.get(containerId) ?? new Set();
    // Before the engine is asked: from then on it answers no other question.
    readings.set(containerId, here.add(reading));
    const stop = () =>
      reading.stop.abort(new AppError('timed_out', 'reading the output folder was given up'));
    signal?.addEventListener('abort', stop);
    try {
      if (signal?.aborted) stop();
      reading.stop.signal.throwIfAborted();
      const source = await open(containerId).catch((error) => {
        // A container of an earlier release has no such folder.
        if (isAppError(error, 'not_found')) return null;
        throw error;
      });
      if (source) yield* entriesUntil(source, reading.stop.signal);
    } finally {
      signal?.removeEventListener('abort', stop);
      here.delete(reading);
      if (here.size === 0 && readings.get(containerId) === here) readings.delete(containerId);
    }
  }

  return {
    async openToAll(containerId) {
      const archive = await folderArchive(OUTPUT_PATH.slice(1), OPEN_MODE);
      await connection.ask('open the output folder', WORK_TIMEOUT_MS, (abortSignal) =>
        docker.getContainer(containerId).putArchive(archive, { path: '/', abortSignal } as never),
      );
    },
    note(containerId) {
      untouched.set(
        containerId,
        timeOf(containerId).catch(() => null),
      );
    },
    async noted(containerId) {
      await untouched.get(containerId);
    },
    forget: (containerId) => void untouched.delete(containerId),
    readOutput: read,
    statusWhileRead: (containerId) => [...(readings.get(containerId) ?? [])][0]?.status ?? null,
    stopReading(containerId) {
      const here = readings.get(containerId) ?? [];
      readings.delete(containerId);
      for (const { stop } of here) {
        stop.abort(new AppError('runtime_unavailable', 'the container is being removed'));
      }
    },
  };
}

/** Fails with the signal's reason once it is aborted. */
async function* entriesUntil(source: Readable, signal: AbortSignal): AsyncGenerator<OutputEntry> {
  const stop = () => source.destroy(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) stop();
    yield* archiveEntries(source);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

// Reads the output files of a program while it writes them, from the first byte to the last.

import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import type { LogStream } from '../../model/log-line.ts';
import type { OutputHandle, OutputSink } from '../../ports/container-runtime.ts';
import type { ContainerFolder } from './container-folder.ts';

const CHUNK_BYTES = 64 * 1024;
const LOOK_EVERY_MS = 50;
const STREAMS: readonly LogStream[] = ['stdout', 'stderr'];

export async function followOutput(folder: ContainerFolder, sink: OutputSink): Promise<OutputHandle> {
  if (!(await folder.spec())) throw new AppError('not_found', `there is no container ${folder.id}`);
  const stop = new AbortController();
  const files = await openBoth(folder);
  const read = async () => {
    try {
      for (;;) {
        // Looked at before reading: what was written by then is there to be read.
        const status = await folder.status();
        for (const { file, stream } of files) await readOn(file, stream, sink, stop.signal);
        if (stop.signal.aborted || status === null || status.state === 'exited') return;
        await delay(LOOK_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    } finally {
      await Promise.all(files.map(({ file }) => file.close()));
    }
  };
  const done = read();
  done.catch(() => undefined);
  return { done, close: () => stop.abort() };
}

async function openBoth(folder: ContainerFolder): Promise<{ file: FileHandle; stream: LogStream }[]> {
  const opened: { file: FileHandle; stream: LogStream }[] = [];
  try {
    for (const stream of STREAMS) opened.push({ stream, file: await open(folder.file(stream), 'r') });
    return opened;
  } catch (error) {
    await Promise.all(opened.map(({ file }) => file.close()));
    throw error;
  }
}

/** From where the handle stands to the end of the file as it is now. */
async function readOn(
  file: FileHandle,
  stream: LogStream,
  sink: OutputSink,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return;
    await sink(stream, buffer.subarray(0, bytesRead));
  }
}

// A stream that cannot be gone on with, as an archive that the API makes while it sends it, to a file or to standard
// output. What breaks off leaves no file.

import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ArchiveFormat } from '../../shared/contracts/files.ts';
import { CliError, EXIT } from '../exit.ts';
import type { CliIo } from '../io.ts';

/** By the name; standard output gets what most tools read. */
export function archiveFormatOf(target: string): ArchiveFormat {
  if (target === '-' || /\.(tar\.gz|tgz)$/i.test(target)) return 'tar.gz';
  if (/\.zip$/i.test(target)) return 'zip';
  throw new CliError(
    EXIT.usage,
    `"${target}" says no format`,
    'Let it end in .tar.gz, .tgz or .zip, or name "-".',
  );
}

export interface SaveOptions {
  /** Of the file; what the process makes by default. */
  readonly mode?: number;
  /** Throws when what came is not what was announced; then no file is left. */
  readonly check?: () => void;
}

/**
 * @returns bytes written
 * @throws ConnectionError when it breaks off; errors of the disk; {CliError} for a terminal
 */
export async function saveStream(
  body: ReadableStream<Uint8Array>,
  target: string,
  io: CliIo,
  onChunk: (chunk: Uint8Array) => void,
  { mode, check }: SaveOptions = {},
): Promise<number> {
  if (target === '-') {
    const sent = await toOutput(body, io, onChunk);
    check?.();
    return sent;
  }
  const path = resolve(target);
  const part = `${path}.part`;
  // One left by an earlier run would keep its mode.
  if (mode !== undefined) await rm(part, { force: true }).catch(() => undefined);
  const file = await open(part, 'w', mode).catch(async (error: Error) => {
    await body.cancel();
    throw new CliError(EXIT.failed, `cannot write ${target}: ${error.message}`, `Is ${dirname(path)} there?`);
  });
  let bytes = 0;
  try {
    try {
      for await (const chunk of body) {
        for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
        bytes += chunk.length;
        onChunk(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    check?.();
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return bytes;
}

async function toOutput(
  body: ReadableStream<Uint8Array>,
  io: CliIo,
  onChunk: (chunk: Uint8Array) => void,
): Promise<number> {
  if (io.outBytes === undefined) {
    await body.cancel();
    throw new CliError(EXIT.usage, 'standard output is a terminal', 'Name a file, or send it into a pipe.');
  }
  let bytes = 0;
  for await (const chunk of body) {
    await io.outBytes(chunk);
    bytes += chunk.length;
    onChunk(chunk);
  }
  return bytes;
}

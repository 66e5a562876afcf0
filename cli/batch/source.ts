// Reads what a command is given to read: a file or standard input, up to a size, with faults in words.

import { open } from 'node:fs/promises';
import { CliError, EXIT } from '../exit.ts';
import { fileFault } from '../file-fault.ts';
import type { CliIo } from '../io.ts';

/** Ten thousand tasks written out one by one are about 3 MB. */
const MAX_BYTES = 8 * 1_048_576;
const TOO_LARGE = `larger than ${MAX_BYTES / 1_048_576} MB`;

export interface Source {
  /** For messages, e.g. `sweep.yaml`. */
  readonly name: string;
  readonly text: string;
}

/** @throws {CliError} saying why it cannot be read */
export async function readSource(io: CliIo, path: string): Promise<Source> {
  const name = path === '-' ? 'standard input' : path;
  const text = path === '-' ? await io.readInput({ maxBytes: MAX_BYTES }) : await readFileBounded(path);
  if (text.length > MAX_BYTES) throw unread(name, `it is ${TOO_LARGE}`);
  if (text.includes('\0')) throw unread(name, 'it is not text');
  return { name, text };
}

async function readFileBounded(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      if ((await file.stat()).isDirectory()) throw unread(path, 'it is a folder');
      // Not by its size: a pipe or a device has none.
      const room = Buffer.alloc(MAX_BYTES + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(room, length, room.length - length, null);
        length += bytesRead;
        if (bytesRead === 0 || length === room.length) break;
      }
      if (length > MAX_BYTES) throw unread(path, `it is ${TOO_LARGE}`);
      return decode(path, room.subarray(0, length));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw unread(path, fileFault(error));
  }
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unread(path, 'it is not text in UTF-8');
  }
}

function unread(name: string, why: string): CliError {
  return new CliError(
    EXIT.usage,
    `${name} cannot be read: ${why}`,
    'Name a file of tasks, or - for standard input.',
  );
}

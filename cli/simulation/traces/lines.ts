// The lines of a large file, one by one: never more of it in memory than a chunk and a line. Packed ones (`.gz`) are
// unpacked on the way.

import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { CliError, EXIT } from '../../exit.ts';
import { plain } from '../../table.ts';

/** A line of a trace has some hundred characters. */
export const LONGEST_LINE = 65_536;

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'reading it is not allowed',
  EISDIR: 'it is a folder',
  ENOTDIR: 'its folder is a file',
  Z_DATA_ERROR: 'it is not packed as .gz says, or broken',
  Z_BUF_ERROR: 'it ends too soon',
};

/**
 * Null stands for a line that is too long.
 * @throws {CliError} saying why it cannot be read
 */
export async function* linesOf(path: string, signal: AbortSignal): AsyncGenerator<string | null> {
  const bytes = createReadStream(path, { signal });
  const unpacked = path.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  // A pipe does not hand on what went wrong at its beginning.
  if (unpacked !== bytes) bytes.on('error', (error) => unpacked.destroy(error));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let isTooLong = false;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      const pieces = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = pieces.pop() ?? '';
      for (const piece of pieces) {
        yield isTooLong || piece.length > LONGEST_LINE ? null : piece;
        isTooLong = false;
      }
      if (rest.length > LONGEST_LINE) [rest, isTooLong] = ['', true];
    }
    decoder.decode();
    if (rest !== '' || isTooLong) yield isTooLong ? null : rest;
  } catch (error) {
    if (signal.aborted || error instanceof CliError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    const why = error instanceof TypeError ? 'it is not text in UTF-8' : (WORDS[code] ?? plain(message));
    throw new CliError(
      EXIT.usage,
      `${path} cannot be read: ${why}`,
      'Name a file with a trace; see docs/TRACES.md.',
    );
  } finally {
    bytes.destroy();
  }
}

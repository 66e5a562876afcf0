// The lines of a large file, one by one: never more of it in memory than a chunk and a line. Packed ones (`.gz`) are
// unpacked on the way.

import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { CliError, EXIT } from '../../exit.ts';
import { fileFault } from '../../file-fault.ts';

/** A line of a trace has some hundred characters. */
export const LONGEST_LINE = 65_536;

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
    const why = error instanceof TypeError ? 'it is not text in UTF-8' : fileFault(error);
    throw new CliError(
      EXIT.usage,
      `${path} cannot be read: ${why}`,
      'Name a file with a trace; see docs/TRACES.md.',
    );
  } finally {
    bytes.destroy();
  }
}

// Where `replay` gets decisions from: the API, or a file that was saved of it. One entry is in memory at a time.

import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { readJsonLines } from '../../client/ndjson.ts';
import { CliError, EXIT } from '../exit.ts';
import { fileFault } from '../file-fault.ts';
import type { Session } from '../session.ts';

export interface SourceOptions {
  /** Read this file instead of asking the API. */
  readonly file?: string | undefined;
  /** Keep what is read in this file. */
  readonly save?: string | undefined;
}

const FILE_ADVICE = 'Name a file that "cloudai replay --save" or the API wrote.';

/** @throws {CliError} saying why a file cannot be read or written; whatever the client throws */
export async function* entriesFrom(session: Session, { file, save }: SourceOptions): AsyncGenerator<unknown> {
  if (file !== undefined && save !== undefined && resolve(file) === resolve(save)) {
    throw new CliError(EXIT.usage, `${save} is the file that is read`, 'Save to another one.');
  }
  const entries =
    file === undefined ? session.client.decisions({ signal: session.io.signal }) : entriesOfFile(file);
  if (save === undefined) return yield* entries;
  // Opened with the first answer: who may not read decisions loses no file that is there.
  let kept: FileHandle | null = null;
  try {
    for await (const entry of entries) {
      kept ??= await fault(save, 'written', open(save, 'w', 0o600));
      await fault(save, 'written', kept.write(`${JSON.stringify(entry)}\n`));
      yield entry;
    }
    kept ??= await fault(save, 'written', open(save, 'w', 0o600));
  } finally {
    await kept?.close();
  }
}

async function* entriesOfFile(path: string): AsyncGenerator<unknown> {
  const bytes = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
  const entries = readJsonLines<unknown>(bytes);
  for (;;) {
    const next = await fault(path, 'read', entries.next());
    if (next.done) return;
    yield next.value;
  }
}

async function fault<T>(path: string, verb: 'read' | 'written', work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const why = error instanceof SyntaxError ? 'a line of it is not JSON' : fileFault(error);
    throw new CliError(EXIT.usage, `${path} cannot be ${verb}: ${why}`, verb === 'read' ? FILE_ADVICE : '');
  }
}

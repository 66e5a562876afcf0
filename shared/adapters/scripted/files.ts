// Files of scripted containers, in memory.

import { Readable } from 'node:stream';
import { AppError } from '../../errors.ts';
import type { InputFile, OutputEntry } from '../../ports/container-runtime.ts';
import type { Left } from './script.ts';
import type { ScriptedContainer } from './scripted-container.ts';

const CHUNK_BYTES = 64 * 1_024;

export async function readInput(
  files: readonly InputFile[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Buffer>> {
  const input = new Map<string, Buffer>();
  for (const { path, sizeBytes, open } of files) {
    const chunks: Buffer[] = [];
    for await (const chunk of await open()) {
      if (signal?.aborted) throw new AppError('timed_out', 'providing the input was given up');
      chunks.push(chunk as Buffer);
    }
    const bytes = Buffer.concat(chunks);
    if (bytes.length !== sizeBytes) {
      throw new AppError('internal', `the input file "${path}" is not as large as its record says`);
    }
    input.set(path, bytes);
  }
  return input;
}

export function* leftEntries(container: ScriptedContainer): Generator<OutputEntry> {
  for (const left of [...container.left.values()]) {
    const { path, type, target, sizeBytes } = left;
    yield { path, type, target, sizeBytes, content: contentOf(left) };
  }
}

function contentOf({ bytes, sizeBytes }: Left): Readable {
  if (sizeBytes === 0) return Readable.from([]);
  return Readable.from(bytes ? [bytes] : zeros(sizeBytes), { objectMode: false });
}

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= CHUNK_BYTES) yield Buffer.alloc(Math.min(left, CHUNK_BYTES));
}

// The form of log files: a chunk holds a fixed count of lines, so that the chunk of a line follows from its
// number. Each begins with a header that says how many lines of either stream came before it, so that nobody
// reads a whole log to count it. A torn last line, left by a writer that died, is not a line.

import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLine } from '../../model/log-line.ts';
import type { LogPosition } from '../../ports/log-store.ts';
import { isMissing } from './errors.ts';

const LINES_PER_CHUNK = 4_096;
const BLOCK_BYTES = 131_072;
const NEWLINE = 10;

export const chunkOf = (seq: number): number => Math.floor((seq - 1) / LINES_PER_CHUNK);
export const firstSeqOf = (chunk: number): number => chunk * LINES_PER_CHUNK + 1;

export function chunkPath(folder: string, chunk: number): string {
  return join(folder, `${String(chunk).padStart(8, '0')}.ndjson`);
}

/** Numbers of the chunks in a folder, in order; none when there is no such folder. */
export async function chunksIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names
    .map((name) => /^(\d+)\.ndjson$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

export function encodeHeader({ stdoutLines, stderrLines }: LogPosition): string {
  return `${JSON.stringify({ stdoutLines, stderrLines })}\n`;
}

/** A JSON list, which is shorter than an object: number, time, stream (1 stdout, 2 stderr), text, 1 if it goes on. */
export function encodeLine({ seq, ts, stream, line, more }: LogLine): string {
  return `[${seq},${ts},${stream === 'stdout' ? 1 : 2},${JSON.stringify(line)}${more ? ',1' : ''}]\n`;
}

/** Null when it is not the line of that number: what a power cut left, and the end of what can be read. */
function decodeLine(text: string, seq: number): LogLine | null {
  const parsed = parse(text);
  if (!Array.isArray(parsed) || parsed[0] !== seq) return null;
  const [, ts, stream, line, more] = parsed as [number, number, number, string, number?];
  const read: LogLine = { seq, ts, stream: stream === 1 ? 'stdout' : 'stderr', line };
  return more ? { ...read, more: true } : read;
}

/** Null when it is no header. */
function decodeHeader(text: string): Pick<LogPosition, 'stdoutLines' | 'stderrLines'> | null {
  const parsed = parse(text) as Partial<LogPosition> | null;
  const { stdoutLines, stderrLines } = parsed ?? {};
  return stdoutLines === undefined || stderrLines === undefined ? null : { stdoutLines, stderrLines };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export interface ChunkState extends LogPosition {
  /** Length of the whole lines; what follows is torn. */
  readonly wholeBytes: number;
}

/** How far a chunk reaches. Null when it has not even a header, or is not there. */
export async function measureChunk(folder: string, chunk: number): Promise<ChunkState | null> {
  return withFile(chunkPath(folder, chunk), async (file) => {
    let state: ChunkState | null = null;
    for await (const { text, end } of wholeLines(file, 0)) {
      if (state === null) {
        const header = decodeHeader(text());
        if (header === null) return null;
        state = { ...header, lastSeq: firstSeqOf(chunk) - 1, wholeBytes: end };
      } else {
        const line = decodeLine(text(), state.lastSeq + 1);
        if (line === null) return state;
        state = { ...countLine(state, line), wholeBytes: end };
      }
    }
    return state;
  });
}

export function countLine(position: LogPosition, { seq, stream }: LogLine): LogPosition {
  const { stdoutLines, stderrLines } = position;
  return stream === 'stdout'
    ? { lastSeq: seq, stdoutLines: stdoutLines + 1, stderrLines }
    : { lastSeq: seq, stdoutLines, stderrLines: stderrLines + 1 };
}

export interface ChunkPart {
  readonly lines: readonly LogLine[];
  /** Where the line after the last of these begins, in bytes. */
  readonly end: number;
}

/** At most `limit` lines from number `from`, which begins at byte `start` or, when that is 0, is searched for. */
export async function readChunk(
  folder: string,
  from: number,
  start: number,
  limit: number,
): Promise<ChunkPart | null> {
  return withFile(chunkPath(folder, chunkOf(from)), async (file) => {
    const lines: LogLine[] = [];
    // From the start of the file the first line is the header, which takes the number before the first.
    let seq = start === 0 ? firstSeqOf(chunkOf(from)) - 1 : from;
    let reached = start;
    for await (const { text, end } of wholeLines(file, start)) {
      if (seq >= from) {
        const line = decodeLine(text(), seq);
        if (line === null) break;
        lines.push(line);
      }
      seq += 1;
      reached = end;
      if (lines.length === limit) break;
    }
    return { lines, end: reached };
  });
}

/** Lines that have their end, from byte `start` on. `text` decodes one, so that skipping is cheap. */
async function* wholeLines(file: FileHandle, start: number): AsyncGenerator<{ text(): string; end: number }> {
  const block = Buffer.alloc(BLOCK_BYTES);
  let rest: Buffer = Buffer.alloc(0);
  let position = start;
  for (;;) {
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position);
    if (bytesRead === 0) return;
    const restStart = position - rest.length;
    position += bytesRead;
    const bytes = Buffer.concat([rest, block.subarray(0, bytesRead)]);
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      const from = at;
      yield { text: () => bytes.toString('utf8', from, end), end: restStart + end + 1 };
      at = end + 1;
    }
    rest = bytes.subarray(at);
  }
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T | null> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

// Output of tasks in files: <dir>/logs/<task>/<attempt>/<chunk>.ndjson, a fixed count of lines per chunk, so that
// the chunk of a line follows from its number. One writer per attempt appends; readers may be other processes.
// A torn last line, left by a writer that died, is not a line: readers skip it and the next writer cuts it off.

import { appendFile, mkdir, open, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '../../errors.ts';
import type { LogLine } from '../../model/log-line.ts';
import type { LogPosition, LogStore } from '../../ports/log-store.ts';

const LINES_PER_CHUNK = 4_096;
/** Positions kept in memory, so that an append does not count its file again. */
const MAX_POSITIONS = 4_096;
const TASK_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

export function openDiskLogStore(dir: string): LogStore {
  return new DiskLogStore(join(dir, 'logs'));
}

class DiskLogStore implements LogStore {
  readonly #dir: string;
  readonly #positions = new Map<string, LogPosition>();
  readonly #turns = new Map<string, Promise<void>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  append(taskId: string, attempt: number, lines: readonly LogLine[]): Promise<void> {
    const folder = this.#folder(taskId, attempt);
    const turn = (this.#turns.get(folder) ?? Promise.resolve()).then(() => this.#append(folder, lines));
    const kept = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(folder) === kept) this.#turns.delete(folder);
      });
    this.#turns.set(folder, kept);
    return turn;
  }

  async #append(folder: string, lines: readonly LogLine[]): Promise<void> {
    await guarded(async () => {
      let position = this.#positions.get(folder) ?? (await this.#recover(folder));
      const fresh = lines.filter(({ seq }) => seq > position.lastSeq);
      try {
        for (let at = 0; at < fresh.length; ) {
          const chunk = chunkOf((fresh[at] as LogLine).seq);
          let end = at;
          while (end < fresh.length && chunkOf((fresh[end] as LogLine).seq) === chunk) end += 1;
          const part = fresh.slice(at, end);
          await appendFile(chunkPath(folder, chunk), part.map(encode).join(''));
          position = advance(position, part);
          at = end;
        }
      } catch (error) {
        // Part of it may be there: count again before the next append.
        this.#positions.delete(folder);
        throw error;
      }
      this.#remember(folder, position);
    });
  }

  async read(taskId: string, attempt: number, from: number, limit: number): Promise<LogLine[]> {
    const folder = this.#folder(taskId, attempt);
    return guarded(async () => {
      const found: LogLine[] = [];
      let seq = Math.max(1, from);
      while (found.length < limit) {
        const chunk = chunkOf(seq);
        const lines = await readChunk(folder, chunk);
        for (const line of lines ?? []) {
          if (line.seq >= seq && found.length < limit) found.push(line);
        }
        if (!lines || lines.at(-1)?.seq !== (chunk + 1) * LINES_PER_CHUNK) break;
        seq = (chunk + 1) * LINES_PER_CHUNK + 1;
      }
      return found;
    });
  }

  async position(taskId: string, attempt: number): Promise<LogPosition> {
    return guarded(() => measure(this.#folder(taskId, attempt)));
  }

  async remove(taskId: string): Promise<void> {
    const folder = this.#taskFolder(taskId);
    await guarded(() => rm(folder, { recursive: true, force: true }));
    for (const known of this.#positions.keys()) {
      if (known.startsWith(`${folder}/`)) this.#positions.delete(known);
    }
  }

  /** What an earlier writer left, its torn last line cut off. */
  async #recover(folder: string): Promise<LogPosition> {
    await mkdir(folder, { recursive: true });
    const last = (await chunksIn(folder)).at(-1);
    if (last !== undefined) {
      const path = chunkPath(folder, last);
      const bytes = await readFile(path);
      const whole = bytes.lastIndexOf(10) + 1;
      if (whole < bytes.length) await truncate(path, whole);
    }
    return measure(folder);
  }

  #remember(folder: string, position: LogPosition): void {
    this.#positions.delete(folder);
    this.#positions.set(folder, position);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > MAX_POSITIONS && oldest !== undefined) this.#positions.delete(oldest);
  }

  #folder(taskId: string, attempt: number): string {
    if (!Number.isSafeInteger(attempt) || attempt < 1) {
      throw new AppError('invalid_request', `no such attempt: ${attempt}`);
    }
    return join(this.#taskFolder(taskId), String(attempt));
  }

  #taskFolder(taskId: string): string {
    if (!TASK_ID.test(taskId)) throw new AppError('invalid_request', 'this cannot be the id of a task');
    return join(this.#dir, taskId);
  }
}

async function measure(folder: string): Promise<LogPosition> {
  let position: LogPosition = { lastSeq: 0, stdoutLines: 0, stderrLines: 0 };
  for (const chunk of await chunksIn(folder))
    position = advance(position, (await readChunk(folder, chunk)) ?? []);
  return position;
}

function advance(position: LogPosition, lines: readonly LogLine[]): LogPosition {
  let { lastSeq, stdoutLines, stderrLines } = position;
  for (const { seq, stream } of lines) {
    lastSeq = Math.max(lastSeq, seq);
    if (stream === 'stdout') stdoutLines += 1;
    else stderrLines += 1;
  }
  return { lastSeq, stdoutLines, stderrLines };
}

/** Null when there is no such chunk. */
async function readChunk(folder: string, chunk: number): Promise<LogLine[] | null> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(chunkPath(folder, chunk));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const text = await file.readFile('utf8');
    const end = text.lastIndexOf('\n');
    return end < 0 ? [] : text.slice(0, end).split('\n').map(decode);
  } finally {
    await file.close();
  }
}

async function chunksIn(folder: string): Promise<number[]> {
  try {
    const names = await readdir(folder);
    return names
      .map((name) => /^(\d+)\.ndjson$/.exec(name)?.[1])
      .filter((number) => number !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const chunkOf = (seq: number): number => Math.floor((seq - 1) / LINES_PER_CHUNK);
const chunkPath = (folder: string, chunk: number): string =>
  join(folder, `${String(chunk).padStart(8, '0')}.ndjson`);

/** A JSON list, which is shorter than an object: number, time, stream (1 stdout, 2 stderr), text. */
function encode({ seq, ts, stream, line }: LogLine): string {
  return `[${seq},${ts},${stream === 'stdout' ? 1 : 2},${JSON.stringify(line)}]\n`;
}

function decode(text: string): LogLine {
  const [seq, ts, stream, line] = JSON.parse(text) as [number, number, number, string];
  return { seq, ts, stream: stream === 1 ? 'stdout' : 'stderr', line };
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new AppError('disk_full', 'the disk that keeps output is full', {
        retryable: true,
        cause: error,
      });
    }
    if (code === undefined) throw error;
    throw new AppError('store_unavailable', `output cannot be kept or read: ${messageOf(error)}`, {
      retryable: true,
      cause: error,
    });
  }
}

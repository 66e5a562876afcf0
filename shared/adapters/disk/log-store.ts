// Output of tasks in files: <dir>/logs/<task>/<attempt>/<chunk>.ndjson. One writer per attempt appends; readers
// may be other processes. Written, not fsynced, before it returns: it survives the death of any process, and only
// a power cut may take the last moments. No path may lead out of <dir>.

import { statSync } from 'node:fs';
import { appendFile, mkdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { LogLine } from '../../model/log-line.ts';
import type { LogPosition, LogStore } from '../../ports/log-store.ts';
import { guarded } from './errors.ts';
import {
  chunkOf,
  chunkPath,
  chunksIn,
  countLine,
  encodeHeader,
  encodeLine,
  firstSeqOf,
  measureChunk,
  readChunk,
} from './log-file.ts';

/** Positions of writers and places of readers kept in memory, so that neither goes over a file again. */
const MAX_KEPT = 4_096;
const KEPT = 'output of tasks';
const TASK_ID = /^[a-z0-9][a-z0-9_-]{0,127}$/i;
const NOTHING: LogPosition = { lastSeq: 0, stdoutLines: 0, stderrLines: 0 };

export function openDiskLogStore(dir: string): LogStore {
  return new DiskLogStore(join(dir, 'logs'));
}

class DiskLogStore implements LogStore {
  readonly #dir: string;
  /** By folder: where the writer is. Only of attempts this process appends to. */
  readonly #positions = new Map<string, LogPosition>();
  /** By folder and line: the byte at which a line begins that a reader will ask for next. */
  readonly #places = new Map<string, number>();
  readonly #turns = new Map<string, Promise<void>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async append(taskId: string, attempt: number, lines: readonly LogLine[]): Promise<void> {
    const folder = this.#folder(taskId, attempt);
    // One after the other: each needs to know where the one before ended.
    const turn = (this.#turns.get(folder) ?? Promise.resolve()).then(() => this.#append(folder, lines));
    const ended = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(folder) === ended) this.#turns.delete(folder);
      });
    this.#turns.set(folder, ended);
    await turn;
  }

  async #append(folder: string, lines: readonly LogLine[]): Promise<void> {
    await guarded(KEPT, async () => {
      let position = this.#positions.get(folder) ?? (await recover(folder));
      // Until all is written, what is in memory is no guide: part of it may be there.
      this.#positions.delete(folder);
      const start = position.lastSeq;
      const fresh = lines.filter(({ seq }) => seq > start);
      for (let at = 0; at < fresh.length; ) {
        const chunk = chunkOf(position.lastSeq + 1);
        let text = position.lastSeq + 1 === firstSeqOf(chunk) ? encodeHeader(position) : '';
        for (; at < fresh.length && chunkOf(position.lastSeq + 1) === chunk; at += 1) {
          const line = fresh[at] as LogLine;
          if (line.seq !== position.lastSeq + 1) {
            throw new AppError('internal', `line ${line.seq} of a log does not follow ${position.lastSeq}`);
          }
          text += encodeLine(line);
          position = countLine(position, line);
        }
        await appendFile(chunkPath(folder, chunk), text);
      }
      keep(this.#positions, folder, position);
    });
  }

  async read(taskId: string, attempt: number, from: number, limit: number): Promise<LogLine[]> {
    const folder = this.#folder(taskId, attempt);
    return guarded(KEPT, async () => {
      const found: LogLine[] = [];
      let seq = Math.max(1, from);
      while (found.length < limit) {
        const place = `${folder}:${seq}`;
        const part = await readChunk(folder, seq, this.#places.get(place) ?? 0, limit - found.length);
        if (part === null || part.lines.length === 0) break;
        for (const line of part.lines) found.push(line);
        this.#places.delete(place);
        seq += part.lines.length;
        if (chunkOf(seq) === chunkOf(seq - 1)) {
          keep(this.#places, `${folder}:${seq}`, part.end);
          break;
        }
      }
      return found;
    });
  }

  async position(taskId: string, attempt: number): Promise<LogPosition> {
    const folder = this.#folder(taskId, attempt);
    return guarded(KEPT, async () => {
      // Most often there is nothing yet. This look takes microseconds; one that fails on another thread, a hundred times that.
      if (!statSync(folder, { throwIfNoEntry: false })) return NOTHING;
      for (const chunk of (await chunksIn(folder)).reverse()) {
        const state = await measureChunk(folder, chunk);
        if (state) return positionOf(state);
      }
      return NOTHING;
    });
  }

  async remove(taskId: string): Promise<void> {
    const folder = this.#taskFolder(taskId);
    await guarded(KEPT, () => rm(folder, { recursive: true, force: true }));
    for (const kept of [this.#positions, this.#places]) {
      for (const key of kept.keys()) if (key.startsWith(`${folder}/`)) kept.delete(key);
    }
  }

  #folder(taskId: string, attempt: number): string {
    if (!Number.isSafeInteger(attempt) || attempt < 1) {
      throw new AppError('invalid_request', `${attempt} cannot be the number of an attempt`);
    }
    return join(this.#taskFolder(taskId), String(attempt));
  }

  #taskFolder(taskId: string): string {
    if (!TASK_ID.test(taskId)) throw new AppError('invalid_request', 'this cannot be the id of a task');
    return join(this.#dir, taskId);
  }
}

/** Makes the folder ready for a new writer: what is torn is cut off. */
async function recover(folder: string): Promise<LogPosition> {
  await mkdir(folder, { recursive: true });
  for (const chunk of (await chunksIn(folder)).reverse()) {
    const state = await measureChunk(folder, chunk);
    await truncate(chunkPath(folder, chunk), state?.wholeBytes ?? 0);
    if (!state) continue;
    if (state.lastSeq >= firstSeqOf(chunk)) return positionOf(state);
    // A header alone: it is written again with the first line.
    await truncate(chunkPath(folder, chunk), 0);
    return positionOf(state);
  }
  return NOTHING;
}

function positionOf({ lastSeq, stdoutLines, stderrLines }: LogPosition): LogPosition {
  return { lastSeq, stdoutLines, stderrLines };
}

/** Remembers as the newest of at most `MAX_KEPT`. */
function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_KEPT && oldest !== undefined) map.delete(oldest);
}

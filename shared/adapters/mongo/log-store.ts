// Output of tasks in MongoDB: chunks of lines, each a document that says how far it reaches. One writer per
// attempt appends; it must never write a line whose number is not the next.

import { AppError } from '../../errors.ts';
import type { LogLine } from '../../model/log-line.ts';
import type { LogPosition, LogStore } from '../../ports/log-store.ts';
import type { Collections, LogChunkDocument } from './collections.ts';
import { guarded } from './errors.ts';

/** A small chunk is rewritten with what follows until it has this many characters; then a new one begins. */
const GROWS_UNTIL = 32_768;
/** A chunk of this many characters stays far below the 16 MB a document may have, whatever is in it. */
const FULL_AT = 1_048_576;
/** Last chunks kept in memory, so that an append does not read first. */
const MAX_TAILS = 1_024;

type Tail = Omit<LogChunkDocument, '_id'>;

export class MongoLogStore implements LogStore {
  readonly #logs: Collections['logs'];
  readonly #tails = new Map<string, Tail>();
  readonly #turns = new Map<string, Promise<void>>();

  constructor({ logs }: Pick<Collections, 'logs'>) {
    this.#logs = logs;
  }

  append(taskId: string, attempt: number, lines: readonly LogLine[]): Promise<void> {
    // One after the other: each needs to know where the one before ended.
    const key = `${taskId}/${attempt}`;
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(() => this.#append(taskId, attempt, lines));
    const ended = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(key) === ended) this.#turns.delete(key);
      });
    this.#turns.set(key, ended);
    return turn;
  }

  async #append(taskId: string, attempt: number, lines: readonly LogLine[]): Promise<void> {
    const key = `${taskId}/${attempt}`;
    await guarded(async () => {
      let tail =
        this.#tails.get(key) ?? (await this.#lastChunk(taskId, attempt)) ?? emptyTail(taskId, attempt);
      // Until it is known to be written, what is in memory is no guide.
      this.#tails.delete(key);
      const fresh = lines.filter(({ seq }) => seq > tail.lastSeq);
      for (let at = 0; at < fresh.length; ) {
        const next = tail.text.length < GROWS_UNTIL ? { ...tail } : { ...tail, firstSeq: 0, text: '' };
        for (; at < fresh.length && next.text.length < FULL_AT; at += 1) addLine(next, fresh[at] as LogLine);
        await this.#logs.replaceOne({ _id: `${key}/${next.firstSeq}` }, next, { upsert: true });
        tail = next;
      }
      if (this.#tails.size >= MAX_TAILS) this.#tails.clear();
      this.#tails.set(key, tail);
    });
  }

  read(taskId: string, attempt: number, from: number, limit: number): Promise<LogLine[]> {
    return guarded(async () => {
      const found: LogLine[] = [];
      if (limit <= 0) return found;
      const chunks = this.#logs
        .find({ taskId, attempt, lastSeq: { $gte: from } })
        .sort({ lastSeq: 1 })
        .batchSize(4);
      let next = from;
      for await (const { text } of chunks) {
        for (const line of text.split('\n')) {
          if (line === '') continue;
          const parsed = decode(line);
          if (parsed.seq < next) continue;
          found.push(parsed);
          next = parsed.seq + 1;
          if (found.length === limit) return found;
        }
      }
      return found;
    });
  }

  position(taskId: string, attempt: number): Promise<LogPosition> {
    return guarded(async () => {
      const last = (await this.#lastChunk(taskId, attempt)) ?? emptyTail(taskId, attempt);
      const { lastSeq, stdoutLines, stderrLines } = last;
      return { lastSeq, stdoutLines, stderrLines };
    });
  }

  remove(taskId: string): Promise<void> {
    return guarded(async () => {
      await this.#logs.deleteMany({ taskId });
      for (const key of this.#tails.keys()) if (key.startsWith(`${taskId}/`)) this.#tails.delete(key);
    });
  }

  async #lastChunk(taskId: string, attempt: number): Promise<Tail | null> {
    const [last] = await this.#logs
      .find({ taskId, attempt }, { projection: { _id: 0 } })
      .sort({ lastSeq: -1 })
      .limit(1)
      .toArray();
    return last ?? null;
  }
}

function emptyTail(taskId: string, attempt: number): Tail {
  return { taskId, attempt, firstSeq: 0, lastSeq: 0, stdoutLines: 0, stderrLines: 0, text: '' };
}

function addLine(chunk: Tail, line: LogLine): void {
  if (line.seq !== chunk.lastSeq + 1) {
    throw new AppError('internal', `line ${line.seq} of ${chunk.taskId} does not follow ${chunk.lastSeq}`);
  }
  if (chunk.text === '') chunk.firstSeq = line.seq;
  chunk.lastSeq = line.seq;
  if (line.stream === 'stdout') chunk.stdoutLines += 1;
  else chunk.stderrLines += 1;
  chunk.text += encode(line);
}

/** A JSON list, which is shorter than an object: number, time, stream (1 stdout, 2 stderr), text, 1 if it goes on. */
function encode({ seq, ts, stream, line, more }: LogLine): string {
  return `[${seq},${ts},${stream === 'stdout' ? 1 : 2},${JSON.stringify(line)}${more ? ',1' : ''}]\n`;
}

function decode(text: string): LogLine {
  const [seq, ts, stream, line, more] = JSON.parse(text) as [number, number, number, string, number?];
  const read: LogLine = { seq, ts, stream: stream === 1 ? 'stdout' : 'stderr', line };
  return more ? { ...read, more: true } : read;
}

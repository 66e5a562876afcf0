// Shows watchers the line a program is writing and has not ended yet: a prompt, a progress bar. Best effort and
// bounded in rate. Must never be used for a task with secrets, of which it could show a part.

import type { TaskPartialEvent } from '../../shared/contracts/live.ts';
import { taskRoom } from '../../shared/contracts/live.ts';
import type { LogStream } from '../../shared/model/log-line.ts';
import type { RoomEmitter } from '../../shared/ports/live.ts';
import { mayBecomeProgress } from './progress-line.ts';
import { cutText } from './text-cut.ts';

/** A line is given so long to end, and shown four times a second at most. */
const EVERY_MS = 250;
/** In UTF-16 units. */
const LONGEST_TEXT = 2_000;

export interface Unfinished {
  /** As a terminal would show it. */
  readonly text: string;
  /** Number of the last whole line before it, of either stream. */
  readonly afterSeq: number;
}

export interface PartialLinesParts {
  readonly taskId: string;
  readonly attempt: number;
  readonly rooms: RoomEmitter;
  /** Grows with each line of the stream that ends; null when there is no unfinished one that is of interest. */
  lineOf(stream: LogStream): number | null;
  look(stream: LogStream): Unfinished;
}

/** What is known of one stream. */
interface Showing {
  timer: NodeJS.Timeout | null;
  /** The line that was unfinished when the timer was set. */
  line: number | null;
  shown: Unfinished | null;
}

export class PartialLines {
  readonly #parts: PartialLinesParts;
  readonly #showings: Readonly<Record<LogStream, Showing>> = {
    stdout: { timer: null, line: null, shown: null },
    stderr: { timer: null, line: null, shown: null },
  };
  #isClosed = false;

  constructor(parts: PartialLinesParts) {
    this.#parts = parts;
  }

  /** Output of either stream has come. Cheap. */
  changed(): void {
    this.#begin('stdout');
    this.#begin('stderr');
  }

  close(): void {
    this.#isClosed = true;
    for (const { timer } of Object.values(this.#showings)) if (timer) clearTimeout(timer);
  }

  #begin(stream: LogStream): void {
    const showing = this.#showings[stream];
    if (showing.timer || this.#isClosed) return;
    showing.line = this.#parts.lineOf(stream);
    if (showing.line !== null) showing.timer = setTimeout(() => this.#end(stream), EVERY_MS);
  }

  #end(stream: LogStream): void {
    const showing = this.#showings[stream];
    showing.timer = null;
    // Another line than when the timer was set has its time still before it.
    if (showing.line === this.#parts.lineOf(stream)) this.#show(stream, showing);
    else this.#begin(stream);
  }

  #show(stream: LogStream, showing: Showing): void {
    const { taskId, attempt, rooms, look } = this.#parts;
    const { text: whole, afterSeq } = look(stream);
    const text = cutText(whole, LONGEST_TEXT);
    const { shown } = showing;
    if (text === '' || mayBecomeProgress(text)) return;
    // The same text after another number is told again: the line in between has superseded it.
    if (shown?.text === text && shown.afterSeq === afterSeq) return;
    showing.shown = { text, afterSeq };
    const event: TaskPartialEvent = { task_id: taskId, attempt, stream, after_seq: afterSeq, text };
    rooms.emit(taskRoom(taskId), 'task:partial', event);
  }
}

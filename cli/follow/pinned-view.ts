// A followed task on a terminal: its output flows, and under it stays what can be said of the task now. The terminal
// is left with the output and the last word of how the task moved, and nothing pinned.

import { stripVTControlCharacters } from 'node:util';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskPartialEvent, TaskProgressBody, TaskUsageEvent } from '../../shared/contracts/live.ts';
import type { LogLineBody } from '../../shared/contracts/log-lines.ts';
import type { ExplainReply } from '../../shared/contracts/workers.ts';
import { speaksUnicode } from '../screen/glyphs.ts';
import type { Screen } from '../screen/screen.ts';
import type { Session } from '../session.ts';
import { LineWriter } from './line-writer.ts';
import { type Pinned, pinnedPicture } from './pinned-picture.ts';
import type { TaskView } from './task-view.ts';
import { endInWords, lastAttemptInWords, waitingInWords } from './words.ts';

/** Faster than this nobody reads, and each drawing is taken away for the next line of output. */
const LEAST_MS = 100;
/** Run times go on without news. */
const TICK_MS = 1_000;
/** Output may have left a colour open. */
const RESET = '\x1b[0m';

export class PinnedView implements TaskView {
  readonly #session: Session;
  readonly #screen: Screen;
  readonly #lines: LineWriter;
  readonly #tick: ReturnType<typeof setInterval>;
  readonly #endResize: () => void;
  #pinned: Pinned = { task: null, progress: null, usage: null, partial: '', waiting: '', lost: null };
  /** The number of the line before the one being written. */
  #partialAfter = 0;
  /** The last line. */
  #written = { attempt: 0, seq: 0 };
  #isShown = false;
  #isClosed = false;
  /** Output is being written: a picture must not come between. */
  #isWriting = false;
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session, screen: Screen) {
    this.#session = session;
    this.#screen = screen;
    this.#lines = new LineWriter(session.io);
    this.#tick = setInterval(() => this.#draw(), TICK_MS);
    this.#endResize = screen.onResize(() => this.#draw());
  }

  state(task: TaskBody): void {
    const isNew = this.#pinned.task?.attempt !== task.attempt;
    this.#pin({
      task,
      ...(isNew ? { progress: null, usage: null, partial: '' } : {}),
      ...(task.status === 'queued' ? {} : { waiting: '' }),
    });
    const before = lastAttemptInWords(task);
    if (before !== null) void this.#above(() => this.#session.remark(before));
  }

  waiting(reply: ExplainReply): void {
    this.#pin({ waiting: waitingInWords(reply) });
  }

  progress(progress: TaskProgressBody): void {
    this.#pin({ progress });
  }

  usage(usage: TaskUsageEvent): void {
    this.#pin({ usage });
  }

  partial({ text, attempt, after_seq: afterSeq }: TaskPartialEvent): void {
    // It has come on another way than the lines, and may be late.
    if (attempt === this.#written.attempt && afterSeq < this.#written.seq) return;
    this.#partialAfter = afterSeq;
    this.#pin({ partial: stripVTControlCharacters(text) });
  }

  connection(lost: string | null): void {
    this.#pin({ lost });
  }

  async line(line: LogLineBody, attempt: number): Promise<void> {
    // Lines may come later than what was begun after them.
    if (line.seq > this.#partialAfter) this.#pinned = { ...this.#pinned, partial: '' };
    this.#written = { attempt, seq: line.seq };
    await this.#above(() => this.#lines.write(line, attempt));
  }

  async end(task: TaskBody): Promise<void> {
    await this.close();
    await this.#session.remark(endInWords(task, this.#session.io.now()));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#tick);
    clearTimeout(this.#soon);
    this.#endResize();
    this.#hide();
    if (this.#lines.isWithin) await this.#session.io.out('\n');
    this.#screen.done();
  }

  #pin(change: Partial<Pinned>): void {
    this.#pinned = { ...this.#pinned, ...change };
    this.#drawSoon();
  }

  /** Where the picture was; it comes back a little later, so that many lines cost one picture. */
  async #above(write: () => Promise<void>): Promise<void> {
    this.#hide();
    this.#isWriting = true;
    try {
      await write();
    } finally {
      this.#isWriting = false;
      this.#drawSoon();
    }
  }

  #hide(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#screen.clear();
  }

  #drawSoon(): void {
    if (this.#isClosed) return;
    this.#soon ??= setTimeout(() => this.#draw(), LEAST_MS);
  }

  #draw(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    // Under half a line it would stand in the middle of the output.
    if (this.#isClosed || this.#isWriting || this.#lines.isWithin) return;
    const { io } = this.#session;
    const { columns, rows } = this.#screen;
    const look = { color: io.color, unicode: speaksUnicode(io.env) };
    const text = pinnedPicture(this.#pinned, { columns, rows }, look, io.now());
    if (text === '') return;
    this.#isShown = true;
    this.#screen.draw(look.color ? `${RESET}${text}` : text);
  }
}

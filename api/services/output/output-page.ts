// Lines of one attempt on their way to readers. A page is shared by all who read the same place, and each form of it
// is made once, by the first who asks. Must never change once it is made.

import { type LogLineBody, logLineBodies } from '../../../shared/contracts/log-lines.ts';
import type { LogLine, LogStream } from '../../../shared/model/log-line.ts';

/** What an object of a line costs besides its text. */
const LINE_OVERHEAD = 64;

export class OutputPage {
  readonly attempt: number;
  /** In order, without gaps unless it was filtered; at least one. */
  readonly lines: readonly LogLine[];
  readonly firstSeq: number;
  readonly lastSeq: number;
  #chars = 0;
  #bodies: readonly LogLineBody[] | null = null;
  #ndjson: Buffer | null = null;
  #text: Buffer | null = null;
  #only: Partial<Record<LogStream, OutputPage | null>> = {};

  constructor(attempt: number, lines: readonly LogLine[]) {
    const [first] = lines;
    const last = lines.at(-1);
    if (!first || !last) throw new RangeError('a page has lines');
    this.attempt = attempt;
    this.lines = lines;
    this.firstSeq = first.seq;
    this.lastSeq = last.seq;
  }

  /** As they go over the wire, without the number of the attempt. */
  bodies(): readonly LogLineBody[] {
    this.#bodies ??= logLineBodies(this.lines);
    return this.#bodies;
  }

  /** One JSON object per line, with the number of the attempt. */
  ndjson(): Buffer {
    this.#ndjson ??= Buffer.from(encodeNdjson(this.lines, this.attempt));
    return this.#ndjson;
  }

  /** The lines as a terminal shows them: pieces of a cut line are one line again. */
  text(): Buffer {
    this.#text ??= Buffer.from(encodeText(this.lines));
    return this.#text;
  }

  /** The stream whose line is not at its end yet at the end of `text`, or null. */
  get unended(): LogStream | null {
    const last = this.lines[this.lines.length - 1];
    return last?.more ? last.stream : null;
  }

  /** Text and overhead, for bounds. */
  get chars(): number {
    if (this.#chars === 0) for (const { line } of this.lines) this.#chars += line.length + LINE_OVERHEAD;
    return this.#chars;
  }

  /** The lines from number `seq` on; null when there are none. Only of a page without gaps. */
  from(seq: number): OutputPage | null {
    if (seq <= this.firstSeq) return this;
    if (seq > this.lastSeq) return null;
    return new OutputPage(this.attempt, this.lines.slice(seq - this.firstSeq));
  }

  /** Not more than so many lines, at least one. */
  upTo(count: number): OutputPage {
    return count >= this.lines.length ? this : new OutputPage(this.attempt, this.lines.slice(0, count));
  }

  /** The lines of one stream; null when there are none. */
  only(stream: LogStream): OutputPage | null {
    const kept = this.#only[stream];
    if (kept !== undefined) return kept;
    const lines = this.lines.filter((line) => line.stream === stream);
    const page =
      lines.length === 0
        ? null
        : lines.length === this.lines.length
          ? this
          : new OutputPage(this.attempt, lines);
    this.#only[stream] = page;
    return page;
  }
}

const NEWLINE = Buffer.from('\n');

/** Pages of one reading as one text. */
export class OutputText {
  /** The page before, when its last line goes on. */
  #unended: OutputPage | null = null;

  /** What to write next. A line that another stream or attempt breaks into ends there. */
  take(page: OutputPage): Buffer[] {
    const before = this.#unended;
    this.#unended = page.unended === null ? null : page;
    const goesOn = before?.attempt === page.attempt && before.unended === page.lines[0]?.stream;
    return before === null || goesOn ? [page.text()] : [NEWLINE, page.text()];
  }
}

function encodeNdjson(lines: readonly LogLine[], attempt: number): string {
  const end = `,"attempt":${attempt}}\n`;
  const endMore = `,"attempt":${attempt},"more":true}\n`;
  let text = '';
  // Lines come in bursts: most have the time of the one before.
  let ts = Number.NaN;
  let iso = '';
  for (const line of lines) {
    if (line.ts !== ts) {
      ts = line.ts;
      iso = new Date(ts).toISOString();
    }
    text += `{"seq":${line.seq},"ts":"${iso}","stream":"${line.stream}","line":${JSON.stringify(line.line)}${line.more ? endMore : end}`;
  }
  return text;
}

function encodeText(lines: readonly LogLine[]): string {
  let text = '';
  let unended: LogStream | null = null;
  for (const { stream, line, more } of lines) {
    if (unended !== null && unended !== stream) text += '\n';
    text += more ? line : `${line}\n`;
    unended = more ? stream : null;
  }
  return text;
}

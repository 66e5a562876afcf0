// The part of a task's output that the browser holds: one stretch without gaps, which grows at both ends and lets go at
// either. Lines keep their id for as long as they are held, so that a view can stay where it is. Pure.

import type { LogLineBody } from '../../../shared/contracts/log-lines.ts';
import { carryAfter } from './ansi-text.ts';

export type Stream = 'stdout' | 'stderr';
/** Of an attempt: the heading that stands before its first line. */
export type LineKind = Stream | 'attempt';

export interface LogLine {
  /** Grows along the output; not its number, which begins anew with each attempt. */
  readonly id: number;
  readonly kind: LineKind;
  readonly attempt: number;
  /** 0 of a heading. */
  readonly seq: number;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** It goes on in the next line of its stream. */
  readonly more: boolean;
  /** Styles it begins with. */
  carry: string;
}

export interface Place {
  readonly attempt: number;
  readonly seq: number;
}

export class LogLines {
  #all: LogLine[] = [];
  #shown: LogLine[] = this.#all;
  #stream: Stream | null = null;
  #nextId = 0;
  #firstId = 0;
  #ends: { attempt: number } & Record<Stream, string> = { attempt: 0, stdout: '', stderr: '' };
  #version = 0;

  /** Grows with each change. */
  get version(): number {
    return this.#version;
  }

  /** All that is held, headings among them, oldest first. */
  get all(): readonly LogLine[] {
    return this.#all;
  }

  /** Those of the stream that is shown. */
  get shown(): readonly LogLine[] {
    return this.#shown;
  }

  get first(): LogLine | undefined {
    return this.#all[0];
  }

  get last(): LogLine | undefined {
    return this.#all[this.#all.length - 1];
  }

  /** Null shows both streams. */
  show(stream: Stream | null): void {
    if (stream === this.#stream) return;
    this.#stream = stream;
    this.#shown = stream === null ? this.#all : this.#all.filter((line) => this.#isShown(line));
    this.#version += 1;
  }

  clear(): void {
    this.#all = [];
    this.#shown = this.#stream === null ? this.#all : [];
    this.#ends = { attempt: 0, stdout: '', stderr: '' };
    // Ids go on: a view must not take new lines for old ones.
    this.#firstId = this.#nextId;
    this.#version += 1;
  }

  /** Lines that follow on the last one. */
  append(attempt: number, bodies: readonly LogLineBody[]): void {
    if (this.#ends.attempt !== attempt) this.#ends = { attempt, stdout: '', stderr: '' };
    const ends = this.#ends;
    for (const body of bodies) {
      if (body.seq === 1 && attempt > 1) this.#push(heading(this.#nextId, attempt, body.ts));
      this.#push(lineOf(this.#nextId, attempt, body, ends[body.stream]));
      ends[body.stream] = carryAfter(body.line, ends[body.stream]);
    }
    this.#version += 1;
  }

  /** Lines that come right before the first one. */
  prepend(attempt: number, bodies: readonly LogLineBody[]): void {
    const ends: Record<Stream, string> = { stdout: '', stderr: '' };
    const before: LogLine[] = [];
    const wanted = bodies.length + (attempt > 1 && bodies[0]?.seq === 1 ? 1 : 0);
    this.#firstId -= wanted;
    for (const body of bodies) {
      const id = this.#firstId + before.length;
      if (body.seq === 1 && attempt > 1) before.push(heading(id, attempt, body.ts));
      before.push(lineOf(this.#firstId + before.length, attempt, body, ends[body.stream]));
      ends[body.stream] = carryAfter(body.line, ends[body.stream]);
    }
    this.#carryOn(attempt, ends);
    const all = [...before, ...this.#all];
    this.#shown =
      this.#stream === null ? all : [...before.filter((line) => this.#isShown(line)), ...this.#shown];
    this.#all = all;
    this.#version += 1;
  }

  /** Lets the oldest go. */
  dropFirst(count: number): void {
    this.#all.splice(0, count);
    this.#firstId = this.#all[0]?.id ?? this.#nextId;
    if (this.#stream !== null) this.#shown.splice(0, indexOfId(this.#shown, this.#firstId));
    this.#version += 1;
  }

  /** Lets the newest go: what is appended then must follow on the last one that is left. */
  dropLast(count: number): void {
    this.#all.splice(Math.max(0, this.#all.length - count));
    const { last } = this;
    // Ids that were given out once are not given to other lines: a search may know them.
    const end = last ? last.id : this.#firstId - 1;
    if (this.#stream !== null) this.#shown.splice(indexOfId(this.#shown, end + 1));
    this.#nextId = end + 1;
    this.#ends = {
      attempt: last?.attempt ?? 0,
      stdout: this.#endOf('stdout'),
      stderr: this.#endOf('stderr'),
    };
    this.#version += 1;
  }

  /** Index among those shown of the line at this place, or of the first one after it. */
  find({ attempt, seq }: Place): number {
    return lowerBound(
      this.#shown,
      (line) => line.attempt < attempt || (line.attempt === attempt && line.seq < seq),
    );
  }

  holds(place: Place): boolean {
    const { first, last } = this;
    return first !== undefined && last !== undefined && !isBefore(place, first) && !isBefore(last, place);
  }

  #push(line: LogLine): void {
    this.#all.push(line);
    this.#nextId = line.id + 1;
    if (this.#stream !== null && this.#isShown(line)) this.#shown.push(line);
  }

  #isShown({ kind }: LogLine): boolean {
    return this.#stream === null || kind === this.#stream || kind === 'attempt';
  }

  /** What was on at the end of the new lines is on in those after them, until a line says otherwise. */
  #carryOn(attempt: number, ends: Record<Stream, string>): void {
    const open = new Set<LineKind>(['stdout', 'stderr']);
    for (const line of this.#all) {
      if (line.attempt !== attempt || open.size === 0) return;
      if (line.kind === 'attempt' || !open.has(line.kind)) continue;
      if (line.carry === ends[line.kind]) open.delete(line.kind);
      line.carry = ends[line.kind];
      ends[line.kind] = carryAfter(line.text, line.carry);
    }
    // All of them were changed: so is what comes next.
    if (this.#ends.attempt === attempt)
      for (const kind of open) this.#ends[kind as Stream] = ends[kind as Stream];
  }

  #endOf(stream: Stream): string {
    const { last } = this;
    const line = this.#all.findLast(({ kind, attempt }) => kind === stream && attempt === last?.attempt);
    return line ? carryAfter(line.text, line.carry) : '';
  }
}

export function isBefore(one: Place, other: Place): boolean {
  return one.attempt < other.attempt || (one.attempt === other.attempt && one.seq < other.seq);
}

/** Index of the first line with this id or a later one. */
export function indexOfId(lines: readonly LogLine[], id: number): number {
  return lowerBound(lines, (line) => line.id < id);
}

/** How many at the beginning are below; `isBelow` must be true for those and for no other. */
export function lowerBound<T>(items: readonly T[], isBelow: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lineOf(id: number, attempt: number, body: LogLineBody, carry: string): LogLine {
  const { seq, stream, line, ts, more = false } = body;
  return { id, kind: stream, attempt, seq, text: line, at: Date.parse(ts), more, carry };
}

function heading(id: number, attempt: number, ts: string): LogLine {
  const text = `attempt ${attempt}`;
  return { id, kind: 'attempt', attempt, seq: 0, text, at: Date.parse(ts), more: false, carry: '' };
}

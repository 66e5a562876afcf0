// A line of a task's output. Sequence numbers are per attempt, start at 1 and have no gaps.

export type LogStream = 'stdout' | 'stderr';

export interface LogLine {
  readonly seq: number;
  /** When the runner read it, milliseconds since the epoch. */
  readonly ts: number;
  readonly stream: LogStream;
  /** Without the line end. */
  readonly line: string;
  /** The line was too long: it goes on in the next line of this stream. */
  readonly more?: true;
}

// Lines of output as the log store has them, and pages of them.

import { OutputPage } from '../../api/services/output/output-page.ts';
import type { LogLine } from '../../shared/model/log-line.ts';

export const line = (seq: number, over: Partial<LogLine> = {}): LogLine => ({
  seq,
  ts: 1_700_000_000_000,
  stream: 'stdout',
  line: `line ${seq}`,
  ...over,
});
const lines = (from: number, to: number): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, n) => line(from + n));
export const page = (from: number, to: number) => new OutputPage(1, lines(from, to));
export const seqs = (of: OutputPage | null) => of?.lines.map(({ seq }) => seq);

// The output that is sent: lines of 100 characters.

import type { LogLine } from '../../shared/model/log-line.ts';

export function linesOf(from: number, count: number): LogLine[] {
  return Array.from({ length: count }, (_, n) => ({
    seq: from + n,
    ts: 1_700_000_000_000,
    stream: 'stdout',
    line: `step ${from + n} `.padEnd(100, 'x'),
  }));
}

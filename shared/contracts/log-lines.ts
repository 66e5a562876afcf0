// Lines of output on the wire.

import type { LogLine } from '../model/log-line.ts';

export interface LogLineBody {
  seq: number;
  ts: string;
  stream: 'stdout' | 'stderr';
  line: string;
  /** In each line of `GET …/logs`: a follower reads on through later attempts, and numbers begin anew in each. */
  attempt?: number;
  /** The line was too long: it goes on in the next line of this stream. */
  more?: true;
}

export function logLineBodies(lines: readonly LogLine[]): LogLineBody[] {
  // Lines come in bursts: most have the time of the one before.
  let at = Number.NaN;
  let ts = '';
  return lines.map((line) => {
    if (line.ts !== at) {
      at = line.ts;
      ts = new Date(at).toISOString();
    }
    const body: LogLineBody = { seq: line.seq, ts, stream: line.stream, line: line.line };
    if (line.more) body.more = true;
    return body;
  });
}

// New lines of attempts in capped streams, one for each attempt. The number of a batch's last line is the id of its
// entry, so Redis itself refuses a repeat and a batch that comes too late. Never the truth: all of it is in the log
// store already, and may vanish here.

import { messageOf } from '../../errors.ts';
import type { LogLine } from '../../model/log-line.ts';
import type { LiveLogs, LogBatch } from '../../ports/live.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { StreamTails } from './stream-tails.ts';

/** Batches kept of an attempt: some seconds, for a reader that was away for a moment. */
const KEPT_BATCHES = 64;
const KEPT_MS = 3_600_000;
/** JSON of a batch's lines beyond which they stay at home, so that an attempt holds a few MB at most. */
const MAX_BATCH_CHARS = 65_536;

export function liveLogKey({ prefix }: RedisConnection, taskId: string, attempt: number): string {
  return `${prefix}:live:${taskId}:${attempt}`;
}

export class RedisLiveLogs implements LiveLogs {
  readonly #connection: RedisConnection;
  readonly #tails: StreamTails;
  readonly #faults: FaultLog;
  readonly #malformed: FaultLog;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#tails = new StreamTails(connection);
    this.#faults = new FaultLog(connection.log, 'new lines were not announced');
    this.#malformed = new FaultLog(connection.log, 'dropped lines that cannot be read');
  }

  async publish(taskId: string, attempt: number, batch: LogBatch): Promise<void> {
    const key = this.#key(taskId, attempt);
    const fields = ['firstSeq', String(batch.firstSeq)];
    const lines = batch.lines === null ? null : encodeLines(batch.lines);
    if (lines !== null && lines.length <= MAX_BATCH_CHARS) fields.push('lines', lines);
    try {
      const answers = await this.#connection.run(
        'announce new lines',
        (client) =>
          client
            .pipeline()
            .xadd(key, 'MAXLEN', KEPT_BATCHES, `${batch.lastSeq}-0`, ...fields)
            .pexpire(key, KEPT_MS)
            .exec(),
        { waitMs: 0 },
      );
      const refusal = answers?.[0]?.[0];
      // "ERR The ID specified in XADD is equal or smaller than the target stream top item": a repeat.
      if (refusal && !refusal.message.startsWith('ERR ')) this.#faults.report(refusal);
    } catch (error) {
      this.#connection.log.debug({ key, fault: messageOf(error) }, 'new lines were not announced');
    }
  }

  async tail(
    taskId: string,
    attempt: number,
    after: number,
    handler: (batch: LogBatch) => void,
  ): Promise<() => Promise<void>> {
    const end = this.#tails.tail(this.#key(taskId, attempt), after, (lastSeq, fields) => {
      const batch = this.#read(lastSeq, fields);
      if (batch) handler(batch);
    });
    return async () => end();
  }

  async close(): Promise<void> {
    await this.#tails.close();
  }

  #key(taskId: string, attempt: number): string {
    return liveLogKey(this.#connection, taskId, attempt);
  }

  #read(lastSeq: number, fields: readonly string[]): LogBatch | null {
    const firstSeq = Number(fieldOf(fields, 'firstSeq'));
    if (!(firstSeq >= 1 && firstSeq <= lastSeq)) {
      this.#malformed.report('not a batch of this version');
      return null;
    }
    const text = fieldOf(fields, 'lines');
    const lines = text === undefined ? null : decodeLines(text, firstSeq);
    if (text !== undefined && lines?.length !== lastSeq - firstSeq + 1) {
      this.#malformed.report('not the lines of this batch');
      return { firstSeq, lastSeq, lines: null };
    }
    return { firstSeq, lastSeq, lines };
  }
}

/** Time, stream (1 stdout, 2 stderr), text, and 1 when the line goes on. The number follows from the place. */
type EncodedLine = [ts: number, stream: 1 | 2, line: string, more?: 1];

function encodeLines(lines: readonly LogLine[]): string {
  return JSON.stringify(
    lines.map(({ ts, stream, line, more }): EncodedLine => {
      const number = stream === 'stdout' ? 1 : 2;
      return more ? [ts, number, line, 1] : [ts, number, line];
    }),
  );
}

/** Null when it is not what `encodeLines` makes. */
function decodeLines(text: string, firstSeq: number): LogLine[] | null {
  try {
    return (JSON.parse(text) as EncodedLine[]).map(([ts, stream, line, more], n) => ({
      seq: firstSeq + n,
      ts,
      stream: stream === 1 ? 'stdout' : 'stderr',
      line,
      ...(more ? { more: true } : {}),
    }));
  } catch {
    return null;
  }
}

function fieldOf(fields: readonly string[], name: string): string | undefined {
  const at = fields.indexOf(name);
  return at < 0 ? undefined : fields[at + 1];
}

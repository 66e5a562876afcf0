// The ring of decisions: one stream in which the id of an entry is the number of bytes that were appended up to its
// end. So what is more than the bound together is one range of ids, and trimming needs no count and no second key.
// Numbering begins at the time of the server in microseconds: a ring that was emptied goes on above the old one as long
// as less than a megabyte a second was written to it.

import type { Redis } from 'ioredis';
import type { DecisionEntry, DecisionLog } from '../../ports/decision-log.ts';
import type { RedisConnection } from './connection.ts';

/** Characters sent in one command; one line may be more. */
const CHARS_AT_ONCE = 1_048_576;
const LINES_AT_ONCE = 1_000;

// KEYS: stream. ARGV: most bytes kept, lines. The newest entry always stays, so one more than fits may be kept.
const APPEND = `
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local at
if newest then
  at = tonumber(string.match(newest[1], '^%d+'))
else
  local now = redis.call('TIME')
  at = now[1] * 1000000 + now[2]
end
for n = 2, #ARGV do
  at = at + math.max(#ARGV[n], 1)
  redis.call('XADD', KEYS[1], string.format('%.0f-0', at), 'line', ARGV[n])
end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-0', math.min(at, at - tonumber(ARGV[1]) + 1)))`;

// KEYS: stream. The id alone: the line may be long.
const NEWEST = `
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not newest then return nil end
return { newest[1], redis.call('XLEN', KEYS[1]) }`;

type LogClient = Redis & {
  appendDecisions(key: string, maxBytes: number, ...lines: string[]): Promise<number>;
  newestDecision(key: string): Promise<[id: string, entries: number] | null>;
};

export class RedisDecisionLog implements DecisionLog {
  readonly #connection: RedisConnection;
  readonly #client: LogClient;
  readonly #key: string;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#key = `${connection.prefix}:decisions`;
    connection.client.defineCommand('appendDecisions', { numberOfKeys: 1, lua: APPEND });
    connection.client.defineCommand('newestDecision', { numberOfKeys: 1, lua: NEWEST });
    this.#client = connection.client as LogClient;
  }

  async append(lines: readonly string[], maxBytes: number): Promise<void> {
    for (const batch of batchesOf(lines)) {
      await this.#connection.run('keep decisions', () =>
        this.#client.appendDecisions(this.#key, Math.ceil(maxBytes), ...batch),
      );
    }
  }

  async read(page: { after?: string | undefined; limit: number }): Promise<DecisionEntry[]> {
    const from = page.after === undefined ? '-' : `(${page.after}-0`;
    const entries = await this.#connection.run('read decisions', (client) =>
      client.xrange(this.#key, from, '+', 'COUNT', page.limit),
    );
    return entries.map(([id, [, line = '']]) => ({ id: plainId(id), line }));
  }

  async newest(): Promise<{ id: string; entries: number } | null> {
    const found = await this.#connection.run('look for the newest decision', () =>
      this.#client.newestDecision(this.#key),
    );
    return found && { id: plainId(found[0]), entries: found[1] };
  }
}

function plainId(id: string): string {
  return id.slice(0, id.indexOf('-'));
}

function* batchesOf(lines: readonly string[]): IterableIterator<readonly string[]> {
  let batch: string[] = [];
  let chars = 0;
  for (const line of lines) {
    if (batch.length === LINES_AT_ONCE || (batch.length > 0 && chars + line.length > CHARS_AT_ONCE)) {
      yield batch;
      batch = [];
      chars = 0;
    }
    batch.push(line);
    chars += line.length;
  }
  if (batch.length > 0) yield batch;
}

import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskBody } from '../shared/contracts/http.ts';
import {
  makeEndedBody,
  makeTaskBody,
  refusal,
  type SmallApi,
  startSmallApi,
  TASK_ID,
} from '../test/support/small-api.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { createClient, type LogOptions } from './client.ts';

let api: SmallApi;
let task: TaskBody;

beforeEach(async () => {
  api = await startSmallApi();
  task = makeEndedBody();
  api.on('GET /api/tasks/:id', () => task);
});
afterEach(() => api.close());

const line = (seq: number, text = `line ${seq}`) =>
  `${JSON.stringify({ seq, ts: '2026-01-01T10:00:02.000Z', stream: 'stdout', line: text })}\n`;

const begin = (reply: ServerResponse) => reply.writeHead(200, { 'content-type': 'application/x-ndjson' });

const running = () =>
  makeEndedBody({
    status: 'running',
    finished_at: null,
    attempts: makeEndedBody().attempts.map((one) => ({ ...one, state: 'running', finished_at: null })),
  });

async function read(options: LogOptions = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const { seq, line: text } of createClient({ url: api.url }).taskLogs(TASK_ID, options)) {
    lines.push(`${seq} ${text}`);
  }
  return lines;
}

const reads = () => api.asked.filter(({ path }) => path.endsWith('/logs'));

describe('task logs', () => {
  it('come whole, whatever way the bytes are cut', async () => {
    const bytes = Buffer.from(line(1, 'grüße €') + line(2));
    api.on('GET /api/tasks/:id/logs', async (_asked, reply) => {
      begin(reply);
      for (const byte of bytes) {
        reply.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      reply.end();
    });
    expect(await read()).toEqual(['1 grüße €', '2 line 2']);
    expect(reads()[0]?.query).toEqual({ follow: 'false', from: '1', attempt: '1' });
    expect(reads()[0]?.headers.accept).toBe('application/x-ndjson');
  });

  it('begin where asked, in the attempt that was asked for', async () => {
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => void begin(reply).end(line(7)));
    expect(await read({ from: 7, attempt: 1 })).toEqual(['7 line 7']);
    expect(reads()[0]?.query).toMatchObject({ from: '7', attempt: '1' });
  });

  it('are empty for a task that never ran', async () => {
    task = makeTaskBody({ status: 'cancelled' });
    expect(await read({ follow: true })).toEqual([]);
    expect(reads()).toEqual([]);
  });

  it('resume after a cut with no gap and no repeat, also when the server repeats itself', async () => {
    task = running();
    api.on('GET /api/tasks/:id/logs', (asked, reply) => {
      begin(reply);
      if (asked.query.from === '1') {
        reply.write(line(1) + line(2) + line(3).slice(0, 20), () => reply.destroy());
      } else {
        task = makeEndedBody();
        reply.end(line(2) + line(3) + line(4));
      }
    });
    let cuts = 0;
    expect(await read({ follow: true, onReconnect: () => cuts++ })).toEqual([
      '1 line 1',
      '2 line 2',
      '3 line 3',
      '4 line 4',
    ]);
    expect(cuts).toBe(1);
  });

  it('are asked for again when a stream ended in good order but the task had not', async () => {
    task = running();
    api.on('GET /api/tasks/:id/logs', (asked, reply) => {
      begin(reply);
      if (asked.query.from === '1') reply.end(line(1));
      else {
        task = makeEndedBody();
        reply.end(asked.query.from === '2' ? line(2) : '');
      }
    });
    expect(await read({ follow: true })).toEqual(['1 line 1', '2 line 2']);
    // The last read comes after the end was seen: it finds what was written in between.
    expect(reads().at(-1)?.query).toMatchObject({ follow: 'false', from: '3' });
  });

  it('go on through later attempts when followed', async () => {
    const [first] = makeEndedBody().attempts;
    if (!first) throw new Error('no attempt');
    task = makeEndedBody({
      status: 'running',
      attempt: 1,
      attempts: [{ ...first, state: 'running', finished_at: null }],
    });
    api.on('GET /api/tasks/:id/logs', (asked, reply) => {
      begin(reply).end(asked.query.from === '1' ? line(1, `of attempt ${asked.query.attempt}`) : '');
      task = makeEndedBody({ attempt: 2, attempts: [first, { ...first, attempt: 2 }] });
    });
    const attempts: number[] = [];
    const lines = await read({ follow: true, onAttempt: (number) => attempts.push(number) });
    expect(lines).toEqual(['1 of attempt 1', '1 of attempt 2']);
    expect(attempts).toEqual([1, 2]);
  });

  it('begin with the last lines of a stream, and go on from there by number', async () => {
    task = running();
    api.on('GET /api/tasks/:id/logs', (asked, reply) => {
      begin(reply);
      if (asked.query.tail === '2') reply.end(line(8) + line(9));
      else if (asked.query.from === '10') reply.write(line(10) + line(11), () => reply.destroy());
      else {
        task = makeEndedBody();
        reply.end(line(12));
      }
    });
    expect(await read({ follow: true, tail: 2, stream: 'stdout' })).toEqual(
      [8, 9, 10, 11, 12].map((seq) => `${seq} line ${seq}`),
    );
    expect(reads().map(({ query }) => query)).toEqual([
      { tail: '2', attempt: '1', stream: 'stdout', follow: 'false' },
      { from: '10', attempt: '1', stream: 'stdout', follow: 'true' },
      { from: '12', attempt: '1', stream: 'stdout', follow: 'true' },
      { from: '13', attempt: '1', stream: 'stdout', follow: 'false' },
    ]);
  });

  it('begin with what comes when no last lines are wanted, wherever the connection breaks', async () => {
    task = running();
    let calls = 0;
    api.on('GET /api/tasks/:id/logs', (asked, reply) => {
      calls += 1;
      if (calls === 1) return refusal(503, 'store_unavailable', 'away');
      begin(reply);
      if (asked.query.tail === '1') reply.end(line(9));
      // Cut before anything was said: a line written now must not be missed.
      else if (calls === 3) reply.write('\n', () => reply.destroy());
      else {
        task = makeEndedBody();
        reply.end(line(10));
      }
      return undefined;
    });
    expect(await read({ follow: true, tail: 0 })).toEqual(['10 line 10']);
    expect(reads().map(({ query }) => query.tail ?? query.from)).toEqual(['1', '1', '10', '10', '11']);
  });

  it('come without waiting when only the last are wanted', async () => {
    task = running();
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => void begin(reply).end(line(9)));
    expect(await read({ tail: 1 })).toEqual(['9 line 9']);
    expect(reads().length).toBe(1);
  });

  it('stay with one attempt when it was named', async () => {
    const [first] = makeEndedBody().attempts;
    if (!first) throw new Error('no attempt');
    task = makeEndedBody({ attempt: 2, attempts: [first, { ...first, attempt: 2 }] });
    api.on(
      'GET /api/tasks/:id/logs',
      (asked, reply) => void begin(reply).end(line(1, `of ${asked.query.attempt}`)),
    );
    expect(await read({ follow: true, attempt: 1 })).toEqual(['1 of 1']);
  });

  it('outlive an API that is away for a moment', async () => {
    task = running();
    let calls = 0;
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => {
      calls += 1;
      if (calls < 3) return refusal(503, 'queue_unavailable', 'away');
      task = makeEndedBody();
      begin(reply).end(line(1));
      return undefined;
    });
    expect(await read({ follow: true })).toEqual(['1 line 1']);
  });

  it('throw what will not pass', async () => {
    api.on('GET /api/tasks/:id/logs', () => refusal(403, 'forbidden', 'not yours'));
    await expect(read({ follow: true })).rejects.toMatchObject({ status: 403 });
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => void reply.end('plain'));
    await expect(read()).rejects.toMatchObject({ code: 'unexpected_reply' });
  });

  it('end when the reader gives up, and the connection with it', async () => {
    task = running();
    let closed = false;
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => {
      begin(reply).write(line(1));
      reply.on('close', () => {
        closed = true;
      });
    });
    const controller = new AbortController();
    const lines = createClient({ url: api.url }).taskLogs(TASK_ID, {
      follow: true,
      signal: controller.signal,
    });
    const reader = lines[Symbol.asyncIterator]();
    expect((await reader.next()).value).toMatchObject({ seq: 1 });
    const waiting = reader.next();
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await waitFor(() => closed, { what: 'the connection to close' });

    closed = false;
    for await (const _ of createClient({ url: api.url }).taskLogs(TASK_ID, { follow: true })) break;
    await waitFor(() => closed, { what: 'the connection of a reader that left its loop to close' });
  });
});

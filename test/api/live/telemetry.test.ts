// The plain WebSocket, with clients of others: wscat, ws, and a bare TCP connection.

import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { TelemetryReply } from '../../../shared/contracts/workers.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import { makeRegistration } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';

const WSCAT = resolve(import.meta.dirname, '../../../node_modules/wscat/bin/wscat');

let open: TestApi;
let closed: TestApi;
let openUrl: string;
let closedUrl: string;
let alice: Person;
/** Moves the clock that `closed` goes by. */
let ahead = 0;
const logged: string[] = [];
const ends: (() => void)[] = [];

beforeAll(async () => {
  open = await openTestApi();
  const keep = { write: (line: string) => void logged.push(line) };
  closed = await openTestApi({
    beside: open,
    env: { OBSERVE_AUTH: 'required' },
    parts: () => ({
      log: pino({ level: 'trace' }, keep),
      clock: {
        now: () => Date.now() + ahead,
        monotonic: () => performance.now() + ahead,
      },
    }),
  });
  openUrl = await open.api.start();
  closedUrl = await closed.api.start();
  alice = await open.signUp('alice');
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(async () => {
  await closed?.close();
  await open?.close();
});

const wsUrl = (url: string, path = '/ws/telemetry') => `${url.replace('http', 'ws')}${path}`;

interface View {
  readonly socket: WebSocket;
  readonly seen: TelemetryReply[];
  /** Code and reason of the end. */
  closed: [code: number, reason: string] | null;
  /** Status and body of a refusal. */
  refused: [status: number, body: string] | null;
}

function view(url: string, protocols: string[] = [], options: ClientOptions = {}): View {
  const socket = new WebSocket(url, protocols, options);
  const one: View = { socket, seen: [], closed: null, refused: null };
  socket.on('message', (data) => one.seen.push(JSON.parse(String(data))));
  socket.on('close', (code, reason) => {
    one.closed = [code, String(reason)];
  });
  socket.on('error', () => undefined);
  socket.on('unexpected-response', (_request, response) => {
    let body = '';
    response.on('data', (chunk) => {
      body += String(chunk);
    });
    response.on('end', () => {
      one.refused = [response.statusCode ?? 0, body];
      socket.terminate();
    });
  });
  ends.push(() => socket.terminate());
  return one;
}

const sees = (one: View, count = 1) =>
  waitFor(() => one.seen.length >= count && one.seen, { what: `${count} looks at the cluster` });

function wscat(...args: string[]): { child: ChildProcess; said: () => string; errors: () => string } {
  const child = spawn(process.execPath, [WSCAT, '--no-color', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  ends.push(() => void child.kill('SIGKILL'));
  return { child, said: () => said, errors: () => errors };
}

/** All that comes back on a connection of its own. */
async function tell(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let said = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    said += chunk;
  });
  socket.on('error', () => undefined);
  ends.push(() => socket.destroy());
  const ended = new Promise<void>((done) => socket.once('close', () => done()));
  socket.write(text);
  await ended;
  return said;
}

const upgradeTo = (path: string, protocol = 'websocket') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

describe('/ws/telemetry', () => {
  it('shows wscat the cluster once on open and then each second', async () => {
    const { said, child } = wscat('-c', wsUrl(openUrl));
    await waitFor(
      () =>
        said()
          .split('\n')
          .filter((line) => line.includes('"tasks_by_state"')).length >= 3,
      {
        what: 'three looks',
      },
    );
    child.kill('SIGINT');
    const lines = said()
      .split('\n')
      .filter((line) => line.includes('{'));
    const looks = lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))) as TelemetryReply);
    expect(looks[0]).toMatchObject({ queue_depth: 0, workers: [] });
    const times = looks.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('needs a token where watching is not open: from the query, a header, or the subprotocols', async () => {
    const { body } = await open.call<{ token: string }>('POST', '/api/auth/tokens', {
      as: alice,
      body: { name: 'script' },
    });
    const path = `/ws/telemetry?token=${encodeURIComponent(body.token)}`;
    const authorization = `Bearer ${alice.token}`;
    const offering = view(wsUrl(closedUrl), ['bearer', alice.token]);
    const all = [
      offering,
      view(wsUrl(closedUrl, path)),
      view(wsUrl(closedUrl), [], { headers: { authorization } }),
    ];
    for (const one of all) await sees(one, 2);
    expect(offering.socket.protocol).toBe('bearer');
    const cat = wscat('-c', wsUrl(closedUrl), '-H', `authorization: ${authorization}`);
    await waitFor(() => cat.said().includes('"tasks_by_state"'), { what: 'a look through wscat' });
    const pair = wscat('-c', wsUrl(closedUrl), '-s', 'bearer', '-s', alice.token);
    await waitFor(() => pair.said().includes('"tasks_by_state"'), { what: 'a look through wscat' });
  });

  it('refuses before the upgrade, in the words of REST', async () => {
    for (const [url, protocols] of [
      [wsUrl(closedUrl), []],
      [wsUrl(closedUrl, '/ws/telemetry?token=nonsense'), []],
      [wsUrl(closedUrl), ['bearer', 'nonsense']],
    ] as const) {
      const one = view(url, [...protocols]);
      const [status, body] = await waitFor(() => one.refused, { what: 'a refusal' });
      expect(status).toBe(401);
      expect(JSON.parse(body)).toMatchObject({ statusCode: 401, code: 'unauthenticated' });
      expect(one.seen).toEqual([]);
    }
    const cat = wscat('-c', wsUrl(closedUrl));
    await waitFor(() => /401/.test(cat.said() + cat.errors()), { what: 'a refusal in wscat' });
    const elsewhere = view(wsUrl(openUrl), [], { origin: 'https://elsewhere.example' });
    expect((await waitFor(() => elsewhere.refused, { what: 'a refusal' }))[0]).toBe(403);
  });

  it('never logs a token', async () => {
    const token = `nonsense-${'q'.repeat(20)}`;
    const path = `/ws/telemetry?token=${token}`;
    const refused = view(wsUrl(closedUrl, path));
    await waitFor(() => refused.refused, { what: 'a refusal' });
    await sees(view(wsUrl(closedUrl, `/ws/telemetry?token=${alice.token}`)));
    expect((await fetch(`${closedUrl}${path}`)).status).toBe(404);
    await tell(closedUrl, upgradeTo(`/elsewhere?token=${token}`));
    await waitFor(() => logged.some((line) => line.includes('/ws/telemetry')), { what: 'a line in the log' });
    const all = logged.join('\n');
    expect(all).not.toContain(token);
    expect(all).not.toContain(alice.token);
  });

  it('ends when the token does', async () => {
    onTestFinished(() => {
      ahead = 0;
    });
    const { body } = await open.call<{ token: string; token_id: string }>('POST', '/api/auth/tokens', {
      as: alice,
      body: { name: 'script' },
    });
    const lasting = view(wsUrl(closedUrl), ['bearer', body.token]);
    const expiring = view(wsUrl(closedUrl), ['bearer', alice.token]);
    await sees(lasting);
    await sees(expiring);
    ahead = 601_000;
    expect(await waitFor(() => expiring.closed, { what: 'the end' })).toEqual([
      1008,
      expect.stringContaining('expired'),
    ]);
    expect(lasting.closed).toBeNull();
    await open.call('DELETE', `/api/auth/tokens/${body.token_id}`, { as: alice });
    expect(await waitFor(() => lasting.closed, { what: 'the end' })).toEqual([
      1008,
      expect.stringContaining('taken back'),
    ]);
  });

  it('listens to nobody, and closes on large messages', async () => {
    const quiet = view(wsUrl(openUrl));
    const loud = view(wsUrl(openUrl));
    await sees(loud);
    for (let n = 0; n < 100; n += 1) loud.socket.send('{"subscribe":"everything"}');
    loud.socket.send(Buffer.alloc(100));
    await sees(loud, 2);
    loud.socket.send('x'.repeat(2_000));
    expect((await waitFor(() => loud.closed, { what: 'the end' }))[0]).toBe(1009);
    await sees(quiet, 3);
  });

  it('gives up a viewer that reads nothing, and shows the others all the while', async () => {
    let later = 0;
    const big = await openTestApi({
      beside: open,
      parts: () => ({ clock: { ...systemClock, monotonic: () => performance.now() + later } }),
    });
    onTestFinished(() => big.close());
    // Looks of two megabytes: soon more than the system takes for a connection.
    await open.store.workers.register(
      makeRegistration({ id: 'wordy', labels: { words: 'w'.repeat(2 ** 21) } }),
    );
    onTestFinished(async () => void (await open.store.workers.remove('wordy')));
    const url = wsUrl(await big.api.start());
    const deaf = view(url);
    const quick = view(url);
    await sees(deaf);
    // biome-ignore lint/suspicious/noExplicitAny: the TCP connection below.
    (deaf.socket as any)._socket.pause();
    await sees(quick, 8);
    later = 61_000;
    await sees(quick, 10);
    later = 122_000;
    await waitFor(() => big.api.liveLoad.telemetrySockets === 1, { what: 'the deaf viewer to be cut off' });
    const before = quick.seen.length;
    await sees(quick, before + 2);
  });

  it('is open to a bounded number of viewers', async () => {
    const most = 100;
    const full = await openTestApi({ beside: open, parts: () => ({ maxTelemetrySockets: most }) });
    onTestFinished(() => full.close());
    const url = wsUrl(await full.api.start());
    const viewers = Array.from({ length: most }, () => view(url));
    await waitFor(() => viewers.every(({ socket }) => socket.readyState === WebSocket.OPEN), {
      what: `${most} viewers`,
    });
    const oneMore = view(url);
    const [status, body] = await waitFor(() => oneMore.refused, { what: 'a refusal' });
    expect(status).toBe(429);
    expect(JSON.parse(body)).toMatchObject({ code: 'rate_limited' });
    ends.shift()?.();
    await waitFor(() => full.api.liveLoad.telemetrySockets < most, { what: 'room' });
    await sees(view(url));
  });

  it('says goodbye when the API stops', async () => {
    const going = await openTestApi({ beside: open });
    const one = view(wsUrl(await going.api.start()));
    await sees(one);
    await going.close();
    expect(one.closed).toEqual([1001, 'the API is stopping']);
  });
});

describe('an upgrade', () => {
  it('to an address that takes none is answered and closed', async () => {
    for (const path of ['/', '/ws', '/ws/other', '/api/tasks', '/ws/telemetry/x', '//', '/socket.iox/']) {
      const said = await tell(openUrl, upgradeTo(path));
      expect(said, path).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
      expect(said).toContain('"code":"not_found"');
    }
  });

  it('that is no proper WebSocket is refused', async () => {
    const said = await tell(openUrl, upgradeTo('/ws/telemetry').replace(/Sec-WebSocket-Key.*\r\n/, ''));
    expect(said).toMatch(/^HTTP\/1\.1 400 /);
    expect(await tell(openUrl, upgradeTo('/socket.io/?EIO=4&transport=nonsense'))).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  it('to HTTP/2 is passed over: the request is answered as it is', async () => {
    const body = JSON.stringify({ docker_image: 'busybox', name: 'äöü' });
    const said = await tell(
      openUrl,
      `POST /api/tasks HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n` +
        `HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Type: application/json\r\n` +
        `Authorization: Bearer ${alice.token}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}` +
        // And another one on the same connection.
        `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(said).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(said).toContain('"name":"äöü"');
    expect(said).toContain('{"status":"ok"}');
  });
});

// Peers that hold a connection and do nothing with it: readers that never read, bodies and heads that only trickle,
// connections without end. They go, and whoever does what people do is none the wiser.

import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { curl } from '../support/curl.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Refused, type TestApi, type TestApiOptions } from './harness.ts';
import { lines, OutputStage, textOf } from './output-stage.ts';

const IDLE_MS = 300;

async function openStage(parts: ReturnType<NonNullable<TestApiOptions['parts']>>) {
  const test = await openTestApi({ parts: () => parts });
  onTestFinished(() => test.close());
  const alice = await test.join('alice');
  const url = new URL(await test.api.start());
  const open = (text: string) => {
    const socket = connect(Number(url.port), url.hostname);
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(text);
    return socket;
  };
  return { test, alice, url, open, stage: new OutputStage(test, alice) };
}

const connections = (test: TestApi) =>
  new Promise<number>((done) => test.api.server.listener.getConnections((_error, count) => done(count)));
const closed = (socket: Socket) => waitFor(() => socket.closed, { what: 'the end of a connection' });
function heard(socket: Socket): () => string {
  let text = '';
  socket.setEncoding('utf8').on('data', (more) => {
    text += more;
  });
  return () => text;
}

describe('a reader of output that never reads', () => {
  it('is cut, followed or not, while one that waits for a silent task stays', async () => {
    const { test, alice, stage, url, open } = await openStage({ peerIdleMs: IDLE_MS });
    const [loud, silent] = [await stage.started(), await stage.started()];
    // More than the system takes on its way.
    for (let from = 1; from <= 24_000; from += 2_000) {
      await stage.print(loud, lines(from, from + 1_999, 'x'.repeat(1_000)), 'nothing');
    }
    const follower = curl(`${url.origin}/api/tasks/${silent.id}/logs?follow=true`, alice.token);
    await waitFor(async () => (await connections(test)) === 1, { what: 'a follower' });
    for (const query of ['', '?follow=true']) {
      const socket = open(
        `GET /api/tasks/${loud.id}/logs${query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${alice.token}\r\n\r\n`,
      );
      // From its first bytes on.
      await new Promise((begun) => socket.once('data', begun));
      socket.pause();
    }
    await waitFor(async () => (await connections(test)) === 1, { what: 'their end' });
    await stage.print(silent, lines(1, 3));
    await stage.ended(silent);
    expect(await follower.ended).toBe(0);
    expect(follower.text()).toBe(textOf(lines(1, 3)));
  });
});

describe('an upload of a byte now and then', () => {
  it.each(['PUT /api/files/slow.bin', 'PATCH'])('is refused: %s', async (what) => {
    const { test, alice, open } = await openStage({ peerIdleMs: IDLE_MS });
    const auth = `Host: x\r\nAuthorization: Bearer ${alice.token}\r\n`;
    let head = `${what} HTTP/1.1\r\n${auth}Content-Length: 100000\r\n\r\n`;
    if (what === 'PATCH') {
      const name = Buffer.from('slow.bin').toString('base64');
      const headers = {
        'tus-resumable': '1.0.0',
        'upload-length': '100000',
        'upload-metadata': `path ${name}`,
      };
      const {
        headers: made,
        status,
        text,
      } = await test.call<Refused>('POST', '/api/uploads', { as: alice, headers });
      expect(status, text).toBe(201);
      head =
        `PATCH ${new URL(String(made.location), 'http://x').pathname} HTTP/1.1\r\n${auth}Tus-Resumable: 1.0.0\r\n` +
        'Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\n';
    }
    const socket = open(head);
    const answer = heard(socket);
    const drip = setInterval(() => socket.writable && socket.write('x'), 20);
    onTestFinished(() => clearInterval(drip));
    await waitFor(() => answer().includes('\r\n\r\n'), { what: 'an answer' });
    expect(answer()).toMatch(/^HTTP\/1.1 503 /);
    expect(answer()).toContain('the body comes too slowly');
    const { body } = await test.call<{ total: unknown }>('GET', '/api/files', { as: alice });
    expect(body.total).toEqual({ files: 0, bytes: 0 });
  });
});

describe('connections', () => {
  it('whose request never comes to its end are closed, and those in use stay', async () => {
    const { test, alice, open, url } = await openStage({ listenerBounds: { headMs: 200, lookMs: 50 } });
    const slow = [open(''), open('GET / HT'), open('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')];
    for (const socket of slow) socket.resume();
    const reply = await fetch(`${url.origin}/api/auth/me`, {
      headers: { authorization: `Bearer ${alice.token}` },
    });
    expect(reply.status).toBe(200);
    for (const socket of slow) await closed(socket);
    expect((await test.call('GET', '/healthz')).status).toBe(200);
  });

  it('of one address are bounded, and make room as they end', async () => {
    const { open } = await openStage({ listenerBounds: { connections: 10, ofOneAddress: 3 } });
    const ask = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    const served = async (socket: Socket) => {
      const text = heard(socket);
      await waitFor(() => text().startsWith('HTTP/1.1 200') || socket.closed, {
        what: 'an answer or an end',
      });
      return !socket.closed;
    };
    const three: Socket[] = [];
    for (let n = 0; n < 3; n += 1) {
      const socket = open('');
      await waitFor(() => socket.readyState === 'open', { what: 'a connection' });
      three.push(socket);
    }
    expect(await served(open(ask))).toBe(false);
    three[0]?.destroy();
    await waitFor(async () => served(open(ask)), { what: 'room for one more' });
  });
});

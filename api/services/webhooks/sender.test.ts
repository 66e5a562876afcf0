// The sender against a real receiver: what it sends, what it makes of answers, and where it will not go.

import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/platform/clock.ts';
import { type Receiver, startReceiver } from '../../../test/support/receiver.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { AddressRules } from './address-rules.ts';
import { type Resolve, Sender } from './sender.ts';

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const payload = JSON.stringify({ type: 'task.completed', data: { name: 'Übung €' } });
const unheard = new AbortController().signal;

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

interface Stage {
  readonly allow?: string[];
  readonly deadlineMs?: number;
  readonly resolve?: Resolve;
}

const send = (url: string, { allow = ['127.0.0.1'], deadlineMs = 10_000, resolve }: Stage = {}) =>
  new Sender({ rules: new AddressRules(allow), clock: systemClock, deadlineMs, resolve }).send(
    { id: 'delivery-1', url, payload, secret },
    unheard,
  );
/** Leads every name to these addresses, others with each look. */
const leadsTo =
  (...looks: string[][]): Resolve =>
  (_name, _options, callback) => {
    const addresses = (looks.length > 1 ? looks.shift() : looks[0]) ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };

describe('what is sent', () => {
  it('is signed so that the library of the specification takes it', async () => {
    expect(await send(`${receiver.url}?a=b`)).toMatchObject({ status: 200, error: null, final: false });
    const [one] = receiver.got;
    expect(one).toMatchObject({ method: 'POST', path: '/hook?a=b', text: payload });
    expect(one?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(payload)),
      'user-agent': expect.stringMatching(/^CloudAI-Webhooks\/\d+\.\d+\.\d+/),
      'webhook-id': 'delivery-1',
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
    });
    const headers = one?.headers as Record<string, string>;
    expect(new Webhook(secret).verify(one?.text ?? '', headers)).toEqual(JSON.parse(payload));
    expect(() => new Webhook(secret).verify(`${one?.text} `, headers)).toThrow();
    expect(() =>
      new Webhook(`whsec_${randomBytes(32).toString('base64')}`).verify(payload, headers),
    ).toThrow();
  });

  it('is signed by the formula of the specification', async () => {
    await send(receiver.url);
    const headers = receiver.got[0]?.headers ?? {};
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${payload}`;
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    );
  });
});

describe('an answer', () => {
  it.each([200, 201, 204, 299])('of %d is good', async (status) => {
    receiver.react(status);
    expect(await send(receiver.url)).toMatchObject({ status, error: null });
  });

  it.each([400, 401, 404, 429, 500, 503])('of %d is not', async (status) => {
    receiver.react(status);
    expect(await send(receiver.url)).toMatchObject({
      status,
      error: `the receiver answered ${status}`,
      final: false,
    });
  });

  it('of 410 ends it', async () => {
    receiver.react(410);
    expect(await send(receiver.url)).toMatchObject({ status: 410, final: true });
  });

  it('that leads elsewhere is not followed', async () => {
    const other = await startReceiver();
    receiver.react((reply) => reply.writeHead(307, { location: other.url }).end());
    expect(await send(receiver.url)).toMatchObject({
      status: 307,
      error: 'the receiver answered 307; redirects are not followed',
    });
    expect(other.got).toEqual([]);
    await other.close();
  });

  it('says when to come back', async () => {
    receiver.react((reply) => reply.writeHead(503, { 'retry-after': '120' }).end());
    expect(await send(receiver.url)).toMatchObject({ status: 503, retryAfter: '120' });
  });

  it('that is huge is cut off, and its status counts', async () => {
    let sent = 0;
    let closed = false;
    receiver.react((reply) => {
      reply.writeHead(200);
      reply.on('close', () => {
        closed = true;
      });
      const pour = () => {
        while (!closed && reply.write(Buffer.alloc(65_536))) sent += 65_536;
        sent += 65_536;
        if (sent < 1e9) reply.once('drain', pour);
      };
      pour();
    });
    expect(await send(receiver.url)).toMatchObject({ status: 200, error: null });
    await waitFor(() => closed, { what: 'the connection to be dropped' });
    expect(sent).toBeLessThan(20e6);
  });

  it('that does not end is not waited for beyond the deadline, and its status counts', async () => {
    receiver.react((reply) => void reply.writeHead(200).write('a'));
    expect(await send(receiver.url, { deadlineMs: 1_000 })).toMatchObject({ status: 200, error: null });
  });

  it('that does not come is given up', async () => {
    receiver.react(() => undefined);
    expect(await send(receiver.url, { deadlineMs: 100 })).toMatchObject({
      status: null,
      error: 'no answer within 0.1 s',
      final: false,
    });
  });

  it('that switches to another protocol is a fault in words', async () => {
    const server = createServer((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      );
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const answer = await send(`http://127.0.0.1:${port}/`);
    expect(answer).toMatchObject({ status: null, error: expect.stringMatching(/connection/) });
    server.close();
  });

  it('that is no HTTP is a fault in words', async () => {
    const server = createServer((socket) => socket.end('hello\r\n\r\n'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const answer = await send(`http://127.0.0.1:${port}/`);
    expect(answer).toMatchObject({ status: null, error: expect.stringMatching(/\w/) });
    server.close();
  });

  it('of a server that hangs up is a fault in words', async () => {
    receiver.react((reply) => reply.destroy());
    expect(await send(receiver.url)).toMatchObject({
      status: null,
      error: 'the connection was cut (ECONNRESET)',
      final: false,
    });
  });

  it('cannot come from where nobody listens', async () => {
    await receiver.close();
    expect(await send(receiver.url)).toMatchObject({
      status: null,
      error: 'the connection was refused (ECONNREFUSED)',
      final: false,
    });
    receiver = await startReceiver();
  });
});

describe('where it will not go', () => {
  it.each(['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]', '[::1]', '0', '169.254.169.254'])(
    'is loopback and its like: %s',
    async (host) => {
      const answer = await send(`http://${host}:${receiver.port}/`, { allow: [] });
      expect(answer).toMatchObject({
        status: null,
        final: true,
        error: expect.stringMatching(/^not sent: /),
      });
      expect(answer.error).toMatch(/loopback|unspecified|link-local/);
      expect(receiver.got).toEqual([]);
    },
  );

  it('is a name that leads there', async () => {
    const resolve = leadsTo(['127.0.0.1', '::1']);
    const answer = await send(`http://receiver.example:${receiver.port}/`, { allow: [], resolve });
    expect(answer).toMatchObject({
      status: null,
      final: true,
      error:
        'not sent: receiver.example leads to 127.0.0.1, a loopback address; WEBHOOK_ALLOW does not let it',
    });
    expect(receiver.got).toEqual([]);
  });

  it('is the forbidden ones among the addresses of a name', async () => {
    const resolve = leadsTo(['::1', '127.0.0.2', '127.0.0.1']);
    const url = `http://receiver.example:${receiver.port}/`;
    expect(await send(url, { resolve })).toMatchObject({ status: 200 });
    expect(receiver.got).toHaveLength(1);
  });

  it('is judged by where a name leads now, not by where it led before', async () => {
    const resolve = leadsTo(['127.0.0.2'], ['127.0.0.1']);
    const url = `http://receiver.example:${receiver.port}/`;
    const allow = ['127.0.0.2'];
    // There nobody listens.
    expect(await send(url, { allow, resolve })).toMatchObject({ final: false });
    expect(await send(url, { allow, resolve })).toMatchObject({ final: true });
    expect(receiver.got).toEqual([]);
  });

  it('is where a redirect points', async () => {
    receiver.react((reply) => reply.writeHead(302, { location: 'http://169.254.169.254/' }).end());
    expect(await send(receiver.url)).toMatchObject({ status: 302 });
  });

  it('is let by name', async () => {
    const allow = [`receiver.example:${receiver.port}`];
    const resolve = leadsTo(['127.0.0.1']);
    expect(await send(`http://receiver.example:${receiver.port}/`, { allow, resolve })).toMatchObject({
      status: 200,
    });
  });
});

it('says in words that a name is not known', async () => {
  const resolve: Resolve = (name, _options, callback) =>
    callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []);
  expect(await send('http://no-such-name.example/', { resolve })).toMatchObject({
    status: null,
    error: 'the name of the host is not known (ENOTFOUND)',
    final: false,
  });
});

it('does not wait for a name beyond the deadline', async () => {
  const resolve: Resolve = () => undefined;
  expect(await send('http://receiver.example/', { resolve, deadlineMs: 50 })).toMatchObject({
    status: null,
    error: 'no answer within 0.05 s',
    final: false,
  });
});

it('stops when it is told to', async () => {
  receiver.react(() => undefined);
  const controller = new AbortController();
  const rules = new AddressRules(['127.0.0.1']);
  const sender = new Sender({ rules, clock: systemClock, deadlineMs: 60_000 });
  const sent = sender.send({ id: 'delivery-1', url: receiver.url, payload, secret }, controller.signal);
  await waitFor(() => receiver.got.length > 0, { what: 'the request' });
  controller.abort();
  expect(await sent).toMatchObject({ status: null });
});

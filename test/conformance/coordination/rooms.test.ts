// Events into rooms and between the Socket.io servers of several processes, with Socket.io's own client.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type ServerOptions } from 'socket.io';
import { type Socket as Client, io as connect } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
const strangers = new TestCluster();
const ends: (() => Promise<unknown> | unknown)[] = [];
let runner: RedisParts;

beforeAll(async () => {
  runner = await cluster.open();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(async () => {
  await cluster.close();
  await strangers.close();
});

interface Copy {
  readonly server: Server;
  readonly url: string;
}

/** A Socket.io server as an API copy has one; sockets join the room `r`. */
async function openCopy(redis: RedisParts): Promise<Copy> {
  const http = createServer();
  const server = new Server(http, { adapter: redis.socketAdapter as ServerOptions['adapter'] });
  server.on('connection', (socket) => void socket.join('r'));
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  ends.push(() => server.close());
  return { server, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

async function join(copy: Copy): Promise<{ client: Client; heard: unknown[] }> {
  const client = connect(copy.url, { transports: ['websocket'], forceNew: true });
  const heard: unknown[] = [];
  client.on('news', (body: unknown) => heard.push(body));
  ends.push(() => client.disconnect());
  await waitFor(
    () =>
      copy.server
        .of('/')
        .adapter.rooms.get('r')
        ?.has(client.id ?? ''),
    {
      what: 'the client in its room',
    },
  );
  return { client, heard };
}

/** Repeats, because a subscription may not stand yet. */
const reaches = (emit: () => void, heard: readonly unknown[], what: string) =>
  waitFor(
    () => {
      if (heard.length === 0) emit();
      return heard.length > 0;
    },
    { what, everyMs: 50, deadlineMs: 15_000 },
  );

describe('the rooms of sockets', () => {
  it('get what a runner emits, on every copy, and nothing of other rooms or clusters', async () => {
    const [one, two] = [await openCopy(await cluster.open()), await openCopy(await cluster.open())];
    const members = [await join(one), await join(two), await join(two)];
    const foreign = await join(await openCopy(await strangers.open()));
    for (const { heard } of members) {
      await reaches(() => runner.rooms.emit('r', 'news', 'hello?'), heard, 'a first event');
    }
    for (const { heard } of members) heard.length = 0;
    runner.rooms.emit('other', 'news', 'for others');
    const bodies = [{ n: 1, text: 'ä – 日本', none: null, list: [1.5, { deep: true }] }, 'second', 3];
    for (const body of bodies) runner.rooms.emit('r', 'news', body);
    for (const { heard } of members) {
      await waitFor(() => heard.includes(3), { what: 'the last event' });
      expect(heard.filter((body) => body !== 'hello?')).toEqual(bodies);
    }
    expect(foreign.heard).toEqual([]);
  });

  it('keep to one copy what is emitted there only', async () => {
    const [one, two] = [await openCopy(await cluster.open()), await openCopy(await cluster.open())];
    const [here, there] = [await join(one), await join(two)];
    await reaches(() => runner.rooms.emit('r', 'news', 'hello?'), there.heard, 'a first event');
    here.heard.length = 0;
    there.heard.length = 0;
    one.server.local.to('r').emit('news', 'here');
    one.server.to('r').emit('news', 'everywhere');
    await waitFor(() => there.heard.includes('everywhere'), { what: 'the event for all' });
    await waitFor(() => here.heard.includes('everywhere'), { what: 'the event for all' });
    expect(here.heard.filter((body) => body !== 'hello?')).toEqual(['here', 'everywhere']);
    expect(there.heard).not.toContain('here');
  });

  it('carry what one copy tells the others', async () => {
    const [one, two] = [await openCopy(await cluster.open()), await openCopy(await cluster.open())];
    const told: unknown[] = [];
    two.server.on('token-removed', (id: unknown) => told.push(id));
    await reaches(() => one.server.serverSideEmit('token-removed', 'token-1'), told, 'a word between copies');
    expect(told[0]).toBe('token-1');
  });

  it('drop what cannot be read, and go on', async () => {
    const copy = await openCopy(await cluster.open());
    const { heard } = await join(copy);
    await reaches(() => runner.rooms.emit('r', 'news', 'hello?'), heard, 'a first event');
    const channel = `${cluster.prefix}:sockets#/#r#`;
    for (const text of ['', 'nonsense', '{}', '\u0000', '[1,2,3]']) {
      await cluster.command('PUBLISH', channel, text);
    }
    runner.rooms.emit('r', 'news', 'after');
    await waitFor(() => heard.includes('after'), { what: 'the event after the nonsense' });
  });

  it('take no event that cannot be written, and never throw', async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => runner.rooms.emit('r', 'news', circle)).not.toThrow();
    expect(() => runner.rooms.emit('r', 'connect', 'a reserved name')).not.toThrow();
  });

  it('serve their own sockets without Redis, and everyone again once it is back', async () => {
    const own = await OwnRedis.prepare();
    onTestFinished(() => own.remove());
    const redis = await cluster.open({ url: own.url });
    const sender = await cluster.open({ url: own.url });
    const copy = await openCopy(redis);
    const { heard } = await join(copy);
    // Far more than may wait: nothing is kept, nothing throws.
    for (let n = 0; n < 5_000; n += 1) {
      sender.rooms.emit('r', 'news', 'lost');
      copy.server.serverSideEmit('token-removed', 'token-1');
    }
    copy.server.local.to('r').emit('news', 'local');
    await waitFor(() => heard.length > 0, { what: 'the local event' });
    expect(heard).toEqual(['local']);

    await own.start();
    const emit = () => sender.rooms.emit('r', 'news', 'again');
    heard.length = 0;
    await reaches(emit, heard, 'an event once Redis is there');
    await own.kill();
    for (let n = 0; n < 100; n += 1) sender.rooms.emit('r', 'news', 'lost');
    await own.start();
    heard.length = 0;
    await reaches(emit, heard, 'an event once Redis is back');
    expect(new Set(heard)).toEqual(new Set(['again']));
  });
});

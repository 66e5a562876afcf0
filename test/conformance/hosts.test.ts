// That hosts are what tests take them for: cut means cut, an engine is a host's own, and nothing is left behind.

import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostEngine } from '../support/hosts/engine.ts';
import type { Host } from '../support/hosts/host.ts';
import { isAlive } from '../support/hosts/leftovers.ts';
import { HostNetwork } from '../support/hosts/network.ts';
import { ip, whyNoHosts } from '../support/hosts/programs.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

/** Nothing answers for so long: packets are lost. */
const SILENCE_MS = 500;

const why = whyNoHosts();

describe.skipIf(why !== null)(`hosts${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let network: HostNetwork;
  let host: Host;
  let server: Server;
  let port: number;
  let asker: Asker;

  beforeAll(async () => {
    network = await HostNetwork.open();
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('hello');
    });
    await new Promise<void>((done) => server.listen(0, network.address, done));
    ({ port } = server.address() as AddressInfo);
    host = await network.add({ docker: true });
    asker = new Asker(host, network.address, port);
  });
  afterAll(async () => {
    await network?.remove();
    server?.close();
  });

  it('reach the servers of a test, until their link is cut or loses packets one way', async () => {
    expect(await asker.ask()).toBe('hello');
    await host.cut();
    expect(await asker.ask()).toBe('silence');
    await host.heal();
    for (const way of ['in', 'out'] as const) {
      await host.drop({ way, port });
      expect(await asker.ask()).toBe('silence');
      await host.heal();
      await host.drop({ way, port: port - 1 });
      expect(await asker.ask()).toBe('hello');
      await host.heal();
    }
  });

  it('have an engine of their own, that can be killed, frozen and lose its power', async () => {
    const engine = host.docker;
    const id = await startContainer(engine);
    await expect(new Docker().getContainer(id).inspect()).rejects.toThrow(/no such container/i);
    const { State } = await engine.client.getContainer(id).inspect();

    engine.freeze();
    expect(await engine.answers(300)).toBe(false);
    engine.thaw();
    expect(await engine.answers()).toBe(true);

    await engine.kill();
    expect(await engine.answers()).toBe(false);
    expect(isAlive(State.Pid)).toBe(true);
    await host.crash();
    expect(isAlive(State.Pid)).toBe(false);
    await host.boot();
    expect((await engine.client.getContainer(id).inspect()).State.Running).toBe(false);
  });

  it('leave nothing behind', async () => {
    const other = await HostNetwork.open();
    const there = await other.add({ docker: true });
    const id = await startContainer(there.docker);
    const { State } = await there.docker.client.getContainer(id).inspect();
    const daemon = there.docker.pid ?? 0;
    const asleep = there.spawn('sleep', ['1000'], { stdio: 'ignore' });
    await waitFor(() => readFileSync(`/proc/${asleep.pid}/comm`, 'utf8').startsWith('sleep'), {
      what: 'sleep',
    });

    await other.remove();
    expect([State.Pid, daemon, asleep.pid ?? 0].filter(isAlive)).toEqual([]);
    expect(await ip('netns', 'list')).not.toContain(there.name);
    expect(await ip('link')).not.toContain(there.name.replace(/-\d+$/, ':'));
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(other.folder);
    expect(existsSync(other.folder)).toBe(false);
  });
});

async function startContainer({ client }: HostEngine): Promise<string> {
  const container = await client.createContainer({ Image: TEST_IMAGE, Cmd: ['sleep', '1000'] });
  await container.start();
  return container.id;
}

/** A program on a host that asks a server, again and again. */
class Asker {
  readonly #child: ChildProcess;

  constructor(host: Host, address: string, port: number) {
    const program = `const { connect } = require('node:net');
      process.on('message', () => {
        const socket = connect(${port}, '${address}');
        const told = (text) => { clearTimeout(timer); socket.destroy(); process.send(text); };
        const timer = setTimeout(told, ${SILENCE_MS}, 'silence');
        socket.once('data', (data) => told(String(data)));
        socket.once('error', (error) => told(error.code));
      });`;
    this.#child = host.spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  ask(): Promise<string> {
    const told = new Promise<string>((done) => this.#child.once('message', (text) => done(String(text))));
    this.#child.send('ask');
    return told;
  }
}

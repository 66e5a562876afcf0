// A network of hosts for tests: a bridge with an address in the namespace of the tests, where they keep Redis and the
// store, and hosts on links of their own that can be cut. Everything is gone after `remove`, also what a test left.

import { rm } from 'node:fs/promises';
import { tempDir } from '../servers.ts';
import { Host, type HostOptions } from './host.ts';
import { endProcesses, isAlive, unmountUnder } from './leftovers.ts';
import { ip } from './programs.ts';

/** Told apart from other bridges by this alias: whose it is, and the folder of its hosts. */
const ALIAS = /^cloudai hosts of process (\d+) in (\/\S+)$/;
const TRIES = 50;

export class HostNetwork {
  /** Of the bridge: where servers for the hosts listen. */
  readonly address: string;
  readonly folder: string;
  readonly #bridge: string;
  readonly #prefix: string;
  readonly #hosts: Host[] = [];

  private constructor(bridge: string, prefix: string, folder: string) {
    this.address = `${prefix}.1`;
    this.folder = folder;
    this.#bridge = bridge;
    this.#prefix = prefix;
  }

  static async open(): Promise<HostNetwork> {
    await removeForgotten();
    const { path: folder } = await tempDir();
    for (let tries = 0; ; tries++) {
      const [a, b] = [200 + Math.floor(Math.random() * 50), Math.floor(Math.random() * 256)];
      // The range is in the name, so no two networks have the same one: the second `add` fails.
      const bridge = `cai-${a}-${b}`;
      try {
        await ip('link', 'add', bridge, 'type', 'bridge');
      } catch (error) {
        if (tries < TRIES) continue;
        throw error;
      }
      const network = new HostNetwork(bridge, `10.${a}.${b}`, folder);
      await ip('link', 'set', bridge, 'alias', `cloudai hosts of process ${process.pid} in ${folder}`);
      await ip('addr', 'add', `${network.address}/24`, 'dev', bridge);
      await ip('link', 'set', bridge, 'up');
      return network;
    }
  }

  async add(options: HostOptions = {}): Promise<Host> {
    const number = this.#hosts.length + 2;
    const host = new Host({
      name: `${this.#bridge}-${number}`,
      address: `${this.#prefix}.${number}`,
      bridge: this.#bridge,
      folder: `${this.folder}/${number}`,
    });
    this.#hosts.push(host);
    await host.open(options);
    return host;
  }

  async remove(): Promise<void> {
    const ended = await Promise.allSettled(this.#hosts.map((host) => host.remove()));
    await removeNetwork(this.#bridge, this.folder);
    const [fault] = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    if (fault) throw fault;
  }
}

/** What test processes that were killed could not remove themselves. */
async function removeForgotten(): Promise<void> {
  const links = JSON.parse(await ip('-json', 'link', 'show', 'type', 'bridge')) as {
    ifname?: string;
    ifalias?: string;
  }[];
  for (const { ifname, ifalias } of links) {
    const [, pid, folder] = ALIAS.exec(ifalias ?? '') ?? [];
    if (!ifname || !folder || isAlive(Number(pid))) continue;
    await removeNetwork(ifname, folder).catch(() => undefined);
  }
}

async function removeNetwork(bridge: string, folder: string): Promise<void> {
  const listed = await ip('netns', 'list');
  const namespaces = listed.split('\n').map((line) => line.split(' ')[0] ?? '');
  for (const name of namespaces.filter((one) => one.startsWith(`${bridge}-`))) {
    await endProcesses(name);
    await ip('netns', 'del', name);
  }
  await ip('link', 'del', bridge);
  await unmountUnder(folder);
  await rm(folder, { recursive: true, force: true });
}

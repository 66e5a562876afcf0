// One machine of a test: a network namespace with a link that can be cut, programs that run on it, and a Docker engine
// of its own where it is asked for. Files and users are those of the real machine.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { HostEngine } from './engine.ts';
import { endProcesses, unmountUnder } from './leftovers.ts';
import { ip, onNetworkOf, pathOf, run } from './programs.ts';

export interface HostOptions {
  /** With a Docker engine of its own, which has the image of the tests. */
  readonly docker?: boolean;
  /** More words for its dockerd. */
  readonly engineArguments?: readonly string[];
}

export interface HostPlace {
  /** Of its namespace and of its end of the link on the bridge. */
  readonly name: string;
  readonly address: string;
  readonly bridge: string;
  /** For what belongs to this host alone. */
  readonly folder: string;
}

/** `in`: nothing reaches the host. `out`: nothing leaves it. */
export type Way = 'in' | 'out';

export interface Drop {
  readonly way: Way;
  /** Only what goes to a server at this port, or comes from it. */
  readonly port?: number;
}

export class Host {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  /** Words before a command that make it run here; the process that is started is the command's own. */
  readonly through: readonly string[];
  readonly #bridge: string;
  #engine: HostEngine | null = null;

  constructor({ name, address, bridge, folder }: HostPlace) {
    this.name = name;
    this.address = address;
    this.folder = folder;
    this.through = onNetworkOf(name);
    this.#bridge = bridge;
  }

  get hasDocker(): boolean {
    return this.#engine !== null;
  }

  get docker(): HostEngine {
    if (!this.#engine) throw new Error(`${this.name} was made without a Docker engine`);
    return this.#engine;
  }

  async open({ docker = false, engineArguments = [] }: HostOptions): Promise<void> {
    const { name } = this;
    await mkdir(this.folder, { recursive: true });
    await ip('netns', 'add', name);
    await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await ip('link', 'set', name, 'master', this.#bridge, 'up');
    await ip('-n', name, 'addr', 'add', `${this.address}/24`, 'dev', 'eth0');
    for (const link of ['lo', 'eth0']) await ip('-n', name, 'link', 'set', link, 'up');
    if (!docker) return;
    this.#engine = new HostEngine(name, `${this.folder}/docker`, this.through, engineArguments);
    await this.#engine.start();
    await this.#engine.loadTestImage();
  }

  spawn(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [first = '', ...words] = this.through;
    return spawn(first, [...words, program, ...args], options);
  }

  /** The cable is out: both ways, all connections, and nobody is told. */
  async cut(): Promise<void> {
    await ip('link', 'set', this.name, 'down');
  }

  /** Loses packets in silence, one way, or only those to and from one server. */
  async drop({ way, port }: Drop): Promise<void> {
    const chain = way === 'in' ? ['INPUT', '-i', 'eth0'] : ['OUTPUT', '-o', 'eth0'];
    const ports = port === undefined ? [] : ['-p', 'tcp', way === 'in' ? '--sport' : '--dport', String(port)];
    await this.#iptables('-I', ...chain, ...ports, '-j', 'DROP');
  }

  /** After `cut` and `drop`: the link is whole again. */
  async heal(): Promise<void> {
    await ip('link', 'set', this.name, 'up');
    for (const chain of ['INPUT', 'OUTPUT']) await this.#iptables('-F', chain);
  }

  /** The power fails: programs, engine and containers end at once; what is on disk stays. */
  async crash(): Promise<void> {
    await endProcesses(this.name);
    await this.#engine?.died();
  }

  /** After `crash`: the engine is up again. Programs are for the test to start. */
  async boot(): Promise<void> {
    await this.#engine?.clearRuntimeFolder();
    await this.#engine?.start();
  }

  async remove(): Promise<void> {
    try {
      await this.#engine?.stop();
    } finally {
      await endProcesses(this.name);
      await unmountUnder(this.folder);
      await ip('netns', 'del', this.name);
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  async #iptables(...args: string[]): Promise<void> {
    const [first = '', ...words] = this.through;
    await run(first, [...words, pathOf('iptables'), '-w', ...args]);
  }
}

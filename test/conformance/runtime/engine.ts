// The Docker engine as the tests reach it, to check what the runtime says against what the engine says.

import { createConnection, createServer, type Server, type Socket } from 'node:net';
import Docker from 'dockerode';
import { tempDir } from '../../support/servers.ts';

export const docker = new Docker();

const socketPath = process.env.DOCKER_HOST?.startsWith('unix://')
  ? process.env.DOCKER_HOST.slice('unix://'.length)
  : '/var/run/docker.sock';

export interface Slot {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly network: string;
}

/** Pause containers of a worker. */
export async function slotsOf(workerId: string): Promise<Slot[]> {
  const found = await docker.listContainers({
    all: true,
    filters: { label: ['cloudai.slot', `cloudai.worker=${workerId}`] },
  });
  return found.map(({ Id, Names, State, Labels }) => ({
    id: Id,
    name: (Names[0] ?? '').slice(1),
    state: State,
    network: Labels['cloudai.slot'] ?? '',
  }));
}

/** The pause container whose namespace a container uses, or the name of its plain network. */
export async function namespaceOf(containerId: string): Promise<string> {
  const { HostConfig } = await docker.getContainer(containerId).inspect();
  return (HostConfig.NetworkMode ?? '').replace(/^container:/, '');
}

export interface Wire {
  /** For the runtime: `unix://…` of a socket that leads to the engine. */
  readonly dockerHost: string;
  /** Breaks every connection there is. */
  cut(): void;
  /** Breaks every connection; new ones wait until the returned function is called. */
  cutAndHold(): () => void;
  /** Breaks every connection and refuses new ones. */
  close(): Promise<void>;
  reopen(): Promise<void>;
  dispose(): Promise<void>;
}

/** A socket in front of the real engine's that can be cut. */
export async function openWire(): Promise<Wire> {
  const dir = await tempDir();
  const path = `${dir.path}/docker.sock`;
  const open = new Set<Socket>();
  let server: Server | null = null;

  let held: (() => void)[] | null = null;

  const listen = async () => {
    server = createServer((near) => {
      if (held) held.push(() => join(near));
      else join(near);
    });
    await new Promise<void>((done) => server?.listen(path, done));
  };
  const join = (near: Socket) => {
    const far = createConnection(socketPath);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  };
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  const close = async () => {
    const old = server;
    server = null;
    const closed = new Promise<void>((done) => (old ? old.close(() => done()) : done()));
    cut();
    await closed;
  };
  await listen();
  return {
    dockerHost: `unix://${path}`,
    cut,
    cutAndHold() {
      held = [];
      cut();
      return () => {
        const waiting = held ?? [];
        held = null;
        for (const go of waiting) go();
      };
    },
    close,
    reopen: listen,
    async dispose() {
      await close();
      await dir.remove();
    },
  };
}

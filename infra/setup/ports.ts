// TCP ports of this machine: which are free, and who holds one that is not.

import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';

export type PortState = 'free' | 'taken' | 'forbidden';

/** Whether a server could listen there now. `forbidden`: the system keeps it for root. */
export async function portState(port: number, host = '127.0.0.1'): Promise<PortState> {
  const server = createServer();
  return new Promise((done, refused) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') done('taken');
      else if (error.code === 'EACCES') done('forbidden');
      else refused(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => done('free')));
  });
}

/** A port nothing listens on just now. Another process may take it before the caller does. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, refused) => {
    server.once('error', refused);
    server.listen(0, host, done);
  });
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error(`no free port on ${host}`);
  return address.port;
}

/** The first free port from `from` on, at most 100 further; null when there is none. */
export async function nextFreePort(from: number, host = '127.0.0.1'): Promise<number | null> {
  for (let port = from; port < from + 100 && port < 65_536; port += 1) {
    if ((await portState(port, host)) === 'free') return port;
  }
  return null;
}

export async function answersOn(port: number, host = '127.0.0.1', deadlineMs = 1_000): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host });
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(deadlineMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

/** Who listens on a port, as far as Linux tells this user; null when it does not. */
export async function portOwner(port: number): Promise<PortOwner | null> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const inode of listeners(await readFile(table, 'utf8').catch(() => ''), port)) inodes.add(inode);
  }
  if (inodes.size === 0) return null;
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) {
        const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '?');
        return { pid: Number(pid), command: command.trim() };
      }
    }
  }
  return null;
}

const LISTEN = '0A';

/** Inodes of listening sockets in the kernel's table (its fields: sl local rem st … uid timeout inode). */
function listeners(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${wanted}`) && fields[3] === LISTEN)
    .map((fields) => fields[9] ?? '');
}

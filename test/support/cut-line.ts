// A way over loopback to a server that a test can cut, after so many bytes or for good, and mend, and lead elsewhere.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CutLine {
  readonly url: string;
  /** Bytes that went to the server, and that came from it, so far. */
  readonly sent: number;
  readonly received: number;
  /** Where connections lead from now on. */
  leadTo(url: string): void;
  /** Cuts all connections, once, as soon as so many more bytes went one way; `dead`: and takes no new ones. */
  cutAfter(bytes: number, way: 'sent' | 'received', dead?: boolean): void;
  /** Called once, as soon as so many more bytes went to the server. */
  when(bytes: number, happens: () => void): void;
  mend(): void;
  close(): Promise<void>;
}

/** Listens on `address`: loopback, or that of a network of hosts. */
export async function openCutLine(to: string, address = '127.0.0.1'): Promise<CutLine> {
  const sockets = new Set<Socket>();
  const counts = { sent: 0, received: 0 };
  let target = new URL(to);
  let dead = false;
  let cut: { way: 'sent' | 'received'; at: number; dead: boolean } | null = null;
  let event: { at: number; happens: () => void } | null = null;
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const count = (way: 'sent' | 'received', bytes: number) => {
    counts[way] += bytes;
    if (event && counts.sent >= event.at) {
      const { happens } = event;
      event = null;
      happens();
    }
    if (cut?.way !== way || counts[way] < cut.at) return;
    ({ dead } = cut);
    cut = null;
    cutAll();
  };
  const server = createServer((near) => {
    if (dead) return void near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const [one, other, way] of [
      [near, far, 'sent'],
      [far, near, 'received'],
    ] as const) {
      sockets.add(one);
      one.on('data', (bytes) => count(way, bytes.length));
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((done) => server.listen(0, address, done));
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    get sent() {
      return counts.sent;
    },
    get received() {
      return counts.received;
    },
    leadTo: (url) => {
      target = new URL(url);
    },
    cutAfter: (bytes, way, forGood = false) => {
      cut = { way, at: counts[way] + bytes, dead: forGood };
    },
    when: (bytes, happens) => {
      event = { at: counts.sent + bytes, happens };
    },
    mend: () => {
      dead = false;
    },
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      cutAll();
      await closed;
    },
  };
}

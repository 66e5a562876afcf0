// A real HTTP server that webhooks are sent to: each test says what it answers, it tells what it got.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Got {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The bytes of the body as text: what was signed. */
  readonly text: string;
}

/** The status to answer, or a function that answers by itself. */
export type Reaction = number | ((reply: ServerResponse, got: Got) => void);

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly got: Got[];
  /** From now on: one for each request in turn, the last for all that follow. */
  react(...reactions: Reaction[]): void;
  close(): Promise<void>;
}

/** On 127.0.0.1 unless another address of this machine is named. */
export async function startReceiver(host = '127.0.0.1'): Promise<Receiver> {
  const got: Got[] = [];
  let reactions: Reaction[] = [200];
  const server = createServer(async (request, reply) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const one: Got = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      text: Buffer.concat(chunks).toString(),
    };
    const reaction = (reactions.length > 1 ? reactions.shift() : reactions[0]) ?? 200;
    got.push(one);
    if (typeof reaction === 'number') reply.writeHead(reaction).end();
    else reaction(reply, one);
  });
  await new Promise<void>((done) => server.listen(0, host, done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/hook`,
    port,
    got,
    react: (...next) => {
      reactions = next;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

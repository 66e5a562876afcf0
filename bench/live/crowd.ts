// A crowd of Socket.io clients in a process of its own: each joins one room and counts. Speaks just enough of the
// protocol over `ws`, so that what is measured is the server and not the clients.
// Takes a line of JSON, a CrowdPlan, from standard input. Prints `ready` when all have joined, then one line of JSON when all have the last line.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

export interface CrowdPlan {
  readonly url: string;
  readonly clients: readonly { readonly token: string; readonly room: string }[];
  /** Number of the line that each waits for. */
  readonly lastSeq: number;
}

export interface CrowdResult {
  readonly events: number;
  readonly bytes: number;
  /** When the last of them had the last line, milliseconds since the epoch. */
  readonly at: number;
}

const [text] = await once(createInterface({ input: process.stdin }), 'line');
const plan = JSON.parse(String(text)) as CrowdPlan;
let ready = 0;
let done = 0;
let events = 0;
let bytes = 0;

function join({ token, room }: CrowdPlan['clients'][number]): void {
  const socket = new WebSocket(`${plan.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
    perMessageDeflate: false,
  });
  socket.on('error', (error) => {
    console.error(String(error));
    process.exit(1);
  });
  socket.on('close', (code) => {
    if (done === plan.clients.length) return;
    console.error(`a connection was closed: ${code}`);
    process.exit(1);
  });
  socket.on('message', (data: Buffer) => {
    if (data[0] === 0x32) {
      // Ping, pong.
      socket.send('3');
    } else if (data[0] === 0x30) {
      socket.send(`40${JSON.stringify({ token })}`);
    } else if (data[1] === 0x30) {
      socket.send(`420${JSON.stringify(['subscribe', { room, logs: {} }])}`);
    } else if (data[1] === 0x33) {
      if (!data.includes('"ok":true')) {
        console.error(data.toString());
        process.exit(1);
      }
      ready += 1;
      if (ready === plan.clients.length) process.stdout.write('ready\n');
    } else if (data.subarray(0, 16).includes('task:log"')) {
      events += 1;
      bytes += data.length;
      const from = data.lastIndexOf('"seq":') + 6;
      if (Number(data.subarray(from, data.indexOf(',', from)).toString()) >= plan.lastSeq) arrive();
    }
  });
}

function arrive(): void {
  done += 1;
  if (done < plan.clients.length) return;
  const result: CrowdResult = { events, bytes, at: Date.now() };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

for (const client of plan.clients) join(client);

// The least that can be done: a Socket.io server that broadcasts given output to rooms, nothing else. No log store, no
// Redis, no back-pressure, no check of who may see what.
// Takes a line of JSON, a BarePlan, from standard input, prints its address, broadcasts all when another line comes, and
// lives until it is killed.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { Server } from 'socket.io';
import { linesOf } from './output.ts';

export interface BarePlan {
  readonly rooms: readonly string[];
  readonly batches: number;
  readonly batchLines: number;
}

const input = createInterface({ input: process.stdin });
const [text] = await once(input, 'line');
const plan = JSON.parse(String(text)) as BarePlan;
const http = createServer();
const io = new Server(http, { perMessageDeflate: false, serveClient: false });
io.on('connection', (socket) => {
  socket.on('subscribe', ({ room }: { room: string }, reply: (answer: unknown) => void) => {
    void socket.join(room);
    reply({ ok: true });
  });
});
http.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}`));

input.once('line', async () => {
  for (let batch = 0; batch < plan.batches; batch += 1) {
    for (const room of plan.rooms) {
      const lines = linesOf(batch * plan.batchLines + 1, plan.batchLines).map((line) => ({
        ...line,
        ts: new Date(line.ts).toISOString(),
      }));
      io.to(room).emit('task:log', { task_id: room.slice('task:'.length), attempt: 1, lines });
    }
    // As often as sockets can be written.
    await new Promise<void>((go) => setImmediate(go));
  }
});

// A crowd of sockets in a process of its own: plain WebSockets on /ws/telemetry, and Socket.io clients that watch all
// tasks and the cluster, half of each reading nothing once they are in. Speaks just enough of the protocol over `ws`.
// Takes a line of JSON, a CrowdPlan, from standard input. Prints a line of JSON, how many are in, when all have been let
// in or refused; ends with its standard input.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

export interface SocketCrowdPlan {
  readonly url: string;
  readonly telemetry: number;
  /** One socket for each. */
  readonly tokens: readonly string[];
}

export interface SocketCrowdResult {
  readonly open: number;
  readonly refused: number;
}

const input = createInterface({ input: process.stdin });
const [text] = await once(input, 'line');
const plan = JSON.parse(String(text)) as SocketCrowdPlan;
const base = plan.url.replace('http', 'ws');
const total = plan.telemetry + plan.tokens.length;
let open = 0;
let refused = 0;

function settled(isIn: boolean): void {
  if (isIn) open += 1;
  else refused += 1;
  if (open + refused === total) {
    process.stdout.write(`${JSON.stringify({ open, refused } satisfies SocketCrowdResult)}\n`);
  }
}

/** @param hello answers what comes until it says that the socket is in */
function join(
  path: string,
  isReader: boolean,
  hello: (said: string, send: (text: string) => void) => boolean,
): void {
  const socket = new WebSocket(`${base}${path}`, { perMessageDeflate: false });
  let state: 'coming' | 'in' | 'over' = 'coming';
  const over = () => {
    if (state === 'coming') settled(false);
    state = 'over';
  };
  socket.on('error', over);
  socket.on('close', over);
  socket.on('message', (data: Buffer) => {
    if (state === 'in') {
      if (data[0] === 0x32) socket.send('3');
      return;
    }
    if (state === 'over' || !hello(data.toString(), (answer) => socket.send(answer))) return;
    state = 'in';
    settled(true);
    if (!isReader) socket.pause();
  });
}

for (let n = 0; n < plan.telemetry; n += 1) join('/ws/telemetry', n % 2 === 0, () => true);
plan.tokens.forEach((token, n) => {
  join('/socket.io/?EIO=4&transport=websocket', n % 2 === 0, (said, send) => {
    if (said.startsWith('0')) send(`40${JSON.stringify({ token })}`);
    else if (said.startsWith('40')) {
      send(`420${JSON.stringify(['subscribe', { room: 'telemetry' }])}`);
      send(`421${JSON.stringify(['subscribe', { room: 'tasks' }])}`);
    } else if (said.startsWith('2')) send('3');
    return said.startsWith('431');
  });
});
await once(input, 'close');
process.exit(0);

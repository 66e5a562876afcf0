// What a process really holds: its heap and what that refers to, after V8 was made to collect all garbage. Resident memory
// alone does not tell a leak from a heap that V8 has not given back. Asks over the inspector, which the process opened at
// its start (NODE_OPTIONS below) and named in its log.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { WebSocket } from 'ws';

export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

/** Megabytes after a collection of garbage. */
export interface Held {
  /** Of V8's heap in use. */
  readonly heap: number;
  /** Buffers and the like. */
  readonly external: number;
  readonly resident: number;
}

const ANSWER_MS = 60_000;
const MB = 2 ** 20;

export async function heldOf(logFile: string): Promise<Held> {
  const url = /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(await readFile(logFile, 'utf8'))?.[0];
  if (url === undefined) throw new Error(`${logFile} names no inspector`);
  const socket = new WebSocket(url, { perMessageDeflate: false });
  try {
    await once(socket, 'open');
    let id = 0;
    const ask = async (method: string, params: object = {}): Promise<string> => {
      id += 1;
      socket.send(JSON.stringify({ id, method, params }));
      const [data] = await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
      const { result, error } = JSON.parse(String(data)) as {
        result?: { result?: { value?: string } };
        error?: { message: string };
      };
      if (error) throw new Error(`${method}: ${error.message}`);
      return result?.result?.value ?? '';
    };
    // Twice: what is let go by finalizers of the first goes with the second.
    await ask('HeapProfiler.collectGarbage');
    await ask('HeapProfiler.collectGarbage');
    const expression = 'JSON.stringify(process.memoryUsage())';
    const { heapUsed, external, rss } = JSON.parse(
      await ask('Runtime.evaluate', { expression, returnByValue: true }),
    ) as NodeJS.MemoryUsage;
    return { heap: heapUsed / MB, external: external / MB, resident: rss / MB };
  } finally {
    socket.terminate();
  }
}

// The CLI's view of a real terminal: the process's streams, environment, Ctrl-C and questions without echo.

import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { CliIo } from './io.ts';

/** Ctrl-C at a hidden question aborts `interrupt`; otherwise it comes as a signal, which is the caller's to handle. */
export function terminalIo(interrupt: AbortController): CliIo {
  const { signal } = interrupt;
  const { stdin, stdout, stderr, env } = process;
  return {
    out: (text) => write(stdout, text),
    err: (text) => write(stderr, text),
    env,
    columns: stdout.isTTY ? stdout.columns || 80 : null,
    color: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    get progressColumns() {
      return stderr.isTTY ? stderr.columns || 80 : undefined;
    },
    outBytes: stdout.isTTY ? undefined : (bytes) => write(stdout, bytes),
    progress: stderr.isTTY === true && env.TERM !== 'dumb',
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    signal,
    ask: (prompt, { secret }) => (secret ? askSecret(prompt, interrupt) : askLine(prompt, signal)),
    readInput: async ({ maxBytes } = { maxBytes: Number.POSITIVE_INFINITY }) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of stdin) {
        chunks.push(chunk as Buffer);
        bytes += (chunk as Buffer).length;
        if (bytes > maxBytes) break;
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    now: () => Date.now(),
  };
}

async function write(stream: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  if (text.length > 0 && !stream.write(text)) await once(stream, 'drain');
}

async function askLine(prompt: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(prompt, { signal });
  } finally {
    lines.close();
  }
}

/** Raw mode shows nothing, and leaves the line's keys to us. */
function askSecret(prompt: string, interrupt: AbortController): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(prompt);
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (settle: () => void) => {
      stdin.off('data', read);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      settle();
    };
    const read = (text: string) => {
      for (const key of text) {
        if (key === '\r' || key === '\n') return finish(() => resolve(typed));
        if (key === '\u0003' || key === '\u0004') {
          // In raw mode Ctrl-C comes as a key; it must still mean what it means.
          return finish(() => {
            interrupt.abort();
            reject(interrupt.signal.reason);
          });
        }
        if (key === '\u007f' || key === '\b') typed = [...typed].slice(0, -1).join('');
        else if (key === '\u0015') typed = '';
        else if (key >= ' ') typed += key;
      }
    };
    stdin.setEncoding('utf8');
    stdin.setRawMode(true);
    stdin.resume();
    stdin.on('data', read);
  });
}

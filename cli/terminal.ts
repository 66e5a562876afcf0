// The CLI's view of a real terminal: the process's streams, environment, Ctrl-C and questions. Leaves the terminal as
// it was after each question.

import { once } from 'node:events';
import type { CliIo } from './io.ts';

/** Ctrl-C or Ctrl-D at a question aborts `interrupt`; elsewhere Ctrl-C is a signal, which is the caller's to handle. */
export function terminalIo(interrupt: AbortController): CliIo {
  const { stdin, stdout, stderr, env } = process;
  return {
    out: (text) => write(stdout, text),
    err: (text) => write(stderr, text),
    env,
    get columns() {
      return stdout.isTTY ? stdout.columns || 80 : null;
    },
    color: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    openScreen:
      stdout.isTTY === true && env.TERM !== 'dumb'
        ? async () => {
            // Few commands draw, and all start faster without it.
            const { terminalScreen } = await import('./screen/terminal-screen.ts');
            return terminalScreen(interrupt);
          }
        : null,
    get progressColumns() {
      return stderr.isTTY ? stderr.columns || 80 : undefined;
    },
    outBytes: stdout.isTTY ? undefined : (bytes) => write(stdout, bytes),
    progress: stderr.isTTY === true && env.TERM !== 'dumb',
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    signal: interrupt.signal,
    ask: (question, options) => ask(question, options, interrupt),
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

async function ask(
  question: string,
  { secret }: { secret: boolean },
  interrupt: AbortController,
): Promise<string> {
  // Few commands ask, and all start faster without these.
  const { default: prompt } = await (secret ? import('@inquirer/password') : import('@inquirer/input'));
  const { stdin, stderr } = process;
  const leave = () => interrupt.abort();
  // The question itself would wait on after Ctrl-D, and for a terminal that is gone.
  const onKey = (_text: string | undefined, key: { ctrl?: boolean; name?: string } | undefined) => {
    if (key?.ctrl && key.name === 'd') leave();
  };
  stdin.on('keypress', onKey).once('end', leave);
  try {
    const where = { input: stdin, output: stderr, signal: interrupt.signal };
    return await prompt({ message: question.trim() }, where);
  } catch (error) {
    // Ctrl-C comes as a key here; it must still mean what it means.
    if ((error as Error).name === 'ExitPromptError') leave();
    throw error;
  } finally {
    stdin.off('keypress', onKey).off('end', leave);
  }
}

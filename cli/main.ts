#!/usr/bin/env node
// Entry of the `cloudai` command: hands the real terminal to the CLI, or to the prompt when there is no command, and
// turns the answer into an exit code.

import { EXIT } from './exit.ts';
import { promptSettings, runCli } from './program.ts';
import { terminalIo } from './terminal.ts';
import { readVersion } from './version.ts';

/** After Ctrl-C a call under way has this long to end in good order. */
const LAST_MOMENT_MS = 500;

// `cloudai … | head` closes the pipe: not an error, just the end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed),
  );
}

const argv = process.argv.slice(2);
const settings = process.stdin.isTTY && process.stdout.isTTY ? promptSettings(argv) : null;
process.exitCode = await (settings ? openPrompt(settings) : runOnce());

async function runOnce() {
  const interrupt = new AbortController();
  process.on('SIGINT', () => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort();
    setTimeout(() => process.exit(EXIT.interrupted), LAST_MOMENT_MS).unref();
  });
  return runCli(argv, terminalIo(interrupt), readVersion());
}

async function openPrompt(found: NonNullable<typeof settings>) {
  // Scripts start faster without them.
  const [{ LineReader }, { runPrompt }] = await Promise.all([
    import('./prompt/line-reader.ts'),
    import('./prompt/prompt.ts'),
  ]);
  const listeners = new Set<() => void>();
  // Between commands it means nothing: the reader of lines takes the key itself.
  process.on('SIGINT', () => {
    for (const listener of listeners) listener();
  });
  const reader = new LineReader(process.stdin, process.stdout);
  const exitCode = await runPrompt(
    {
      read: (options) => reader.read(options),
      io: terminalIo,
      onInterrupt: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    readVersion(),
    found,
  );
  // A command that did not heed Ctrl-C must not keep the person who leaves.
  setTimeout(() => process.exit(exitCode), LAST_MOMENT_MS).unref();
  return exitCode;
}

#!/usr/bin/env node
// Entry of the `cloudai` command: hands the real terminal to the CLI and turns its answer into an exit code.

import { EXIT } from './exit.ts';
import { runCli } from './program.ts';
import { terminalIo } from './terminal.ts';
import { readVersion } from './version.ts';

/** After Ctrl-C a call under way has this long to end in good order. */
const LAST_MOMENT_MS = 500;

const interrupt = new AbortController();
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  interrupt.abort();
  setTimeout(() => process.exit(EXIT.interrupted), LAST_MOMENT_MS).unref();
});
// `cloudai … | head` closes the pipe: not an error, just the end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed),
  );
}

process.exitCode = await runCli(process.argv.slice(2), terminalIo(interrupt), readVersion());

// Programs of the machine that the engine is on, where that is the runner's own.

import { spawn } from 'node:child_process';

export interface HostCommands {
  /** What it printed. Rejects with what it said when it fails, cannot be run or takes too long. */
  run(program: string, args: readonly string[], input?: string): Promise<string>;
}

const DEADLINE_MS = 15_000;
const LONGEST_OUTPUT = 1_000_000;
/** Daemons of a service manager often have a PATH without these. */
const SYSTEM_FOLDERS = '/usr/sbin:/sbin:/usr/bin:/bin';

/** @param through words before each command, for a machine that is a network namespace */
export function hostCommands(through: readonly string[] = []): HostCommands {
  return {
    run: (program, args, input = '') =>
      new Promise((done, fail) => {
        const [first = '', ...words] = [...through, program, ...args];
        const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:${SYSTEM_FOLDERS}` };
        const child = spawn(first, words, { env, timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
        let out = '';
        let said = '';
        child.stdout.on('data', (chunk) => {
          if (out.length < LONGEST_OUTPUT) out += chunk;
        });
        child.stderr.on('data', (chunk) => {
          if (said.length < LONGEST_OUTPUT) said += chunk;
        });
        child.once('error', (error: NodeJS.ErrnoException) =>
          fail(error.code === 'ENOENT' ? new Error(`there is no program ${first} here`) : error),
        );
        child.once('close', (code, signal) => {
          if (code === 0) return done(out);
          const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
          fail(new Error(`${program}: ${said.trim().replace(/\s+/g, ' ') || how}`));
        });
        // A program that ends before it has read all says itself why.
        child.stdin.on('error', () => undefined);
        child.stdin.end(input);
      }),
  };
}

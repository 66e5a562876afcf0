// One process of the system under test, started again after each fault as a supervisor would. It notes when the process
// ended although nobody made it.

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const dist = resolve(import.meta.dirname, '../../dist');
const STOP_GRACE_MS = 20_000;
const RESTART_MS = 500;

export type Room = 'api' | 'scheduler' | 'runner';

export interface SupervisedOptions {
  readonly room: Room;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Words before the command that make it run elsewhere. */
  readonly through?: readonly string[];
}

export class Supervised {
  readonly name: string;
  /** In words: ends that no fault of the run asked for. */
  readonly unexpectedEnds: string[] = [];
  readonly #options: SupervisedOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | null = null;
  /** It is to run. */
  #isWanted = false;

  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: 'a' });
  }

  start(): void {
    this.#isWanted = true;
    const { room, env, through = [] } = this.#options;
    const [program = '', ...args] = [...through, process.execPath, `${dist}/${room}/main.js`];
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', (bytes) => this.#log.write(bytes));
    child.stderr?.on('data', (bytes) => this.#log.write(bytes));
    child.once('exit', (code, signal) => void this.#ended(child, code, signal));
    this.#child = child;
  }

  /** It stays down until `start`. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#isWanted = false;
    this.#child = null;
    if (!child || hasEnded(child)) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    const timer = setTimeout(() => {
      this.unexpectedEnds.push(`${this.name} had to be killed: it did not stop within ${STOP_GRACE_MS} ms`);
      child.kill('SIGKILL');
    }, STOP_GRACE_MS);
    await gone;
    clearTimeout(timer);
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async #ended(child: ChildProcess, code: number | null, signal: string | null): Promise<void> {
    if (this.#child !== child || !this.#isWanted) return;
    this.#child = null;
    this.unexpectedEnds.push(`${this.name} ended by itself with ${signal ?? `exit code ${code}`}`);
    await delay(RESTART_MS);
    if (this.#isWanted && !this.#child) this.start();
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

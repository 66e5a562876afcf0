// A program on a real pseudo-terminal, its screen read through a terminal emulator: what a person sees and types.

import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { waitFor } from './wait-for.ts';

export interface PtyOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly columns?: number;
  readonly rows?: number;
}

export interface ShowsOptions {
  readonly deadlineMs?: number;
}

/** Keys that are no characters, as a terminal sends them. */
const KEYS = {
  enter: '\r',
  tab: '\t',
  escape: '\x1b',
  backspace: '\x7f',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  'page-up': '\x1b[5~',
  'page-down': '\x1b[6~',
  home: '\x1b[H',
  end: '\x1b[F',
  'ctrl-a': '\x01',
  'ctrl-c': '\x03',
  'ctrl-d': '\x04',
  'ctrl-l': '\x0c',
  'ctrl-r': '\x12',
  'ctrl-u': '\x15',
} as const;

export type Key = keyof typeof KEYS;

const DEADLINE_MS = 20_000;
/** Lines kept above the screen. */
const SCROLLBACK = 5_000;

/** Ends with its program; `kill` ends both. */
export class Pty {
  /** All that the program wrote, escape sequences and all. */
  raw = '';
  /** Set once the program has ended and all it wrote is on the screen. */
  ended: { readonly code: number; readonly signal: number } | null = null;
  readonly #process: ReturnType<typeof spawn>;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #name: string;

  constructor(file: string, args: readonly string[], options: PtyOptions = {}) {
    const { columns = 100, rows = 30 } = options;
    this.#name = [file.split('/').at(-1), ...args].join(' ');
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: SCROLLBACK,
      allowProposedApi: true,
    });
    this.#process = spawn(file, [...args], {
      name: options.env?.TERM ?? 'xterm-256color',
      cols: columns,
      rows,
      // A name without a value is left out of the environment.
      env: Object.fromEntries(
        Object.entries({ PATH: process.env.PATH, ...options.env }).filter(([, value]) => value !== undefined),
      ),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.#process.onData((data) => {
      this.raw += data;
      this.#terminal.write(data);
    });
    // What a program asks of its terminal (where is the cursor?) is answered like a terminal does.
    this.#terminal.onData((answer) => this.#process.write(answer));
    this.#process.onExit(({ exitCode, signal }) => {
      this.#terminal.write('', () => {
        this.ended = { code: exitCode, signal: signal ?? 0 };
      });
    });
  }

  type(text: string): void {
    this.#process.write(text);
  }

  press(...keys: readonly Key[]): void {
    for (const key of keys) this.#process.write(KEYS[key]);
  }

  /** Types a line and Enter. */
  enter(line: string): void {
    this.#process.write(`${line}\r`);
  }

  resize(columns: number, rows = this.#terminal.rows): void {
    this.#terminal.resize(columns, rows);
    this.#process.resize(columns, rows);
  }

  /** The lines on the screen, without the spaces at their ends and the empty lines at the bottom. */
  screen(): string {
    const { baseY } = this.#terminal.buffer.active;
    return this.#lines(baseY, baseY + this.#terminal.rows);
  }

  /** The screen and all that was scrolled out of it. */
  all(): string {
    return this.#lines(0, this.#terminal.buffer.active.length);
  }

  /** The line the cursor is in, up to the cursor: the prompt and what is typed. */
  typed(): string {
    const { baseY, cursorY, cursorX } = this.#terminal.buffer.active;
    return this.#terminal.buffer.active.getLine(baseY + cursorY)?.translateToString(false, 0, cursorX) ?? '';
  }

  get cursorHidden(): boolean {
    return this.raw.lastIndexOf('\x1b[?25l') > this.raw.lastIndexOf('\x1b[?25h');
  }

  /** True on the second screen that full-screen programs draw on. */
  get alternateScreen(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** Waits until the screen shows it. */
  shows(what: string | RegExp, options: ShowsOptions = {}): Promise<void> {
    return this.#until(String(what), () => holds(this.screen(), what), options);
  }

  /** Waits until it stands anywhere, scrolled away or not. */
  showed(what: string | RegExp, options: ShowsOptions = {}): Promise<void> {
    return this.#until(String(what), () => holds(this.all(), what), options);
  }

  /** Waits until the cursor stands right behind this, e.g. `master> ` when a prompt waits for a line. */
  waitsAfter(text: string, options: ShowsOptions = {}): Promise<void> {
    return this.#until(`the cursor behind "${text}"`, () => this.typed().endsWith(text), options);
  }

  /** Waits for the program's end and gives its exit code. */
  async exitCode({ deadlineMs = DEADLINE_MS }: ShowsOptions = {}): Promise<number> {
    const end = await waitFor(() => this.ended, {
      what: `the end of "${this.#name}", which shows:\n${this.screen()}\n`,
      deadlineMs,
    });
    return end.code;
  }

  /** For the end of a test, however it went. */
  kill(): void {
    if (this.ended === null) this.#process.kill('SIGKILL');
    this.#terminal.dispose();
  }

  async #until(what: string, there: () => boolean, { deadlineMs = DEADLINE_MS }: ShowsOptions) {
    try {
      await waitFor(there, { what, deadlineMs });
    } catch {
      const end = this.ended === null ? '' : ` (it has ended with ${this.ended.code})`;
      throw new Error(
        `waited ${deadlineMs} ms in vain for ${what} from "${this.#name}"${end}, which shows:\n${this.all()}`,
      );
    }
  }

  #lines(from: number, to: number): string {
    const buffer = this.#terminal.buffer.active;
    const lines: string[] = [];
    for (let at = from; at < to; at += 1) {
      const line = buffer.getLine(at);
      // A line that did not fit goes on in the next row; it is one line for whoever looks for a text in it.
      const goesOn = buffer.getLine(at + 1)?.isWrapped === true;
      const text = line?.translateToString(!goesOn) ?? '';
      if (line?.isWrapped && lines.length > 0) lines.push(`${lines.pop()}${text}`);
      else lines.push(text);
    }
    return lines.join('\n').trimEnd();
  }
}

function holds(text: string, what: string | RegExp): boolean {
  return typeof what === 'string' ? text.includes(what) : what.test(text);
}

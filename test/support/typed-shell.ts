// A real bash on a pseudo-terminal that is typed into as a person does, one command at a time, and what each shows.

import xterm from '@xterm/headless';
import { Pty } from './pty.ts';
import { waitFor } from './wait-for.ts';

export interface TypedShellOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For one command; default: a minute. */
  readonly deadlineMs?: number;
}

/** A program that has a prompt of its own. */
export interface TypedProgram {
  /** What it shows before it asks for a line. */
  readonly greeting: readonly string[];
  /** Types a line, or leaves with `^D`; gives what is shown until the next prompt. */
  run(line: string): Promise<readonly string[]>;
}

/** Marks by which shells tell terminals that a prompt begins, and the output of a command. They show nothing. */
const PROMPT_MARK = '\x1b]133;A\x07';
const OUTPUT_MARK = '\x1b]133;C\x07';
const MARKS = { PS1: '\\[\\e]133;A\\a\\]$ ', PS0: '\\e]133;C\\a', PS2: '> ' };
const COLUMNS = 100;
const ROWS = 40;
const DEADLINE_MS = 60_000;
/** Where a question waits for an answer that it does not show. */
const QUESTION = /^\? .*: \[input is masked\]$/;

export class TypedShell {
  readonly #pty: Pty;
  readonly #deadlineMs: number;
  #prompts = 0;

  private constructor(pty: Pty, deadlineMs: number) {
    this.#pty = pty;
    this.#deadlineMs = deadlineMs;
  }

  static async open({ cwd, env, deadlineMs = DEADLINE_MS }: TypedShellOptions): Promise<TypedShell> {
    const pty = new Pty('bash', ['--noprofile', '--norc', '--noediting', '-i'], {
      cwd,
      env: { ...env, ...MARKS, LANG: 'C.UTF-8', TERM: 'xterm-256color' },
      columns: COLUMNS,
      rows: ROWS,
    });
    const shell = new TypedShell(pty, deadlineMs);
    await shell.#shellAsks('its first prompt');
    return shell;
  }

  /** Types a command and gives what it shows until the next prompt. `hidden` answers its questions in turn. */
  async run(typed: readonly string[], hidden: readonly string[] = []): Promise<readonly string[]> {
    this.#type(typed);
    let question = '';
    for (const answer of hidden) {
      question = await this.#nextQuestion(question);
      this.#pty.enter(answer);
    }
    await this.#shellAsks(`the end of "${typed[0]}"`);
    return this.#shown();
  }

  async open(typed: readonly string[], sign: string): Promise<TypedProgram> {
    const before = this.#countOf(sign);
    this.#type(typed);
    await this.#programAsks(sign, before + 1);
    const greeting = (await this.#shown()).slice(0, -1);
    let lines = 1;
    return {
      greeting,
      run: async (line) => {
        lines += 1;
        if (line === '^D') this.#pty.press('ctrl-d');
        else this.#pty.enter(line);
        await this.#programAsks(sign, before + lines);
        const [, ...answers] = sections(await this.#shown(), sign.trimEnd());
        return answers[lines - 2] ?? [];
      },
    };
  }

  close(): void {
    this.#pty.kill();
  }

  #type(typed: readonly string[]): void {
    for (const line of typed) this.#pty.enter(line);
  }

  #countOf(sign: string): number {
    return this.#pty
      .all()
      .split('\n')
      .filter((line) => line.startsWith(sign.trimEnd())).length;
  }

  async #shellAsks(what: string): Promise<void> {
    await this.#until(what, () => this.#hasAsked());
    this.#prompts += 1;
  }

  #hasAsked(): boolean {
    return this.#pty.raw.split(PROMPT_MARK).length > this.#prompts + 1;
  }

  /** Or the shell, when the program has ended. */
  async #programAsks(sign: string, count: number): Promise<void> {
    await this.#until(
      `"${sign}"`,
      () => this.#hasAsked() || (this.#pty.typed() === sign && this.#countOf(sign) === count),
    );
    if (this.#hasAsked()) this.#prompts += 1;
  }

  async #nextQuestion(last: string): Promise<string> {
    const asks = () => {
      const line = this.#pty.typed().trimEnd();
      return QUESTION.test(line) && line !== last ? line : null;
    };
    return this.#until('a question', asks);
  }

  async #until<T>(what: string, there: () => T | null): Promise<NonNullable<Exclude<T, false>>> {
    try {
      return await waitFor(there, { what, deadlineMs: this.#deadlineMs });
    } catch {
      throw new Error(
        `waited ${this.#deadlineMs} ms in vain for ${what}; the terminal shows:\n${this.#pty.screen()}`,
      );
    }
  }

  /** What the last command has shown, as it stands on the terminal in the end. */
  #shown(): Promise<readonly string[]> {
    const { raw } = this.#pty;
    const output = raw.slice(raw.lastIndexOf(OUTPUT_MARK) + OUTPUT_MARK.length);
    const end = output.indexOf(PROMPT_MARK);
    return linesOf(end < 0 ? output : output.slice(0, end));
  }
}

/** What stands before the first line with the sign, and behind each of them. */
function sections(lines: readonly string[], sign: string): string[][] {
  const found: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith(sign)) found.push([]);
    else found.at(-1)?.push(line);
  }
  return found;
}

/** The lines on a terminal that is high enough for all of it. */
async function linesOf(output: string): Promise<readonly string[]> {
  const rows = output.split('\n').length * 4 + ROWS;
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write(output, done));
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let at = 0; at < active.length; at += 1) {
    const line = active.getLine(at);
    const text = line?.translateToString(active.getLine(at + 1)?.isWrapped !== true) ?? '';
    if (line?.isWrapped && lines.length > 0) lines.push(`${lines.pop()}${text}`);
    else lines.push(text);
  }
  terminal.dispose();
  while (lines.at(-1)?.trim() === '') lines.pop();
  return lines.map((line) => line.trimEnd());
}

// The prompt: reads lines and runs each one as the shell would run `cloudai` with its words, until the person leaves.
// Whatever a line does, the next one can be typed.

import { dirname, join } from 'node:path';
import picocolors from 'picocolors';
import { completionSources } from '../commands/completion.ts';
import { completeLine } from '../completion/line.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { profilePath } from '../profile.ts';
import { describeProgram, type PromptSettings, runCli } from '../program.ts';
import { greet } from './greeting.ts';
import { tidyHistory } from './history.ts';
import { HistoryFile } from './history-file.ts';
import type { ReadOptions, Typed } from './line-reader.ts';
import { quoteWord, splitLine } from './split-line.ts';

/** What the prompt needs of the terminal beside `CliIo`. */
export interface PromptTerminal {
  read(options: ReadOptions): Promise<Typed>;
  /** For one command; `interrupt` is aborted when the person leaves a question. */
  io(interrupt: AbortController): CliIo;
  /** Calls `listener` at Ctrl-C while a command runs, until the function it gives back is called. */
  onInterrupt(listener: () => void): () => void;
}

const PROMPT = 'master> ';
const HOW_TO_LEAVE = 'To leave: exit, or Ctrl-D.';
/** After Ctrl-C a command has this long to end in good order; then it is left to itself, and is not heard any more. */
const LAST_MOMENT_MS = 1_000;

export async function runPrompt(
  terminal: PromptTerminal,
  version: string,
  settings: PromptSettings,
): Promise<ExitCode> {
  const io = terminal.io(new AbortController());
  const prompt = picocolors.createColors(io.color).bold(PROMPT);
  const keeper = new HistoryKeeper(io);
  let left = false;
  const leave = () => {
    left = true;
  };
  const sources = completionSources(io);
  const program = describeProgram(version, { leave });
  const complete = async (line: string) => {
    const { candidates, start } = await completeLine(program, sources, line, settings.args);
    const words = candidates.map(({ value, done }) => (done ? `${quoteWord(value)} ` : unended(value)));
    return { words, start };
  };

  await keeper.load();
  await io.err(`${await greet(io, settings.options)}\n`);
  while (!left) {
    const typed = await terminal.read({ prompt, hint: HOW_TO_LEAVE, history: keeper.lines, complete });
    if (typed.kind === 'left') {
      await io.out('\n');
      break;
    }
    await keeper.add(typed.text);
    const words = await wordsOf(typed.text, io);
    if (words.length > 0)
      await runLine(terminal, (one) => runCli([...settings.args, ...words], one, version, { leave }));
    sources.forget();
  }
  return EXIT.ok;
}

/** The words to run; none for a line that is empty, a comment or not to be understood. */
async function wordsOf(line: string, io: CliIo): Promise<readonly string[]> {
  const { words, open } = splitLine(line);
  if (open === null) return words[0] === 'cloudai' ? words.slice(1) : words;
  const what = open === '\\' ? 'nothing follows the backslash at its end' : `a ${open} is not closed`;
  await io.err(`cloudai: cannot read this line: ${what}\nFor the character itself, put \\ before it.\n`);
  return [];
}

async function runLine(terminal: PromptTerminal, run: (io: CliIo) => Promise<ExitCode>): Promise<void> {
  const interrupt = new AbortController();
  const base = terminal.io(interrupt);
  let heard = true;
  let lineOpen = false;
  const heardBy = (write: (text: string) => Promise<void>) => async (text: string) => {
    if (!heard || text === '') return;
    lineOpen = !text.endsWith('\n') && !text.endsWith('\r');
    await write(text);
  };
  const io: CliIo = Object.assign(Object.create(base) as CliIo, {
    out: heardBy(base.out),
    err: heardBy(base.err),
    readInput: async () => {
      throw new CliError(
        EXIT.usage,
        'there is no input here but the keyboard, which the prompt reads',
        'Run it from a shell to pipe something in.',
      );
    },
  });
  const unlisten = terminal.onInterrupt(() => {
    // The terminal shows ^C where the cursor is.
    lineOpen = true;
    interrupt.abort();
  });
  const running = run(io);
  try {
    await Promise.race([running, momentAfter(interrupt.signal)]);
  } finally {
    unlisten();
    if (lineOpen) await base.out('\n');
    heard = false;
    running.catch(() => undefined);
  }
}

function momentAfter(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => setTimeout(resolve, LAST_MOMENT_MS).unref(), { once: true });
  });
}

/** A word that goes on keeps its quotes open. */
function unended(word: string): string {
  const quoted = quoteWord(word);
  return quoted.endsWith("'") ? quoted.slice(0, -1) : quoted;
}

/** The lines of this prompt: all in memory, those that may be kept on disk. */
class HistoryKeeper {
  readonly #io: CliIo;
  readonly #file: HistoryFile;
  #told = false;
  lines: readonly string[] = [];

  constructor(io: CliIo) {
    this.#io = io;
    this.#file = new HistoryFile(join(dirname(profilePath(io.env)), 'history'));
  }

  async load(): Promise<void> {
    this.lines = await this.#file.load();
    await this.#tell();
  }

  async add(line: string): Promise<void> {
    this.lines = tidyHistory([...this.lines, line]);
    await this.#file.add(line);
    await this.#tell();
  }

  /** Once: it is nothing that gets in the way of a command. */
  async #tell(): Promise<void> {
    const { fault } = this.#file;
    if (fault === null || this.#told) return;
    this.#told = true;
    await this.#io.err(`Lines are not remembered from one prompt to the next: ${fault}\n`);
  }
}

// A document's console blocks as data: what is typed, what is answered, and a document with other answers made of it.
// Pure. Runs nothing and compares nothing.

/** What waits for the words: the shell, or `cloudai` without words. */
export type PromptSign = '$ ' | 'master> ';

export interface Step {
  readonly sign: PromptSign;
  /** Without the prompt; more than one where the shell asks for the rest of a command with `> `. */
  readonly typed: readonly string[];
  readonly answer: readonly string[];
  /** Of the first typed line, from 1. */
  readonly line: number;
}

export interface Block {
  readonly steps: readonly Step[];
  /** What is typed where the terminal does not show it, in the order of the questions. */
  readonly hidden: readonly string[];
  /** Why the answers may only come when it is typed again; null when the first has to be as shown. */
  readonly again: string | null;
  /** Why figures of this block are others on another machine or day; null when they are to be as shown. */
  readonly figuresDiffer: string | null;
  /** Why it is only typed when the whole document is; null when it always is. */
  readonly slow: string | null;
  readonly line: number;
}

export interface LeftOut {
  readonly why: string;
  readonly line: number;
}

export interface Transcript {
  readonly blocks: readonly Block[];
  readonly leftOut: readonly LeftOut[];
}

const SIGNS: readonly PromptSign[] = ['$ ', 'master> '];
const GOES_ON = '> ';
const FENCE = '```';
const CONSOLE = '```console';

/** Remarks for the test, which readers of the document do not see, on the lines right above a block. */
const REMARKS = ['not run', 'typed, not shown', 'typed again', 'figures differ', 'slow'] as const;
type Remarks = Partial<Record<(typeof REMARKS)[number], string>>;

/** @throws {Error} that names the line, when a block does not have the form. */
export function readTranscript(markdown: string): Transcript {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  const leftOut: LeftOut[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    if (!lines[at]?.startsWith(FENCE)) continue;
    const end = lines.indexOf(FENCE, at + 1);
    if (end < 0) throw fault(at, 'this block has no end');
    if (lines[at] === CONSOLE) {
      const remarks = remarksAbove(lines, at);
      if (remarks['not run'] === undefined) blocks.push(readBlock(lines, at, end, remarks));
      else leftOut.push({ why: remarks['not run'], line: at + 1 });
    }
    at = end;
  }
  return { blocks, leftOut };
}

function remarksAbove(lines: readonly string[], fence: number): Remarks {
  const remarks: Remarks = {};
  for (let at = fence - 1; at >= 0; at -= 1) {
    const [, name, text] = /^<!-- ([^:]+): ?(.*?) ?-->$/.exec(lines[at] ?? '') ?? [];
    if (name === undefined) break;
    const known = REMARKS.find((one) => one === name);
    if (!known) throw fault(at, `"${name}" is none of: ${REMARKS.join('; ')}`);
    if (!text) throw fault(at, `"${name}" says nothing`);
    remarks[known] = text;
  }
  return remarks;
}

function readBlock(lines: readonly string[], from: number, end: number, remarks: Remarks): Block {
  const steps: { sign: PromptSign; typed: string[]; answer: string[]; line: number }[] = [];
  for (let at = from + 1; at < end; at += 1) {
    const text = lines[at] ?? '';
    const sign = SIGNS.find((one) => text.startsWith(one));
    const last = steps.at(-1);
    if (sign) steps.push({ sign, typed: [text.slice(sign.length)], answer: [], line: at + 1 });
    else if (!last) throw fault(at, 'a block begins with what is typed, "$ …"');
    else if (text.startsWith(GOES_ON) && last.answer.length === 0)
      last.typed.push(text.slice(GOES_ON.length));
    else last.answer.push(text);
  }
  const [first] = steps;
  if (!first) throw fault(from, 'nothing is typed in this block');
  if (first.sign !== '$ ') throw fault(from, 'a block begins in the shell, with "$ …"');
  const hidden = remarks['typed, not shown']?.split(/,\s*/) ?? [];
  const again = remarks['typed again'] ?? null;
  if ((hidden.length > 0 || again !== null) && steps.length > 1) {
    throw fault(
      from,
      'a block that is typed again, or with something typed that is not shown, has one command',
    );
  }
  const figuresDiffer = remarks['figures differ'] ?? null;
  return { steps, hidden, again, figuresDiffer, slow: remarks.slow ?? null, line: from + 1 };
}

/** The same document with other answers, by the lines of their steps. */
export function withAnswers(markdown: string, answers: ReadonlyMap<number, readonly string[]>): string {
  const lines = markdown.split('\n');
  const steps = readTranscript(markdown).blocks.flatMap(({ steps }) => steps);
  // From the end on, so that the lines above stay where they are.
  for (const { line, typed, answer } of steps.toReversed()) {
    const other = answers.get(line);
    if (other) lines.splice(line - 1 + typed.length, answer.length, ...other);
  }
  return lines.join('\n');
}

function fault(at: number, what: string): Error {
  return new Error(`line ${at + 1}: ${what}`);
}

// The one line a program can print to say how far it has come. Pure. Anything that is not exactly this is output:
//
//   ::progress <percent>[ <message>]      percent: 0 to 100, with decimals or without; the whole line, nothing before it

import { stripVTControlCharacters } from 'node:util';

export interface ProgressLine {
  /** 0 to 100. */
  readonly percent: number;
  /** Without escape sequences and control characters; empty when there is none. */
  readonly message: string;
}

const START = '::progress ';
const FORM = /^::progress (\d{1,3}(?:\.\d+)?)(?: (.*))?$/s;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]+/g;

/** Null when the line is ordinary output. Tabs and other control characters in a message become spaces. */
export function readProgressLine(line: string): ProgressLine | null {
  if (!line.startsWith(START)) return null;
  const [, number, words = ''] = FORM.exec(line) ?? [];
  const percent = Number(number);
  if (number === undefined || percent > 100) return null;
  const message = stripVTControlCharacters(words).replace(CONTROL, ' ').trim();
  return { percent, message };
}

/** Whether a line that has no end yet may become one. */
export function mayBecomeProgress(text: string): boolean {
  return text.startsWith(START) || START.startsWith(text);
}

// The whole way from a line and the cursor's place in it to candidates, for the prompt and for shells.

import type { Command } from 'commander';
import { splitLine } from '../prompt/split-line.ts';
import { type Candidate, placeOf } from './complete.ts';
import type { CompletionSources } from './sources.ts';

export interface LineCompletion {
  readonly candidates: readonly Candidate[];
  /** Where the word at the cursor begins in the line, with its quotes. */
  readonly start: number;
}

/** `line` up to the cursor. Program names, and settings of the environment before them, are passed over. */
export async function completeLine(
  program: Command,
  sources: CompletionSources,
  line: string,
  settings: readonly string[] = [],
): Promise<LineCompletion> {
  const { words, last, comment } = splitLine(line);
  if (comment) return { candidates: [], start: line.length };
  const before = last.start === line.length && last.text === '' ? [...words] : words.slice(0, -1);
  while (/^\w+=/.test(before[0] ?? '')) before.shift();
  if (/(^|[/\\])cloudai$/.test(before[0] ?? '')) before.shift();
  const place = placeOf(program, { before: [...settings, ...before], word: last.text });
  return { candidates: await sources.candidates(place), start: last.start };
}

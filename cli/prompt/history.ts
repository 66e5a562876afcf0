// Which lines of the prompt are remembered, and in what order. Pure.

import { splitLine } from './split-line.ts';

export const HISTORY_LIMIT = 1_000;
/** A longer one is a paste, not a line to come back to. */
const LINE_LIMIT = 4_000;

const SECRET_OPTION = /^--?(secret|token|pass(word|wd)?)/i;
const SECRET_PAIR = /(secret|token|passw(or)?d|passphrase|api_?key|credential)[\w-]*=/i;
const SECRET_ADDRESS = /[a-z]:\/\/[^/\s@]*:[^/\s@]*@/i;

/**
 * True when a line may be written to disk: it holds no password, token or secret, as far as can be told, and does not
 * begin with a blank, which is how a person says that it is not to be kept.
 */
export function mayBeKept(line: string): boolean {
  if (line.trim() === '' || /^\s/.test(line) || line.length > LINE_LIMIT) return false;
  // As written too: what is behind an open quote is no word of its own.
  const parts = [...splitLine(line).words, ...line.split(/[\s'"]+/)];
  return !parts.some(
    (part) => SECRET_OPTION.test(part) || SECRET_PAIR.test(part) || SECRET_ADDRESS.test(part),
  );
}

/** Oldest first, none twice in a row, at most {@link HISTORY_LIMIT}; without what no prompt wrote. */
export function tidyHistory(lines: readonly string[]): string[] {
  const proper = lines.filter(
    (line) => line.trim() !== '' && line.length <= LINE_LIMIT && !/\p{Cc}/u.test(line.replaceAll('\t', ' ')),
  );
  return proper.filter((line, at) => line !== proper[at - 1]).slice(-HISTORY_LIMIT);
}

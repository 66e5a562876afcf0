// A line of the prompt as words, the way a shell splits it: blanks, quotes, backslash, comments. Nothing is expanded:
// no variables, no patterns, no `~`. Pure.

export interface SplitLine {
  readonly words: readonly string[];
  /** The quote that was opened and never closed, or a backslash with nothing behind it. */
  readonly open: '"' | "'" | '\\' | null;
  /**
   * The word that the line ends in, which is also the last of `words`; empty and at the line's end when it ends in
   * blanks. `start` is where it begins in the line, quotes and all.
   */
  readonly last: { readonly text: string; readonly start: number };
  /** True when the line ends in a comment. */
  readonly comment: boolean;
}

/** What a backslash takes its meaning from between double quotes. */
const ESCAPED_IN_QUOTES = '"\\$`';

export function splitLine(line: string): SplitLine {
  const words: string[] = [];
  let text = '';
  let start: number | null = null;
  let quote: '"' | "'" | null = null;
  let at = 0;
  for (; at < line.length; at += 1) {
    const char = line[at] ?? '';
    const next = line[at + 1];
    if (quote === "'") {
      if (char === "'") quote = null;
      else text += char;
    } else if (quote === '"') {
      if (char === '"') quote = null;
      else if (char !== '\\') text += char;
      else if (next === undefined) break;
      else {
        text += ESCAPED_IN_QUOTES.includes(next) ? next : char + next;
        at += 1;
      }
    } else if (/\s/.test(char)) {
      if (start !== null) words.push(text);
      start = null;
      text = '';
    } else if (char === '#' && start === null) {
      return { words, open: null, last: { text: '', start: line.length }, comment: true };
    } else {
      start ??= at;
      if (char === '"' || char === "'") quote = char;
      else if (char !== '\\') text += char;
      else if (next === undefined) break;
      else {
        text += next;
        at += 1;
      }
    }
  }
  const open = at < line.length ? '\\' : quote;
  if (start !== null) words.push(text);
  return { words, open, last: { text, start: start ?? line.length }, comment: false };
}

/** Written so that `splitLine` gives it back as one word; plain where it can be. */
export function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-][\w@%+=:,./#-]*$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

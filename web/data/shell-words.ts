// Words of a command line of a POSIX shell: made safe to be pasted, and taken apart again. Pure.

/** One word as a shell reads it back, in quotes only where it needs them. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/** The words of a line with quotes and backslashes; variables and the like stay as they stand. Null: a quote is open. */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    at += 1;
    if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (char === "'") {
      const end = line.indexOf("'", at);
      if (end < 0) return null;
      word = (word ?? '') + line.slice(at, end);
      at = end + 1;
    } else if (char === '"') {
      word ??= '';
      for (;;) {
        if (at >= line.length) return null;
        const inner = line.charAt(at);
        at += 1;
        if (inner === '"') break;
        const next = line.charAt(at);
        if (inner === '\\' && next !== '' && '"\\$`'.includes(next)) {
          word += next;
          at += 1;
        } else word += inner;
      }
    } else if (char === '\\') {
      if (at >= line.length) return null;
      word = (word ?? '') + line.charAt(at);
      at += 1;
    } else word = (word ?? '') + char;
  }
  if (word !== null) words.push(word);
  return words;
}

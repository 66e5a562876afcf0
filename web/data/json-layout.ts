// Lays JSON out over lines. Only white space changes: numbers keep all their digits and keys their order, which reading
// and writing them would not promise. Pure and bounded.

/** Deeper than this the indents grow faster than they help. */
const DEEPEST = 64;
const MOST_CHARS = 2_000_000;

/** Null when it is no JSON, or none that would be easier to read laid out. */
export function layOutJson(text: string): string | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const out: string[] = [];
  let chars = 0;
  let depth = 0;
  const put = (part: string) => {
    out.push(part);
    chars += part.length;
  };
  const newLine = () => put(`\n${'  '.repeat(depth)}`);
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g)) {
    if (token === '{' || token === '[') {
      put(token);
      depth += 1;
      if (depth > DEEPEST) return null;
      newLine();
    } else if (token === '}' || token === ']') {
      depth -= 1;
      // Nothing stands between the brackets: they stay together.
      if (/^\n *$/.test(out.at(-1) ?? '')) out.pop();
      else newLine();
      put(token);
    } else if (token === ',') {
      put(token);
      newLine();
    } else put(token === ':' ? ': ' : token);
    if (chars > MOST_CHARS) return null;
  }
  return out.join('');
}

// Text for a manual page: the few macros of man(7) that are used, and text that no macro can hide in. Pure.

const NAMED: Readonly<Record<string, string>> = {
  '\\': '\\(rs',
  // A hyphen may be broken and may be another character than the one that is typed; `\-` is typed as it stands.
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '"': '\\(dq',
  // Has no fallback on a terminal of ASCII.
  '…': '...',
};

/**
 * One line of text, shown as it is. What controls a terminal or ends a line becomes a space, and characters outside
 * of ASCII are named, so that the page needs no encoding.
 */
export function roffText(text: string): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\\\-'`^~"…]/g, (sign) => NAMED[sign] ?? sign)
    .replaceAll(/[^\x20-\x7e]/gu, (sign) => `\\[u${codePoint(sign)}]`);
  // A dot at the beginning of a line would be a request.
  return line.startsWith('.') ? `\\&${line}` : line;
}

function codePoint(sign: string): string {
  return (sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

export const bold = (text: string): string => `\\fB${roffText(text)}\\fR`;

/** `.SH NAME`: the name is one argument, whatever is in it. */
export function macro(name: string, ...args: readonly string[]): string {
  return [`.${name}`, ...args.map((arg) => `"${roffText(arg)}"`)].join(' ');
}

/** A term and, indented, what it means. */
export function entry(term: string, description: string): string[] {
  return ['.TP', bold(term), roffText(description)];
}

/** Lines shown as they are. */
export function verbatim(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['.PP', '.RS 4', '.nf', ...lines.map(roffText), '.fi', '.RE'];
}

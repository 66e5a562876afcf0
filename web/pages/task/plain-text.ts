// Output as a page can show it: no terminal control, the last state of an overwritten line. Pure.

// Control Sequence Introducer (colours, cursor), Operating System Command (titles, links), and two-character escapes.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** A progress bar redraws its line after each carriage return; the last drawing is what a terminal would show. */
export function plainText(line: string): string {
  const bare = line.includes('\u001b') ? line.replaceAll(ESCAPES, '') : line;
  if (!bare.includes('\r')) return bare;
  return bare.split('\r').findLast((part) => part !== '') ?? '';
}

// Output as a page can show it: no terminal control, the last state of an overwritten line. Pure.

// Control Sequence Introducer (colours, cursor), Operating System Command (titles, links), two-character escapes; then
// what is left of broken ones, and control characters but tab and return.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])|[\0-\b\n\v\f\u000e-\u001f\u007f-\u009f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const CONTROL = /[\0-\b\n\v\f\u000e-\u001f\u007f-\u009f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const COLOUR = /^\u001b\[[\d;:]*m$/;

/** A progress bar redraws its line after each carriage return; the last drawing is what a terminal would show. */
export function plainText(line: string): string {
  const bare = withoutControl(line);
  if (!bare.includes('\r')) return bare;
  return bare.split('\r').findLast((part) => part !== '') ?? '';
}

/** Control that sets colours and styles is left in when `colours` is true; returns are always left in. */
export function withoutControl(line: string, colours = false): string {
  if (!CONTROL.test(line)) return line;
  return line.replaceAll(ESCAPES, (found) => (colours && COLOUR.test(found) ? found : ''));
}

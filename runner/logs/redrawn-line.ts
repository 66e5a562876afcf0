// One line as a terminal shows it when a program goes back to its start (\r) and writes over it, as progress bars do.
// Must never hold more than what is in view, and never cut through an escape sequence.
//
// What is written covers as many characters as it has, the rest of what was there stays in view. Where either of the
// two holds an escape sequence (a colour), the new text takes the place of the whole line. ESC[K at the start of the
// line and ESC[2K anywhere clear it; both go, like every ESC[K in a line that was redrawn. Escape sequences alone
// change nothing that is in view. A character of any width counts as one.

import { stripVTControlCharacters } from 'node:util';

const ESCAPE = '\u001b';
const CLEAR_LINE = `${ESCAPE}[2K`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CLEAR_REST = /\u001b\[0?K/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
const EVERY_CLEAR_REST = /\u001b\[0?K/g;
const SURROGATE = /[\ud800-\udfff]/;

/** Text from the start of the line on. */
interface Layer {
  readonly text: string;
  /** In code points. */
  readonly width: number;
  readonly hasEscapes: boolean;
}

export class RedrawnLine {
  /** The newest on top, at the end; each is wider than all above it. */
  #layers: Layer[] = [];

  /** What a terminal would show. */
  get text(): string {
    let text = '';
    let width = 0;
    for (let at = this.#layers.length - 1; at >= 0; at -= 1) {
      const layer = this.#layers[at] as Layer;
      text += behind(layer, width);
      width = layer.width;
    }
    return text;
  }

  /** Goes back to the start and writes `segment`, which has no line end and no return. */
  write(segment: string): void {
    if (segment === '') return;
    if (segment.includes(ESCAPE)) this.#writeWithEscapes(segment);
    else this.#lay(segment);
  }

  #writeWithEscapes(segment: string): void {
    const { text, isCleared } = clear(segment);
    if (isCleared) this.erase();
    if (stripVTControlCharacters(text) !== '') this.#layers = [layerOf(text)];
    else if (text !== '' && this.#layers.length === 0) this.#layers = [layerOf(text)];
  }

  /** The text after one more `write`, which is not done. */
  after(segment: string): string {
    const line = new RedrawnLine();
    line.#layers = [...this.#layers];
    line.write(segment);
    return line.text;
  }

  /** Nothing is written any more. */
  erase(): void {
    this.#layers = [];
  }

  /** Drops what is covered. To be called now and then, at a cost of the length in view. */
  settle(): void {
    if (this.#layers.length > 1) this.#layers = [layerOf(this.text)];
  }

  #lay(text: string): void {
    const layer = layerOf(text);
    const layers = this.#layers;
    // One that holds escape sequences is alone.
    if (layers[0]?.hasEscapes) layers.pop();
    while (layers.length > 0 && (layers.at(-1) as Layer).width <= layer.width) layers.pop();
    layers.push(layer);
  }
}

function clear(segment: string): { text: string; isCleared: boolean } {
  const whole = segment.lastIndexOf(CLEAR_LINE);
  const text = whole === -1 ? segment : segment.slice(whole + CLEAR_LINE.length);
  const rest = text.search(CLEAR_REST);
  const isAtStart = rest !== -1 && stripVTControlCharacters(text.slice(0, rest)) === '';
  return {
    text: rest === -1 ? text : text.replace(EVERY_CLEAR_REST, ''),
    isCleared: whole !== -1 || isAtStart,
  };
}

function layerOf(text: string): Layer {
  const hasEscapes = text.includes(ESCAPE);
  if (!SURROGATE.test(text)) return { text, width: text.length, hasEscapes };
  let width = 0;
  for (const _ of text) width += 1;
  return { text, width, hasEscapes };
}

/** What of the layer is in view behind so many code points. */
function behind({ text, width }: Layer, covered: number): string {
  if (width === text.length) return text.slice(covered);
  let at = 0;
  for (let n = 0; n < covered; n += 1) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(at);
}

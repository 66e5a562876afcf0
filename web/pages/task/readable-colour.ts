// Colours that a program chose, moved as little as needs be to where they can be read. Text and grounds are kept apart by
// luminance, in the light and in the dark: any text within these bounds meets 4.5 : 1 on any ground within them, so
// whatever pair a program picks is readable. The tokens of page.css for output keep to the same bounds. Pure.

export type Rgb = readonly [red: number, green: number, blue: number];
export type Theme = 'light' | 'dark';
export type Part = 'text' | 'ground';

interface Bound {
  readonly least: number;
  readonly most: number;
}

/** Relative luminance, as WCAG 2 has it: (0.7 + 0.05) / (0.1166 + 0.05) and (0.355 + 0.05) / (0.04 + 0.05) are 4.5. */
export const BOUNDS: Readonly<Record<Theme, Readonly<Record<Part, Bound>>>> = {
  light: { text: { least: 0, most: 0.1166 }, ground: { least: 0.7, most: 1 } },
  dark: { text: { least: 0.355, most: 1 }, ground: { least: 0, most: 0.04 } },
};

const STEPS = 12;

export function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** The colour itself where it can be read, else the nearest on its way to white or to black that can. */
export function readable(given: Rgb, theme: Theme, part: Part): Rgb {
  const colour = rounded(given);
  const { least, most } = BOUNDS[theme][part];
  const own = luminance(colour);
  if (own >= least && own <= most) return colour;
  const goal: Rgb = own < least ? [255, 255, 255] : [0, 0, 0];
  let near = 0;
  let far = 1;
  for (let step = 0; step < STEPS; step += 1) {
    const half = (near + far) / 2;
    const there = luminance(rounded(mix(colour, goal, half)));
    if (there >= least && there <= most) far = half;
    else near = half;
  }
  return rounded(mix(colour, goal, far));
}

export function hex(colour: Rgb): string {
  return `#${rounded(colour)
    .map((part) => part.toString(16).padStart(2, '0'))
    .join('')}`;
}

/** Of `#rrggbb`; null for anything else. */
export function fromHex(text: string): Rgb | null {
  const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (!parts) return null;
  return [1, 2, 3].map((at) => Number.parseInt(parts[at] ?? '', 16)) as unknown as Rgb;
}

function mix(colour: Rgb, goal: Rgb, share: number): Rgb {
  return colour.map((part, at) => part + ((goal[at] ?? 0) - part) * share) as unknown as Rgb;
}

function rounded(colour: Rgb): Rgb {
  return colour.map((part) => Math.max(0, Math.min(255, Math.round(part)))) as unknown as Rgb;
}

function linear(part: number): number {
  const share = Math.max(0, Math.min(255, part)) / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

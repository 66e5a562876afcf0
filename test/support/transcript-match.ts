// Whether what was answered is what a document shows, with what differs from run to run set aside: ids, times, ages and
// the places a test has of its own. Everything else counts, but for the width of gaps between columns. Pure.

/** A name of the document and the one it has in this run, e.g. of an address. */
export interface Renamed {
  readonly shown: string;
  readonly here: string;
}

export interface Compared {
  readonly same: boolean;
  /** Both sides line by line, alike where they match, for a diff to be made of. */
  readonly shown: readonly string[];
  readonly seen: readonly string[];
}

/** Stands for any lines, also none. */
const SKIP = '…';

const ID = /\b(?:task|token|user|file|webhook)-[0-9a-z]{20,26}\b/g;
const DATE = /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?\b/g;
const DURATION = /\b\d+(?:\.\d+)?(?:ms|s|m|h|d)\b(?: \d+(?:s|m|h)\b)?/g;
const FIGURE = /\d+(?:\.\d+)?(?: ?(?:%|[KMGT]?B(?:\/s)?\b))?/g;
const BAR = /[█▓▒░·#.|=-]{4,}/g;

/** One document's names in one run. An id of the document is bound to the first one seen in its place. */
export class Names {
  readonly #renamed: readonly Renamed[];
  #ids = new Map<string, string>();

  constructor(renamed: readonly Renamed[]) {
    this.#renamed = renamed;
  }

  /** What is typed in this run for what the document types; also for ends of ids that are known. */
  typed(line: string): string {
    let text = line.replaceAll(ID, (id) => {
      const here = this.#ids.get(id);
      if (here === undefined) throw new Error(`${id} is typed, but no answer above it shows it`);
      return here;
    });
    text = text.replaceAll(/(?<![\w-])[0-9a-z]{4,12}(?![\w-])/g, (end) => {
      const [, here] = [...this.#ids].find(([id]) => id.endsWith(end)) ?? [];
      return here === undefined ? end : here.slice(-end.length);
    });
    for (const { shown, here } of this.#renamed) text = text.replaceAll(whole(shown), () => here);
    return text;
  }

  /** An answer of this run as the document would show it, with its ids where they are known. */
  asShown(line: string): string {
    const back = new Map([...this.#ids].map(([id, here]) => [here, id]));
    return this.#names(line).replaceAll(ID, (here) => back.get(here) ?? here);
  }

  /**
   * Compares an answer and, when it is the same, binds the ids in it. `figures` false sets all figures and bars aside.
   */
  compare(answer: readonly string[], seen: readonly string[], { figures = true } = {}): Compared {
    const pairs = align(
      withoutEnd(answer),
      withoutEnd(seen),
      (a, b) => this.#shape(a, figures) === this.#shape(this.#names(b), figures),
    );
    const left: string[] = [];
    const right: string[] = [];
    let same = true;
    const before = new Map(this.#ids);
    for (const { shown, seen: line } of pairs) {
      if (shown !== null && line !== null && this.#bind(shown, line)) {
        left.push(shown);
        right.push(shown);
        continue;
      }
      same = false;
      if (shown !== null) left.push(shown);
      if (line !== null) right.push(this.asShown(line));
    }
    if (!same) this.#ids = before;
    return { same, shown: left, seen: right };
  }

  /** For an answer that takes the place of another: its ids are those of the other as long as there are as many. */
  adopt(answer: readonly string[], seen: readonly string[]): void {
    const taken = new Set(this.#ids.values());
    const open = unique(answer).filter((id) => !this.#ids.has(id));
    const fresh = unique(seen).filter((id) => !taken.has(id));
    for (const [index, here] of fresh.entries()) {
      this.#ids.set(open.length === fresh.length ? (open[index] ?? here) : here, here);
    }
  }

  #bind(shown: string, line: string): boolean {
    const ids = shown.match(ID) ?? [];
    const here = line.match(ID) ?? [];
    const known = ids.every((id, index) => {
      const bound = this.#ids.get(id);
      return bound === undefined
        ? ![...this.#ids.values()].includes(here[index] ?? '')
        : bound === here[index];
    });
    if (known) for (const [index, id] of ids.entries()) this.#ids.set(id, here[index] ?? '');
    return known;
  }

  #names(line: string): string {
    let text = line;
    for (const { shown, here } of this.#renamed) text = text.replaceAll(whole(here), () => shown);
    return text;
  }

  #shape(line: string, figures: boolean): string {
    const shape = line
      .replaceAll(ID, (id) => `<${id.slice(0, id.indexOf('-'))}>`)
      .replaceAll(DATE, '<date>')
      .replaceAll(DURATION, '<time>');
    return (figures ? shape : shape.replaceAll(BAR, '<bar>').replaceAll(FIGURE, '<figure>'))
      .replaceAll(/ {2,}/g, '  ')
      .trim();
  }
}

/** Without empty lines at the end. */
function withoutEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line.trim() !== '') + 1);
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines.flatMap((line) => line.match(ID) ?? []))];
}

/** The name by itself, not as a part of a longer one. */
function whole(name: string): RegExp {
  return new RegExp(`(?<![\\w.-])${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'g');
}

interface Pair {
  readonly shown: string | null;
  readonly seen: string | null;
}

/** The longest common run of lines beside each other, the rest alone; what a skip stands for is left out. */
function align(
  shown: readonly string[],
  seen: readonly string[],
  alike: (shown: string, seen: string) => boolean,
): Pair[] {
  // best[i][j]: what can be gained from shown[i…] and seen[j…]; a line that goes unmatched costs one.
  const best = Array.from({ length: shown.length + 1 }, () => new Array<number>(seen.length + 1).fill(0));
  const at = (i: number, j: number) => best[i]?.[j] ?? 0;
  const isAlike = shown.map((a) => seen.map((b) => a !== SKIP && alike(a, b)));
  for (let i = shown.length; i >= 0; i -= 1) {
    for (let j = seen.length; j >= 0; j -= 1) {
      if (i === shown.length && j === seen.length) continue;
      const row = best[i];
      if (!row) continue;
      const isSkip = shown[i] === SKIP;
      row[j] = Math.max(
        i < shown.length && j < seen.length && isAlike[i]?.[j]
          ? at(i + 1, j + 1) + 1
          : Number.NEGATIVE_INFINITY,
        i < shown.length ? at(i + 1, j) - (isSkip ? 0 : 1) : Number.NEGATIVE_INFINITY,
        j < seen.length ? at(i, j + 1) - (isSkip ? 0 : 1) : Number.NEGATIVE_INFINITY,
      );
    }
  }
  const pairs: Pair[] = [];
  for (let i = 0, j = 0; i < shown.length || j < seen.length; ) {
    const isSkip = shown[i] === SKIP;
    const cost = isSkip ? 0 : 1;
    if (i < shown.length && j < seen.length && isAlike[i]?.[j] && at(i, j) === at(i + 1, j + 1) + 1) {
      pairs.push({ shown: shown[i++] ?? '', seen: seen[j++] ?? '' });
    } else if (j < seen.length && at(i, j) === at(i, j + 1) - cost) {
      if (!isSkip) pairs.push({ shown: null, seen: seen[j] ?? '' });
      j += 1;
    } else {
      if (!isSkip) pairs.push({ shown: shown[i] ?? '', seen: null });
      i += 1;
    }
  }
  return pairs;
}

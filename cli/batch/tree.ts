// A YAML or JSON text as a tree of values that know where they stand, so that each fault can be shown in its place.
// Pure. Follows aliases only within a bound, reads no tags, and merges no keys.

import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Pair,
  Parser,
  type Scalar,
} from 'yaml';

/** Both count from 1. */
export interface At {
  readonly line: number;
  readonly column: number;
}

export interface Fault {
  /** Null where the whole text is meant. */
  readonly at: At | null;
  /** Which task or part, e.g. `tasks[3]`; empty when `at` says all. */
  readonly place: string;
  readonly message: string;
}

export type Tree = Leaf | Items | Fields;

export interface Leaf {
  readonly kind: 'leaf';
  readonly at: At | null;
  readonly value: string | number | boolean | null;
  /** As it was written, so that `3.10` does not become `3.1` where it is put into text. */
  readonly text: string;
}

export interface Items {
  readonly kind: 'items';
  readonly at: At | null;
  readonly items: readonly Tree[];
}

export interface Fields {
  readonly kind: 'fields';
  readonly at: At | null;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Of the key. */
  readonly at: At | null;
  readonly value: Tree;
}

export interface ReadTree {
  readonly tree: Tree | null;
  readonly faults: readonly Fault[];
}

/** Values in a file, counting again what an alias repeats: a file of a few lines can stand for billions. */
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 40;
/** After the first few the parser only stumbles on. */
const MAX_SYNTAX_FAULTS = 5;
const TOO_DEEP = `it is nested more than ${MAX_DEPTH} deep`;

/** JSON at its own speed, but without positions and with numbers as they are read; null when it is not JSON. */
export function readJson(text: string): Tree | null {
  try {
    return new Builder(null).ofJson(JSON.parse(text), 0);
  } catch {
    return null;
  }
}

export function readYaml(text: string): ReadTree {
  const lines = new LineCounter();
  const atOf = (offset: number): At => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const fault = (offset: number, message: string): Fault => ({ at: atOf(offset), place: '', message });
  const tokens = tokensOf(text, lines);
  if (!tokens) return { tree: null, faults: [{ at: null, place: '', message: TOO_DEEP }] };
  // Repeated keys are found below: this would compare each key with each other one.
  const composer = new Composer({ schema: 'core', uniqueKeys: false });
  const [document, second] = [...composer.compose(tokens, true, text.length)];
  if (!document) return { tree: null, faults: [{ at: null, place: '', message: 'there is nothing in it' }] };
  const wrong = [...document.errors, ...document.warnings].map(({ message, pos }) => fault(pos[0], message));
  if (second) wrong.push(fault(second.range[0], 'a second document begins here: write one list of tasks'));
  if (wrong.length > 0) return { tree: null, faults: wrong.slice(0, MAX_SYNTAX_FAULTS) };
  const builder = new Builder({ document, atOf });
  try {
    const tree = builder.ofYaml(document.contents, atOf(0), 0);
    return builder.faults.length > 0 ? { tree: null, faults: builder.faults } : { tree, faults: [] };
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error;
    return { tree: null, faults: [{ at: null, place: '', message: error.message }] };
  }
}

/** Null when it is nested too deep: then parsing becomes slow, and composing, which calls itself, a danger. */
function tokensOf(text: string, lines: LineCounter): CST.Token[] | null {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    // It holds the document, the collections that are open, and the value being read.
    if (parser.stack.length > MAX_DEPTH + 2) return null;
  }
  tokens.push(...parser.end());
  return tokens;
}

class TooMuch extends Error {}

class Builder {
  readonly faults: Fault[] = [];
  readonly #atOf: ((offset: number) => At) | null;
  readonly #targets: ReadonlyMap<unknown, unknown>;
  #left = MAX_VALUES;

  constructor(source: { document: Document.Parsed; atOf: (offset: number) => At } | null) {
    this.#atOf = source?.atOf ?? null;
    this.#targets = source ? targetsOf(source.document) : new Map();
  }

  ofYaml(node: unknown, near: At, depth: number): Tree {
    this.#spend(depth);
    const at = this.#at(node) ?? near;
    if (isAlias(node)) {
      const target = this.#targets.get(node);
      if (!target) {
        this.faults.push({ at, place: '', message: `there is no anchor &${node.source} before` });
        return leaf(at, null, '');
      }
      return this.ofYaml(target, at, depth + 1);
    }
    if (isSeq(node)) {
      return { kind: 'items', at, items: node.items.map((item) => this.ofYaml(item, at, depth + 1)) };
    }
    if (isMap(node)) {
      const entries = new Map<string, Entry>();
      for (const pair of node.items) this.#enter(entries, pair, at, depth);
      return { kind: 'fields', at, entries };
    }
    if (!isScalar(node)) return leaf(at, null, '');
    const { value } = node;
    if (typeof value === 'number' || typeof value === 'boolean') {
      return leaf(at, value, node.source ?? String(value));
    }
    return value === null || value === undefined
      ? leaf(at, null, '')
      : leaf(at, String(value), String(value));
  }

  ofJson(value: unknown, depth: number): Tree {
    this.#spend(depth);
    if (Array.isArray(value)) {
      return { kind: 'items', at: null, items: value.map((item) => this.ofJson(item, depth + 1)) };
    }
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(
        ([key, one]) => [key, { at: null, value: this.ofJson(one, depth + 1) }] as const,
      );
      return { kind: 'fields', at: null, entries: new Map(entries) };
    }
    const scalar = value as Leaf['value'];
    return leaf(null, scalar, scalar === null ? '' : String(scalar));
  }

  #enter(entries: Map<string, Entry>, { key, value }: Pair, near: At, depth: number): void {
    const at = this.#at(key) ?? near;
    const fault = (message: string) => void this.faults.push({ at, place: '', message });
    if (!isScalar(key)) {
      fault('a name of a field must be a word');
      return;
    }
    const name = (key as Scalar).source ?? String(key.value);
    if (entries.has(name)) fault(`"${name}" is there twice`);
    entries.set(name, { at, value: this.ofYaml(value, at, depth + 1) });
  }

  #at(node: unknown): At | null {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return range && this.#atOf ? this.#atOf(range[0] ?? 0) : null;
  }

  #spend(depth: number): void {
    this.#left -= 1;
    if (this.#left < 0)
      throw new TooMuch(`it stands for more than ${MAX_VALUES} values (aliases counted in)`);
    if (depth > MAX_DEPTH) throw new TooMuch(TOO_DEEP);
  }
}

/** What each alias stands for: the last node before it with that anchor. (Asking the alias walks the whole text.) */
function targetsOf({ contents }: Document.Parsed): ReadonlyMap<unknown, unknown> {
  const anchors = new Map<string, unknown>();
  const targets = new Map<unknown, unknown>();
  const walk = (node: unknown) => {
    if (isAlias(node)) {
      targets.set(node, anchors.get(node.source));
      return;
    }
    if (isNode(node) && 'anchor' in node && node.anchor) anchors.set(node.anchor, node);
    if (isSeq(node)) node.items.forEach(walk);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      walk(key);
      walk(value);
    }
  };
  walk(contents);
  return targets;
}

function leaf(at: At | null, value: Leaf['value'], text: string): Leaf {
  return { kind: 'leaf', at, value, text };
}

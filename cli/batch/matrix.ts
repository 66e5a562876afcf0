// `matrix` of a task: axes of values, and the combinations they make. Pure.
//
// Include and exclude mean what they mean in GitHub Actions: an exclude takes away every combination it agrees with;
// an include adds its further values to every combination whose axes it agrees with, and becomes a combination of its
// own where it agrees with none.

import { meant } from './near-field.ts';
import type { At, Fault, Fields, Leaf, Tree } from './tree.ts';

/** From the name of an axis to its value, in the order of the axes. */
export type Combination = ReadonlyMap<string, Leaf>;

export interface Axis {
  readonly name: string;
  readonly values: readonly Leaf[];
}

export interface Matrix {
  readonly at: At | null;
  readonly axes: readonly Axis[];
  readonly exclude: readonly Combination[];
  readonly include: readonly Combination[];
  /** All that `${matrix.…}` may name. */
  readonly names: ReadonlySet<string>;
}

/** More combinations than these, before any are excluded, are not even gone through. */
export const MAX_PRODUCT = 1_000_000;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** The variable by which a task finds the value. */
export function variableOf(name: string): string {
  return `MATRIX_${name.toUpperCase()}`;
}

/** `lr=0.1 depth=2`. */
export function combinationText(combination: Combination): string {
  return [...combination].map(([name, { text }]) => `${name}=${text}`).join(' ');
}

/** Null after a fault. */
export function readMatrix(tree: Tree, at: At | null, place: string, faults: Fault[]): Matrix | null {
  const before = faults.length;
  const fault = (where: At | null, message: string) => void faults.push({ at: where, place, message });
  if (tree.kind !== 'fields') {
    fault(tree.at ?? at, '"matrix" must be axes with their values, for example {lr: [0.1, 0.01]}');
    return null;
  }
  const axes: Axis[] = [];
  for (const [name, entry] of tree.entries) {
    if (name === 'include' || name === 'exclude') continue;
    if (!NAME.test(name)) fault(entry.at, `"${name}" is no name of an axis: letters, digits and _ only`);
    const values = axisValues(name, entry.value, fault);
    if (values) axes.push({ name, values });
  }
  const exclude = readEntries(tree, 'exclude', fault);
  const include = readEntries(tree, 'include', fault);
  if (axes.length === 0 && include.length === 0 && faults.length === before) {
    fault(at, '"matrix" is empty: name an axis with its values, for example {lr: [0.1, 0.01]}');
  }
  for (const entry of exclude) checkExclude(entry, axes, fault);
  const names = new Set([...axes.map(({ name }) => name), ...include.flatMap((entry) => [...entry.keys()])]);
  const variables = new Map<string, string>();
  for (const name of names) {
    const other = variables.get(variableOf(name));
    if (other) fault(at, `"${other}" and "${name}" would both be ${variableOf(name)}`);
    variables.set(variableOf(name), name);
  }
  if (faults.length > before) return null;
  const matrix = { at, axes, exclude, include, names };
  const product = productOf(matrix);
  if (product > MAX_PRODUCT) {
    fault(at, `"matrix" has ${product} combinations: at most ${MAX_PRODUCT} can be gone through`);
    return null;
  }
  if (combinations(matrix).next().done) {
    fault(at, '"exclude" leaves no combination');
    return null;
  }
  return matrix;
}

export function productOf({ axes }: Matrix): number {
  return axes.length === 0 ? 0 : axes.reduce((product, { values }) => product * values.length, 1);
}

/** In order: the first axis changes slowest; what `include` adds as combinations of its own comes last. */
export function* combinations({ axes, exclude, include }: Matrix): Generator<Combination> {
  const matched = new Set<Combination>();
  const isAxis = new Set(axes.map(({ name }) => name));
  for (const base of product(axes)) {
    if (exclude.some((entry) => agrees(entry, base))) continue;
    const more = include.filter((entry) =>
      [...entry].every(([name, value]) => !isAxis.has(name) || same(value, base.get(name))),
    );
    for (const entry of more) matched.add(entry);
    yield new Map([...base, ...more.flatMap((entry) => [...entry].filter(([name]) => !isAxis.has(name)))]);
  }
  for (const entry of include) if (!matched.has(entry)) yield entry;
}

function* product(axes: readonly Axis[]): Generator<Combination> {
  if (axes.length === 0) return;
  const places = axes.map(() => 0);
  for (;;) {
    yield new Map(axes.map(({ name, values }, index) => [name, values[places[index] ?? 0] as Leaf] as const));
    let axis = axes.length - 1;
    while (axis >= 0) {
      const next = (places[axis] ?? 0) + 1;
      if (next < (axes[axis]?.values.length ?? 0)) {
        places[axis] = next;
        break;
      }
      places[axis--] = 0;
    }
    if (axis < 0) return;
  }
}

function agrees(entry: Combination, base: Combination): boolean {
  return [...entry].every(([name, value]) => same(value, base.get(name)));
}

/** `0.10` is `0.1`, and `"3"` is `3`: what is written alike or counts alike. */
function same(a: Leaf, b: Leaf | undefined): boolean {
  return b !== undefined && (a.text === b.text || (typeof a.value === 'number' && a.value === b.value));
}

type Complain = (at: At | null, message: string) => void;

function axisValues(name: string, tree: Tree, fault: Complain): Leaf[] | null {
  if (tree.kind !== 'items') {
    fault(tree.at, `the axis "${name}" must be a list of values, for example [0.1, 0.01]`);
    return null;
  }
  if (tree.items.length === 0) {
    fault(tree.at, `the axis "${name}" is empty: give it a value, or leave it out`);
    return null;
  }
  const values: Leaf[] = [];
  for (const item of tree.items) {
    const value = plainValue(name, item, fault);
    if (!value) continue;
    if (values.some((other) => same(value, other))) {
      fault(item.at, `the axis "${name}" has ${value.text} twice`);
    } else {
      values.push(value);
    }
  }
  return values.length === tree.items.length ? values : null;
}

function plainValue(name: string, tree: Tree, fault: Complain): Leaf | null {
  if (tree.kind === 'leaf' && tree.value !== null) return tree;
  fault(tree.at, `a value of "${name}" must be text, a number, true or false`);
  return null;
}

function readEntries(tree: Fields, key: 'include' | 'exclude', fault: Complain): Combination[] {
  const given = tree.entries.get(key);
  if (!given) return [];
  if (given.value.kind !== 'items') {
    fault(given.value.at, `"${key}" must be a list of combinations, for example [{lr: 0.1, depth: 4}]`);
    return [];
  }
  const found: Combination[] = [];
  for (const item of given.value.items) {
    if (item.kind !== 'fields' || item.entries.size === 0) {
      fault(item.at, `each entry of "${key}" must name values of axes, for example {lr: 0.1}`);
      continue;
    }
    const entry = new Map<string, Leaf>();
    for (const [name, { at, value }] of item.entries) {
      if (!NAME.test(name)) fault(at, `"${name}" is no name of an axis: letters, digits and _ only`);
      const leaf = plainValue(name, value, fault);
      if (leaf) entry.set(name, leaf);
    }
    if (entry.size === item.entries.size) found.push(entry);
  }
  return found;
}

/** An exclude that excludes nothing is a slip. */
function checkExclude(entry: Combination, axes: readonly Axis[], fault: Complain): void {
  for (const [name, value] of entry) {
    const axis = axes.find((one) => one.name === name);
    if (!axis) {
      const names = axes.map((one) => one.name);
      fault(value.at, `"exclude" names "${name}", which is no axis${meant(name, names)}`);
    } else if (!axis.values.some((one) => same(value, one))) {
      fault(value.at, `"exclude" names ${name}=${value.text}, which is no value of that axis`);
    }
  }
}

// From a template to the bodies that are submitted, one for each combination of its matrix. Pure.

import { type Combination, combinations, combinationText, variableOf } from './matrix.ts';
import { fillPlaceholders, placeholdersIn, type Template } from './templates.ts';
import type { Fault, Leaf, Tree } from './tree.ts';

/** What stands in the file for one task, defaults and matrix put in; the API's schema has not seen it yet. */
export type Draft = Record<string, unknown>;

export interface Expanded {
  readonly template: Template;
  /** Null without a matrix. */
  readonly combination: Combination | null;
  readonly body: Draft;
  readonly faults: readonly Fault[];
}

/** Where a placeholder that stands alone gives the value itself, not its text. */
const NUMBERS: ReadonlySet<string> = new Set([
  'cpu_required',
  'memory_required',
  'gpu_required',
  'storage_required',
  'k_value',
  'priority',
  'timeout_seconds',
  'max_retries',
  'retry_delay_seconds',
  'queue_timeout_seconds',
]);
const NUMBER_LISTS: ReadonlySet<string> = new Set(['retry_on_exit_codes']);

/** In the order of the file; of a matrix as `combinations` has it. */
export function* expand(templates: readonly Template[]): Generator<Expanded> {
  for (const template of templates) {
    if (template.matrix === null) yield expandOne(template, null);
    else for (const combination of combinations(template.matrix)) yield expandOne(template, combination);
  }
}

function expandOne(template: Template, combination: Combination | null): Expanded {
  const faults: Fault[] = [];
  const body: Draft = {};
  for (const [name, { value }] of template.fields.entries) {
    body[name] =
      NUMBERS.has(name) || NUMBER_LISTS.has(name)
        ? numberOf(value, combination)
        : filled(value, combination, (leaf, missing) => {
            // One that no combination has is a fault of the template.
            if (!template.matrix?.names.has(missing)) return;
            const where = combination ? combinationText(combination) : '';
            const message = `\${matrix.${missing}} has no value in the combination ${where}`;
            faults.push({ at: leaf.at, place: template.place, message });
          });
  }
  if (combination) addVariables(body, combination);
  return { template, combination, body, faults };
}

function numberOf(tree: Tree, combination: Combination | null): unknown {
  if (tree.kind === 'items') return tree.items.map((item) => numberOf(item, combination));
  if (tree.kind === 'leaf' && typeof tree.value === 'string' && combination) {
    const [name, ...more] = placeholdersIn(tree.value);
    const value = name === undefined ? undefined : combination.get(name);
    if (value && more.length === 0 && tree.value === `\${matrix.${name}}`) return value.value;
  }
  return filled(tree, combination, () => undefined);
}

function filled(
  tree: Tree,
  combination: Combination | null,
  onMissing: (leaf: Leaf, name: string) => void,
): unknown {
  if (tree.kind === 'items') return tree.items.map((item) => filled(item, combination, onMissing));
  if (tree.kind === 'fields') {
    return Object.fromEntries(
      [...tree.entries].map(([name, { value }]) => [name, filled(value, combination, onMissing)]),
    );
  }
  if (typeof tree.value !== 'string' || combination === null) return tree.value;
  return fillPlaceholders(tree.value, (name) => {
    const value = combination.get(name);
    if (!value) onMissing(tree, name);
    return value?.text;
  });
}

/** `MATRIX_LR=0.1`, unless the task has a variable of that name. */
function addVariables(body: Draft, combination: Combination): void {
  const given = body.env ?? {};
  // Of another type it is a fault that the schema names.
  if (typeof given !== 'object' || Array.isArray(given)) return;
  const variables = [...combination].map(([name, { text }]) => [variableOf(name), text] as const);
  body.env = { ...Object.fromEntries(variables), ...given };
}

// A file of tasks, from its text to what is submitted, or to all its faults at once. Pure: who reads the file and who
// sends the tasks is elsewhere. The legal values of fields are those of the API, by its own schema.

import type { SubmitRequest } from '../../shared/contracts/http.ts';
import { submitSchema } from '../../shared/contracts/schemas.ts';
import { type Expanded, expand } from './expand.ts';
import { type Combination, combinationText } from './matrix.ts';
import { placeholdersIn, readTemplates, type Template } from './templates.ts';
import { type At, type Fault, type Fields, type Leaf, readJson, readYaml, type Tree } from './tree.ts';

export interface PlannedTask {
  readonly body: SubmitRequest;
  readonly template: Template;
  readonly combination: Combination | null;
}

export interface TaskFile {
  readonly count: number;
  /** Made anew at each call, one by one: ten thousand bodies never stand in memory together. */
  tasks(): Iterable<PlannedTask>;
}

export type TaskFilePlan =
  | { readonly file: TaskFile; readonly faults: readonly [] }
  | { readonly file: null; readonly faults: readonly Fault[] };

/** Faults that are kept; a file with more has one cause. */
export const MAX_FAULTS = 200;

const schema = submitSchema.prefs({ abortEarly: false, convert: false });

export function planTasks(text: string, max: number): TaskFilePlan {
  // JSON is read faster by far, but only YAML's reader knows where things stand and how values were written.
  const json = text.includes('matrix') ? null : readJson(text);
  if (json) {
    const plan = planOf(json, max);
    if (plan.file) return plan;
  }
  const { tree, faults } = readYaml(text);
  return tree ? planOf(tree, max) : { file: null, faults };
}

function planOf(tree: Tree, max: number): TaskFilePlan {
  const { templates, faults } = readTemplates(tree);
  const kept = new FaultList(faults);
  let count = 0;
  for (const expanded of expand(templates)) {
    count += 1;
    if (count > max) {
      const message = `it makes more than ${max} tasks: give --max a higher number if that is meant`;
      kept.add({ at: null, place: '', message });
    }
    if (count > max || kept.isFull) break;
    checkTask(expanded, kept);
  }
  if (kept.all.length > 0) return { file: null, faults: kept.all.toSorted(byPlace) };
  return {
    file: {
      count,
      *tasks() {
        for (const { body, template, combination } of expand(templates)) {
          // The schema has seen it.
          yield { body: body as unknown as SubmitRequest, template, combination };
        }
      },
    },
    faults: [],
  };
}

function checkTask({ body, template, combination, faults }: Expanded, kept: FaultList): void {
  for (const fault of faults) kept.add(fault);
  const { error } = schema.validate(body);
  for (const { path, message, context } of error?.details ?? []) {
    // A placeholder without a value is a fault already.
    if (typeof context?.value === 'string' && placeholdersIn(context.value).length > 0) continue;
    const found = locate(template, path);
    // The value is not in the file as it is judged: say which one it is.
    const where = found.leaf?.text.includes('${matrix.') && combination ? combinationText(combination) : '';
    const advice = where === '' ? quotes(found.leaf, message) : ` (with ${where})`;
    kept.add({ at: found.at, place: template.place, message: `${message}${advice}`, key: message });
  }
}

/** Where in the file the value of a field stands, or as near as can be told. */
export function locate(
  template: Template,
  path: readonly (string | number)[],
): { at: At | null; leaf: Leaf | null } {
  let tree: Tree = template.fields;
  let at = template.at;
  for (const step of path) {
    const next: Tree | undefined =
      tree.kind === 'fields'
        ? fieldOf(tree, String(step))
        : tree.kind === 'items'
          ? tree.items[Number(step)]
          : undefined;
    if (!next) return { at, leaf: null };
    at = next.at ?? at;
    tree = next;
  }
  return { at, leaf: tree.kind === 'leaf' ? tree : null };
}

/** `EPOCHS: 10` is a number for YAML, where a variable is text. */
function quotes(leaf: Leaf | null, message: string): string {
  const isBare = typeof leaf?.value === 'number' || typeof leaf?.value === 'boolean';
  return isBare && / must be (?:a string$|text\b)/.test(message) ? `: write '${leaf?.text}' in quotes` : '';
}

function fieldOf(tree: Fields, name: string): Tree | undefined {
  return tree.entries.get(name)?.value;
}

function byPlace(a: Fault, b: Fault): number {
  return (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0);
}

/** Each fault once, however many combinations of a matrix have it. */
class FaultList {
  readonly #seen = new Set<string>();
  readonly #all: Fault[] = [];

  constructor(faults: readonly Fault[]) {
    for (const fault of faults) this.add(fault);
  }

  get all(): readonly Fault[] {
    return this.#all;
  }

  get isFull(): boolean {
    return this.#all.length >= MAX_FAULTS;
  }

  /** `key`: what makes it the same fault as another in this place. */
  add({ key, ...fault }: Fault & { readonly key?: string }): void {
    const id = JSON.stringify([fault.at, fault.place, key ?? fault.message]);
    if (this.isFull || this.#seen.has(id)) return;
    this.#seen.add(id);
    this.#all.push(fault);
  }
}

// The tasks of a file as templates: their fields with what the file's defaults add, and their matrix. Pure.
// Whether a value is a legal one is for the API's own schema to say, once the template is expanded.

import { type Matrix, readMatrix } from './matrix.ts';
import { meant } from './near-field.ts';
import type { At, Entry, Fault, Fields, Tree } from './tree.ts';

/** As `POST /api/tasks` has them. A test holds that there are no others. */
export const TASK_FIELDS = [
  'docker_image',
  'command',
  'cpu_required',
  'memory_required',
  'gpu_required',
  'storage_required',
  'name',
  'tag',
  'k_value',
  'env',
  'secrets',
  'priority',
  'timeout_seconds',
  'max_retries',
  'retry_on',
  'retry_on_exit_codes',
  'retry_delay_seconds',
  'queue_timeout_seconds',
  'worker',
  'constraints',
  'prefer',
  'files',
  'mounts',
  'pull_policy',
  'network',
  'webhook',
] as const;

export interface Template {
  /** `tasks[3]`, or empty for the only one of a file. */
  readonly place: string;
  readonly at: At | null;
  readonly fields: Fields;
  readonly matrix: Matrix | null;
}

export interface Templates {
  readonly templates: readonly Template[];
  readonly faults: readonly Fault[];
}

const SHAPES =
  'a list of tasks, one task, or {defaults: …, tasks: [ … ]}; a task is for example {docker_image: "python:3.9"}';
const NO_FIELDS: Fields = { kind: 'fields', at: null, entries: new Map() };
const PLACEHOLDER = /\$\{matrix\.([^{}]*)\}/g;

export function readTemplates(root: Tree): Templates {
  const faults: Fault[] = [];
  const { tasks, defaults, isOne } = readShape(root, faults);
  if (tasks.length === 0 && faults.length === 0) {
    faults.push({ at: root.at, place: '', message: 'there are no tasks in it' });
  }
  const templates: Template[] = [];
  tasks.forEach((tree, index) => {
    const template = readTemplate(tree, defaults, isOne ? '' : `tasks[${index}]`, faults);
    if (template) templates.push(template);
  });
  return { templates, faults };
}

/** Every name of a placeholder in the text. */
export function placeholdersIn(text: string): string[] {
  return text.includes('${matrix.') ? [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name) : [];
}

/** Puts values in place of placeholders; one that `textOf` does not know stays as it is. */
export function fillPlaceholders(text: string, textOf: (name: string) => string | undefined): string {
  return text.replaceAll(PLACEHOLDER, (whole, name: string) => textOf(name) ?? whole);
}

function readShape(
  root: Tree,
  faults: Fault[],
): { tasks: readonly Tree[]; defaults: Fields; isOne: boolean } {
  const fault = (at: At | null, place: string, message: string) => void faults.push({ at, place, message });
  if (root.kind === 'items') return { tasks: root.items, defaults: NO_FIELDS, isOne: false };
  if (root.kind === 'leaf') {
    const what = root.value === null ? 'it is empty' : 'it is plain text';
    fault(root.at, '', `${what}: write ${SHAPES}`);
    return { tasks: [], defaults: NO_FIELDS, isOne: false };
  }
  const { entries } = root;
  if (!entries.has('tasks') && !entries.has('defaults')) {
    return { tasks: [root], defaults: NO_FIELDS, isOne: true };
  }
  for (const [name, { at }] of entries) {
    if (name === 'tasks' || name === 'defaults') continue;
    const known = (TASK_FIELDS as readonly string[]).includes(name);
    const advice = known
      ? '; a field of all tasks belongs into "defaults"'
      : meant(name, ['tasks', 'defaults']);
    fault(at, '', `"${name}" cannot stand beside "tasks"${advice}`);
  }
  const tasks = entries.get('tasks');
  if (!tasks) fault(root.at, '', 'there is no "tasks" beside "defaults"');
  else if (tasks.value.kind !== 'items') fault(tasks.value.at, '', '"tasks" must be a list');
  return {
    tasks: tasks?.value.kind === 'items' ? tasks.value.items : [],
    defaults: readDefaults(entries.get('defaults'), faults),
    isOne: false,
  };
}

function readDefaults(entry: Entry | undefined, faults: Fault[]): Fields {
  if (!entry) return NO_FIELDS;
  const { value } = entry;
  if (value.kind === 'fields') return knownFields(value, 'defaults', faults);
  faults.push({ at: value.at, place: 'defaults', message: '"defaults" must be fields of a task' });
  return NO_FIELDS;
}

function readTemplate(tree: Tree, defaults: Fields, place: string, faults: Fault[]): Template | null {
  if (tree.kind !== 'fields') {
    faults.push({ at: tree.at, place, message: 'a task must be fields, for example {docker_image: "a"}' });
    return null;
  }
  const matrixEntry = tree.entries.get('matrix');
  const before = faults.length;
  const matrix = matrixEntry ? readMatrix(matrixEntry.value, matrixEntry.at, place, faults) : null;
  const fields = withDefaults(knownFields(tree, place, faults), defaults);
  // With a matrix that cannot be read, every placeholder would be a fault of its own.
  if (matrixEntry && matrix === null && faults.length > before) return null;
  checkPlaceholders(fields, matrix, place, faults);
  return { place, at: tree.at, fields, matrix };
}

function knownFields(tree: Fields, place: string, faults: Fault[]): Fields {
  const isTask = place !== 'defaults';
  const known: readonly string[] = isTask ? [...TASK_FIELDS, 'matrix'] : TASK_FIELDS;
  const entries = new Map<string, Entry>();
  for (const [name, entry] of tree.entries) {
    if (!known.includes(name)) {
      const near = place === '' ? [...known, 'tasks', 'defaults'] : known;
      const advice = name === 'matrix' ? '; each task has its own' : meant(name, near);
      faults.push({ at: entry.at, place, message: `"${name}" is not a known field${advice}` });
    } else if (name !== 'matrix') {
      entries.set(name, entry);
    }
  }
  return { ...tree, entries };
}

/** A field of the task stands for itself; of `env` each variable does. */
function withDefaults(task: Fields, defaults: Fields): Fields {
  if (defaults.entries.size === 0) return task;
  const entries = new Map([...defaults.entries, ...task.entries]);
  const own = task.entries.get('env');
  const shared = defaults.entries.get('env');
  if (own?.value.kind === 'fields' && shared?.value.kind === 'fields') {
    const env = new Map([...shared.value.entries, ...own.value.entries]);
    entries.set('env', { at: own.at, value: { ...own.value, entries: env } });
  }
  return { ...task, entries };
}

function checkPlaceholders(tree: Tree, matrix: Matrix | null, place: string, faults: Fault[]): void {
  if (tree.kind === 'items') {
    for (const item of tree.items) checkPlaceholders(item, matrix, place, faults);
  } else if (tree.kind === 'fields') {
    for (const { value } of tree.entries.values()) checkPlaceholders(value, matrix, place, faults);
  } else if (typeof tree.value === 'string') {
    for (const name of placeholdersIn(tree.value)) {
      if (matrix?.names.has(name)) continue;
      const why = matrix
        ? `names no axis of "matrix"${meant(name, [...matrix.names])}`
        : 'has nothing to stand for: the task has no "matrix"';
      faults.push({ at: tree.at, place, message: `\${matrix.${name}} ${why}` });
    }
  }
}

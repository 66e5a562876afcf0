// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of a matrix look like it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SubmitRequest } from '../../shared/contracts/http.ts';
import { submitSchema } from '../../shared/contracts/schemas.ts';
import { planTasks } from './tasks-file.ts';
import { TASK_FIELDS } from './templates.ts';

const root = resolve(import.meta.dirname, '../..');

function bodies(text: string, max = 100): SubmitRequest[] {
  const { file, faults } = planTasks(text, max);
  expect(faults).toEqual([]);
  const tasks = [...(file?.tasks() ?? [])].map(({ body }) => body);
  expect(file?.count).toBe(tasks.length);
  return tasks;
}

/** `line:column place: message`. */
function faults(text: string, max = 100): string[] {
  const plan = planTasks(text, max);
  expect(plan.file).toBeNull();
  return plan.faults.map(({ at, place, message }) => `${at?.line}:${at?.column} ${place}: ${message}`);
}

describe('a file of tasks', () => {
  it('is a list, one task, or defaults with tasks, in YAML or JSON', () => {
    const one = { docker_image: 'a', cpu_required: 2 };
    expect(bodies('docker_image: a\ncpu_required: 2\n')).toEqual([one]);
    expect(bodies('- docker_image: a\n  cpu_required: 2\n')).toEqual([one]);
    expect(bodies(JSON.stringify([one, one]))).toEqual([one, one]);
    expect(bodies('defaults: {docker_image: a}\ntasks: [{cpu_required: 2}]')).toEqual([one]);
  });

  it('has defaults that a task overrides, and of env each variable', () => {
    const text = `
defaults: {docker_image: a, tag: t, files: [x], env: {A: "1", B: "2"}}
tasks:
  - {files: [y], env: {B: "3", C: "4"}}
  - {docker_image: b}`;
    expect(bodies(text)).toEqual([
      { docker_image: 'a', tag: 't', files: ['y'], env: { A: '1', B: '3', C: '4' } },
      { docker_image: 'b', tag: 't', files: ['x'], env: { A: '1', B: '2' } },
    ]);
  });

  it('may repeat itself with anchors', () => {
    expect(bodies('- &a {docker_image: a, env: &e {A: b}}\n- *a\n- {docker_image: c, env: *e}')).toEqual([
      { docker_image: 'a', env: { A: 'b' } },
      { docker_image: 'a', env: { A: 'b' } },
      { docker_image: 'c', env: { A: 'b' } },
    ]);
  });

  it('puts values of the matrix into every text, numbers into numbers, all into the environment', () => {
    const text = `
docker_image: python:\${matrix.python}
name: n-\${matrix.python}-\${matrix.cpu}
tag: t\${matrix.cpu}
command: [run, "--cpu=\${matrix.cpu}"]
cpu_required: \${matrix.cpu}
retry_on_exit_codes: ["\${matrix.code}", 2]
files: ["data/\${matrix.python}.csv"]
env: {A: "\${matrix.cpu}", MATRIX_CPU: own}
worker: w-\${matrix.cpu}
webhook: {url: "https://a.example/\${matrix.cpu}"}
matrix: {python: [3.10], cpu: [1, 2.50], code: [75]}`;
    expect(bodies(text)[1]).toEqual({
      docker_image: 'python:3.10',
      name: 'n-3.10-2.50',
      tag: 't2.50',
      command: ['run', '--cpu=2.50'],
      cpu_required: 2.5,
      retry_on_exit_codes: [75, 2],
      files: ['data/3.10.csv'],
      env: { MATRIX_PYTHON: '3.10', MATRIX_CODE: '75', A: '2.50', MATRIX_CPU: 'own' },
      worker: 'w-2.50',
      webhook: { url: 'https://a.example/2.50' },
    });
  });

  it('leaves no placeholder behind, whatever stands around them', () => {
    const value = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    const part = fc.oneof(fc.constantFrom('${matrix.a}', '${matrix.b}', '$', '{', '}', '${', '$a'), value);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), value, value, (parts, a, b) => {
        const command = `x${parts.join('')}`;
        const task = { docker_image: 'i', command, matrix: { a: [a], b: [b] } };
        const [body] = bodies(JSON.stringify(task));
        const expected = command.split('${matrix.a}').join(a).split('${matrix.b}').join(b);
        expect(body?.command).toBe(expected);
        expect(body?.env).toEqual({ MATRIX_A: a, MATRIX_B: b });
      }),
    );
  });

  it('is read the same when it is what a dry run prints', () => {
    const example = bodies(readFileSync(`${root}/docs/examples/sweep.yaml`, 'utf8'));
    expect(example).toHaveLength(7);
    expect(bodies(JSON.stringify({ tasks: example }, null, 2))).toEqual(example);
  });
});

describe('faults', () => {
  it('are named all at once, each in its place', () => {
    const text = `defaults:
  mem: 4
tasks:
  - docker_image: NOT AN IMAGE
    cpu_cores: 2
    cpu_required: "2"
    env: {EPOCHS: 10}
  - docker_image: a:\${matrix.lrr}
    priority: \${matrix.p}
    matrix: {lr: [1], p: [5, 12, x]}
  - name: "\${matrix.x}"
  - {docker_image: a, matrix: {lr: []}}
  - just text
more: 1
`;
    expect(faults(text)).toEqual([
      '2:3 defaults: "mem" is not a known field; did you mean memory_required, in MB?',
      expect.stringContaining('4:19 tasks[0]: "docker_image" must be an image reference'),
      '5:5 tasks[0]: "cpu_cores" is not a known field; did you mean cpu_required?',
      '6:19 tasks[0]: "cpu_required" must be a number',
      `7:19 tasks[0]: "env.EPOCHS" must be a string: write '10' in quotes`,
      '8:19 tasks[1]: ${matrix.lrr} names no axis of "matrix"; did you mean lr?',
      '9:15 tasks[1]: "priority" must be less than or equal to 9 (with lr=1 p=12)',
      '9:15 tasks[1]: "priority" must be a number (with lr=1 p=x)',
      expect.stringContaining('11:5 tasks[2]: "docker_image" is required'),
      '11:11 tasks[2]: ${matrix.x} has nothing to stand for: the task has no "matrix"',
      '12:36 tasks[3]: the axis "lr" is empty: give it a value, or leave it out',
      expect.stringContaining('13:5 tasks[4]: a task must be fields'),
      '14:1 : "more" cannot stand beside "tasks"',
    ]);
  });

  it('in JSON have their places too', () => {
    expect(faults('[\n  {"docker_image": "a", "cpu": 1}\n]')).toEqual([
      '2:25 tasks[0]: "cpu" is not a known field; did you mean cpu_required?',
    ]);
  });

  it('say which combination lacks a value that only others have', () => {
    const text = 'docker_image: a\nname: x${matrix.note}\nmatrix: {lr: [1, 2], include: [{lr: 1, note: n}]}';
    expect(faults(text)).toEqual(['2:7 : ${matrix.note} has no value in the combination lr=2']);
  });

  it.each([
    ['', 'it is empty'],
    ['hello', 'it is plain text'],
    ['[]', 'there are no tasks in it'],
    ['defaults: {docker_image: a}', 'there is no "tasks"'],
    ['tasks: {docker_image: a}', '"tasks" must be a list'],
    ['defaults: [1]\ntasks: [{docker_image: a}]', '"defaults" must be fields'],
    ['defaults: {matrix: {a: [1]}}\ntasks: [{docker_image: a}]', 'each task has its own'],
    ['docker_image: a\ninclude: [{a: 1}]', 'it belongs into "matrix"'],
    ['task: [{docker_image: a}]', 'did you mean tasks?'],
    ['docker_image: a\n<<: {tag: t}', 'merge keys are not read'],
    ['- docker_image: [a', 'must be sufficiently indented'],
    ['a: 1\n---\nb: 2', 'a second document begins here'],
    ['docker_image: !secret a', 'Unresolved tag'],
    ['docker_image: *a', 'there is no anchor &a'],
    ['docker_image: a\ndocker_image: b', '"docker_image" is there twice'],
    ['? [a]\n: b', 'must be a word'],
    [
      `docker_image: a\nmatrix: {a: [${Array.from({ length: 101 }).map((_, at) => at)}]}`,
      'more than 100 tasks',
    ],
  ])('of %j are told', (text, message) => {
    expect(faults(text).join('\n')).toContain(message);
  });

  it('of a file that would stand for billions, or is nested without end, are told soon', () => {
    const levels = 'abcdefghi'.split('').map((name, at, all) => {
      const items = Array.from({ length: 10 }, () => (at === 0 ? 'x' : `*${all[at - 1]}`));
      return `${name}: &${name} [${items}]`;
    });
    expect(faults(levels.join('\n')).join()).toContain('values (aliases counted in)');
    expect(faults('&a [*a]').join()).toContain('nested more than');
    for (const opened of ['[', '- ', '{a: ', '? ']) {
      expect(faults(opened.repeat(100_000)).join()).toContain('nested more than');
    }
  });

  it('are cut off when there are very many', () => {
    const { faults } = planTasks(JSON.stringify(Array.from({ length: 1_000 }, () => ({ cpu: 1 }))), 10_000);
    expect(faults).toHaveLength(200);
  });
});

interface JsonSchema {
  readonly anyOf?: readonly JsonSchema[];
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Record<string, JsonSchema>;
}

interface Described {
  readonly type: string;
  readonly flags?: { default?: unknown; only?: boolean; presence?: string };
  readonly rules?: readonly { name: string; args?: { limit?: number } }[];
  readonly allow?: readonly unknown[];
}

describe('docs/schemas/tasks.schema.json', () => {
  const schema = JSON.parse(readFileSync(`${root}/docs/schemas/tasks.schema.json`, 'utf8'));
  const { fields, task, part, file } = schema.definitions as Record<string, JsonSchema> & {
    fields: Record<string, JsonSchema>;
  };
  const described = submitSchema.describe().keys as Record<string, Described>;

  it('knows the fields of the API, and the command line does', () => {
    const names = Object.keys(described).sort();
    expect(Object.keys(fields).sort()).toEqual(names);
    expect([...TASK_FIELDS].sort()).toEqual(names);
    expect(Object.keys(task?.properties ?? {}).sort()).toEqual([...names, 'matrix'].sort());
    expect(Object.keys(part?.properties ?? {}).sort()).toEqual([...names, 'matrix'].sort());
    expect(Object.keys(file?.properties?.defaults?.properties ?? {}).sort()).toEqual(names);
    const required = names.filter((name) => described[name]?.flags?.presence === 'required');
    expect(task?.required).toEqual(required);
  });

  it.each(Object.keys(described))('says of %s what the API says', (name) => {
    const field = fields[name] as JsonSchema;
    const { type, flags, rules = [], allow } = described[name] as Described;
    const limit = (rule: string) => rules.find((one) => one.name === rule)?.args?.limit;
    expect(field.default).toEqual(flags?.default);
    const [first = field] = field.anyOf ?? [];
    if (type === 'number') {
      const isInteger = rules.some((rule) => rule.name === 'integer');
      expect(first).toMatchObject({
        type: isInteger ? 'integer' : 'number',
        minimum: limit('min'),
        maximum: limit('max'),
      });
    } else if (flags?.only) {
      expect(field.enum).toEqual(allow);
    } else if (type === 'string' && limit('max') !== undefined) {
      expect(field).toMatchObject({ type: 'string', maxLength: limit('max') });
    } else if (type === 'array') {
      expect(field).toMatchObject({ type: 'array', maxItems: limit('max') });
    } else if (name === 'env') {
      expect(field).toMatchObject({ type: 'object', maxProperties: limit('max') });
    }
  });
});

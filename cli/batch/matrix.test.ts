import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combinations, combinationText, MAX_PRODUCT, type Matrix, productOf, readMatrix } from './matrix.ts';
import { type Fault, readYaml } from './tree.ts';

function read(text: string): { matrix: Matrix | null; faults: Fault[] } {
  const { tree } = readYaml(text);
  if (!tree) throw new Error(`no tree: ${text}`);
  const faults: Fault[] = [];
  return { matrix: readMatrix(tree, tree.at, 'tasks[0]', faults), faults };
}

function texts(text: string): string[] {
  const { matrix, faults } = read(text);
  expect(faults).toEqual([]);
  return matrix ? [...combinations(matrix)].map(combinationText) : [];
}

const name = fc
  .stringMatching(/^[a-z][a-z0-9]{0,5}$/)
  .filter((one) => one !== 'include' && one !== 'exclude');
const axes = fc
  .uniqueArray(name, { minLength: 1, maxLength: 4 })
  .chain((names) =>
    fc.tuple(
      ...names.map((one) =>
        fc
          .uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 5 })
          .map((values) => [one, values] as const),
      ),
    ),
  );

describe('a matrix', () => {
  it('makes the product of its axes less what is excluded, each once, in a stable order', () => {
    fc.assert(
      fc.property(axes, fc.array(fc.array(fc.nat()), { maxLength: 3 }), (given, picks) => {
        // Excludes that name some of the axes with one of their values.
        const exclude = picks
          .map((pick) => Object.fromEntries(pick.map((at) => entryAt(given, at))))
          .filter((entry) => Object.keys(entry).length > 0);
        const text = JSON.stringify({ ...Object.fromEntries(given), exclude });
        const product = given.reduce<Record<string, number>[]>(
          (all, [axis, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [axis]: value }))),
          [{}],
        );
        const kept = product.filter(
          (one) =>
            !exclude.some((entry) => Object.entries(entry).every(([axis, value]) => one[axis] === value)),
        );
        const { matrix, faults } = read(text);
        if (kept.length === 0) {
          expect(faults.map(({ message }) => message)).toEqual(['"exclude" leaves no combination']);
          return;
        }
        const found = [...combinations(matrix as Matrix)].map((one) =>
          Object.fromEntries([...one].map(([axis, { value }]) => [axis, value])),
        );
        expect(found).toEqual(kept);
        expect(productOf(matrix as Matrix)).toBe(product.length);
      }),
    );
  });

  it('takes includes as GitHub Actions does', () => {
    const text = `
      fruit: [apple, pear]
      animal: [cat, dog]
      include:
        - color: green
        - {color: pink, animal: cat}
        - {fruit: apple, shape: circle}
        - {fruit: banana}
        - {fruit: banana, animal: cat}`;
    expect(texts(text)).toEqual([
      'fruit=apple animal=cat color=pink shape=circle',
      'fruit=apple animal=dog color=green shape=circle',
      'fruit=pear animal=cat color=pink',
      'fruit=pear animal=dog color=green',
      'fruit=banana',
      'fruit=banana animal=cat',
    ]);
  });

  it('may be includes alone', () => {
    expect(texts('include: [{lr: 0.1}, {lr: 0.2, depth: 4}]')).toEqual(['lr=0.1', 'lr=0.2 depth=4']);
  });

  it('keeps values as they are written, and compares numbers as numbers', () => {
    expect(texts('{python: [3.10, 3.9], lr: [1e-4, 0.10], exclude: [{lr: 0.1, python: "3.10"}]}')).toEqual([
      'python=3.10 lr=1e-4',
      'python=3.9 lr=1e-4',
      'python=3.9 lr=0.10',
    ]);
  });

  it.each([
    ['{}', '"matrix" is empty'],
    ['[1]', 'must be axes'],
    ['{lr: 0.1}', 'the axis "lr" must be a list'],
    ['{lr: []}', 'the axis "lr" is empty'],
    ['{lr: [1, [2]]}', 'must be text, a number, true or false'],
    ['{lr: [1, ~]}', 'must be text, a number, true or false'],
    ['{lr: [0.1, 0.10]}', 'has 0.10 twice'],
    ['{l-r: [1]}', 'no name of an axis'],
    ['{lr: [1], LR: [2]}', 'would both be MATRIX_LR'],
    ['{lr: [1], exclude: {lr: 1}}', '"exclude" must be a list'],
    ['{lr: [1], include: [1]}', 'each entry of "include"'],
    ['{lr: [1, 2], exclude: [{lrr: 1}]}', 'which is no axis; did you mean lr?'],
    ['{lr: [1, 2], exclude: [{lr: 3}]}', 'lr=3, which is no value'],
    ['{lr: [1], exclude: [{lr: 1}]}', 'leaves no combination'],
    [`{a: [${range(1_100)}], b: [${range(1_100)}]}`, `at most ${MAX_PRODUCT}`],
  ])('is refused when it is %j', (text, message) => {
    const { matrix, faults } = read(text);
    expect(matrix).toBeNull();
    expect(faults.map((fault) => fault.message).join('\n')).toContain(message);
    expect(faults[0]).toMatchObject({ place: 'tasks[0]', at: { line: 1 } });
  });
});

function entryAt(given: readonly (readonly [string, readonly number[]])[], at: number): [string, number] {
  const [axis, values] = given[at % given.length] ?? ['', []];
  return [axis, values[at % values.length] ?? 0];
}

function range(count: number): string {
  return Array.from({ length: count }, (_, index) => index).join(', ');
}

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ImportTable, importsOf, listSources } from './import-table.ts';

const root = resolve(import.meta.dirname, '../..');
const table = new ImportTable(readFileSync(`${root}/docs/ARCHITECTURE.md`, 'utf8'));

describe('the import table of docs/ARCHITECTURE.md', () => {
  it('is read whole', () => {
    expect(table.names).toEqual(
      expect.arrayContaining(['*', 'shared/model', 'shared/adapters/*', 'api', 'web', 'infra']),
    );
    expect(listSources(root).length).toBeGreaterThan(20);
  });

  it('is kept by every source file', () => {
    const violations = table.findViolations(root);
    expect(violations.map(({ file, imported, why }) => `${file} imports ${imported}: ${why}`)).toEqual([]);
  });

  it('allows nothing that nobody does', () => {
    expect(table.findUnused(root)).toEqual([]);
    expect(table.findUnused(root, ['shared/errors.ts'])).toContain('api joi');
  });

  it('gives a room what its own lines, those of its folder and those of all allow', () => {
    const sqlite = table.roomOf('shared/adapters/sqlite/open.ts');
    expect(sqlite?.name).toBe('shared/adapters/sqlite');
    expect(sqlite?.rooms).toEqual(expect.arrayContaining(['shared/ports', 'shared/model']));
    expect(sqlite?.packages).toEqual(['libsql']);
    expect(table.roomOf('shared/errors.ts')?.rooms).toEqual([]);
    expect(table.roomOf('shared/adapters/README.md')).toBeNull();
    expect(table.roomOf('scheduler/core/plan.ts')?.name).toBe('scheduler/core');
  });

  it('catches a forbidden room, a forbidden package and impurity', () => {
    const judged = (file: string) => table.findViolations(`${import.meta.dirname}/fixture`, [file]);
    expect(judged('api/opens-adapter.ts').map(({ why }) => why)).toEqual([
      'api may not import shared/adapters/sqlite',
      'api may not import scheduler',
      'api may not import the package dockerode',
    ]);
    expect(judged('scheduler/core/reads-clock.ts').map(({ why }) => why)).toEqual(['scheduler/core is pure']);
  });

  it('sees every form of import', () => {
    expect(
      importsOf(
        `import a from 'a';\nimport {\n b } from "b";\nimport 'c';\nexport * from 'd';\nawait import('e');\n// from 'f'`,
      ),
    ).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

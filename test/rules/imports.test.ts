import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findViolations, importsOf, listSources, readImportTable } from './import-table.ts';

const root = resolve(import.meta.dirname, '../..');
const rooms = readImportTable(readFileSync(`${root}/docs/ARCHITECTURE.md`, 'utf8'));

describe('the import table of docs/ARCHITECTURE.md', () => {
  it('is read whole', () => {
    expect(rooms.map((room) => room.name)).toEqual(
      expect.arrayContaining(['shared/model', 'api', 'web', 'infra']),
    );
    expect(listSources(root).length).toBeGreaterThan(20);
  });

  it('is kept by every source file', () => {
    const violations = findViolations(root, rooms);
    expect(violations.map(({ file, imported, why }) => `${file} imports ${imported}: ${why}`)).toEqual([]);
  });

  it('catches a forbidden room, a forbidden package and impurity', () => {
    const judged = (file: string) => findViolations(`${import.meta.dirname}/fixture`, rooms, [file]);
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

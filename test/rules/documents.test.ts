// What documents promise about names that the code owns: settings, failure reasons, routes, links between files.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAILURE_REASONS } from '../../shared/model/task.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');
const reference = read('docs/DOCUMENTATION.md');

function section(title: string): string {
  const from = reference.indexOf(`\n## ${title}\n`);
  const to = reference.indexOf('\n## ', from + 4);
  return reference.slice(from, to < 0 ? undefined : to);
}

describe('the reference', () => {
  it('lists every setting, and no other', () => {
    const schemas = readdirSync(`${root}/shared/platform/config`)
      .filter((name) => !name.endsWith('.test.ts'))
      .map((name) => read(`shared/platform/config/${name}`).replace(/^import [^;]*;$/gm, ''));
    const inCode = new Set(
      schemas.flatMap((schema) => [...schema.matchAll(/^ {2}([A-Z][A-Z_]+)[:,]/gm)].map(([, name]) => name)),
    );
    const documented = section('Settings')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name));
    expect(inCode.size).toBeGreaterThan(20);
    expect([...new Set(documented)].sort()).toEqual([...inCode].sort());
  });

  it('names every reason of failure', () => {
    for (const reason of FAILURE_REASONS) expect(section('Tasks')).toContain(`\`${reason}\``);
  });

  it('lists every call of the API', () => {
    const plugins = readdirSync(`${root}/api/plugins`).filter((name) => !name.endsWith('.test.ts'));
    const routes = plugins.flatMap((name) => [
      ...read(`api/plugins/${name}`).matchAll(/method: '(GET|POST|PUT|PATCH|DELETE)',\s+path: '([^']+)'/g),
    ]);
    const calls = routes
      .map(([, method, path]) => ({ method, path: path ?? '' }))
      .filter(({ path }) => !path.includes('*'));
    expect(calls.length).toBeGreaterThan(10);
    const table = section('REST');
    const missing = calls.filter(({ path }) => !table.includes(path) && !table.includes(lastPart(path)));
    expect(missing).toEqual([]);
  });
});

/** `/api/workers/{id}/drain` is listed as `/drain` beside its siblings. */
function lastPart(path: string): string {
  return `\`${path.slice(path.lastIndexOf('/'))}\``;
}

describe('links between files', () => {
  const documents = [
    'README.md',
    'CHANGELOG.md',
    ...['docs', 'docs/adr'].flatMap((folder) =>
      readdirSync(`${root}/${folder}`)
        .filter((name) => name.endsWith('.md'))
        .map((name) => `${folder}/${name}`),
    ),
  ];

  it.each(documents)('of %s lead somewhere', (document) => {
    const targets = [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      ([, target]) => target ?? '',
    );
    expect(targets.filter((target) => !existsSync(resolve(root, dirname(document), target)))).toEqual([]);
  });
});

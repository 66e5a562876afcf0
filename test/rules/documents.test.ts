// What documents promise about names that the code owns: settings, failure reasons, routes.

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorReply } from '../../api/errors.ts';
import { AppError, ERROR_CODES, type ErrorCode } from '../../shared/errors.ts';
import { FAILURE_REASONS } from '../../shared/model/task.ts';
import { anchorsOf, linksOf } from '../support/markdown.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');
const reference = read('docs/DOCUMENTATION.md');

function section(title: string): string {
  const from = reference.indexOf(`\n## ${title}\n`);
  const to = reference.indexOf('\n## ', from + 4);
  return reference.slice(from, to < 0 ? undefined : to);
}

/** Each file of settings, without what it imports. */
const settingsSources = () =>
  readdirSync(`${root}/shared/platform/config`)
    .filter((name) => !name.endsWith('.test.ts'))
    .map((name) => read(`shared/platform/config/${name}`).replace(/^import [^;]*;$/gm, ''));

/** The cells of each row of the table of settings, and the names in the first. */
const settingsRows = () =>
  section('Settings')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map((cells) => ({
      cells,
      names: [...(cells[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name),
    }));

describe('the reference', () => {
  it('lists every setting, and no other', () => {
    const inCode = new Set(
      settingsSources().flatMap((schema) =>
        [...schema.matchAll(/^ {2}([A-Z][A-Z_]+)[:,]/gm)].map(([, name]) => name),
      ),
    );
    expect(inCode.size).toBeGreaterThan(20);
    expect([...new Set(settingsRows().flatMap(({ names }) => names))].sort()).toEqual([...inCode].sort());
  });

  it('tells the default of every setting that has one written down', () => {
    const setting = /^(?: {2}|export const )([A-Z][A-Z_]+)(?::| =) ((?:[^;](?!\n {2}[A-Z.]|\n}))*)/gm;
    const inCode = new Map(
      settingsSources().flatMap((schema) =>
        [...schema.matchAll(setting)].flatMap(([, name, text]) => {
          const [, word, number] = /\.default\((?:'([^']+)'|([\d_.]+))\)/.exec(text ?? '') ?? [];
          const value = word ?? number?.replaceAll('_', '');
          return value === undefined ? [] : [[name, value] as const];
        }),
      ),
    );
    const told = settingsRows().flatMap(({ names, cells }) => {
      const text = (cells[3] ?? '').replace(/(\d),(\d{3})/g, '$1$2').replaceAll('`', '');
      const values = text.split(', ');
      return names.map((name, n) => ({ name, value: values.length === names.length ? values[n] : text }));
    });
    const compared = told.filter(({ name }) => inCode.has(name ?? ''));
    expect(compared.length).toBeGreaterThan(40);
    expect(compared.filter(({ name, value }) => value !== inCode.get(name ?? ''))).toEqual([]);
  });

  it('leads from its top to every part', () => {
    const [top = '', ...parts] = reference.split(/^## /m);
    const targets = linksOf(top).map(({ target }) => target);
    const anchors = parts.map((part) => [...anchorsOf(`## ${part}`)][0]);
    expect(anchors.filter((anchor) => !targets.includes(`#${anchor}`))).toEqual([]);
  });

  it('names every reason of failure', () => {
    for (const reason of FAILURE_REASONS) expect(section('Tasks')).toContain(`\`${reason}\``);
  });

  it('names every code that a reply may have', () => {
    // What runners and set-up say to their own log reaches no reply.
    const inner = ['worker_id_taken', 'superseded', 'runtime_unavailable', 'image_not_found'];
    inner.push('image_pull_failed', 'container_start_failed', 'bad_config');
    const listed = [...section('Errors').matchAll(/^\| (\d+) \| `(\w+)` \|/gm)];
    expect(listed.map(([, , code]) => code).sort()).toEqual(
      ERROR_CODES.filter((code) => !inner.includes(code)).sort(),
    );
    const wrong = listed.filter(
      ([, status, code]) =>
        errorReply(new AppError(code as ErrorCode, '')).body.statusCode !== Number(status),
    );
    expect(wrong).toEqual([]);
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

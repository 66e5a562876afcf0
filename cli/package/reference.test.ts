// docs/CLI.md and the two package files: what they say is what the code does.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { splitArgv } from '../argv.ts';
import { EXIT } from '../exit.ts';
import { describeProgram, knownOptions } from '../program.ts';
import { readVersion } from '../version.ts';
import { commandPages } from './command-pages.ts';
import { ENVIRONMENT, EXIT_STATUS } from './conventions.ts';
import { reference } from './reference.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const version = readVersion();
const frame = read('cli/package/reference.template.md');

describe('docs/CLI.md', () => {
  it('is up to date (npm run docs:cli makes it so)', () => {
    expect(read('docs/CLI.md')).toBe(reference(describeProgram(version), frame, { version }));
  });

  it('is made of a frame that asks for all there is, and for nothing else', () => {
    const program = describeProgram(version);
    expect(() => reference(program, `${frame}{{more}}`, { version })).toThrow('{{more}}');
    expect(() => reference(program, frame.replace('{{commands}}', ''), { version })).toThrow('commands');
  });

  it('names every exit code, and every variable that the code reads', () => {
    expect(EXIT_STATUS.map(({ code }) => code)).toEqual(Object.values(EXIT));
    const sources = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map((path) => read(`cli/${path}`));
    const used = sources.flatMap((source) =>
      [...source.matchAll(/\benv\.([A-Z_]+)\b/g)].map(([, name]) => name),
    );
    expect(ENVIRONMENT.flatMap(({ term }) => term.split(', ')).sort()).toEqual([...new Set(used)].sort());
  });
});

describe('examples', () => {
  const program = describeProgram(version);
  const known = knownOptions(program);
  const quieten = (command: Command) => {
    command.configureOutput({ outputError: () => undefined });
    command.commands.forEach(quieten);
  };
  quieten(program);

  /** Actions do nothing here; a word that is wrong is a fault all the same. */
  const faultOf = (line: string): Promise<string | null> =>
    program.parseAsync(splitArgv(wordsOf(line), known).args, { from: 'user' }).then(
      () => null,
      (error: Error) => `"${line}": ${error.message}`,
    );

  it('can be typed as they stand, and show the command they are of', async () => {
    const faults: (string | null)[] = [];
    for (const { name, aliases, examples } of commandPages(program)) {
      for (const { line } of examples) faults.push(await faultOf(line));
      const isShown = examples.some(({ line }) =>
        [name, ...aliases].some((one) => `${line} `.includes(`${one} `)),
      );
      if (!isShown) faults.push(`no example of "${name}" shows it`);
    }
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
    expect(await faultOf('get task-1 --nope')).toContain('--nope');
    expect(await faultOf("task a -cmd 'echo hi | rev' | head -1")).toBeNull();
  });
});

/** As a shell reads it, up to a pipe or a redirection. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)];
  const end = words.findIndex(([, , , bare]) => /^(\||[<>].*|&&)$/.test(bare ?? ''));
  return words
    .slice(0, end < 0 ? undefined : end)
    .map(([, single, double, bare]) => single ?? double ?? bare ?? '');
}

describe('the packages', () => {
  const system = JSON.parse(read('package.json')) as Record<string, unknown>;
  const line = JSON.parse(read('cli/package.json')) as Record<string, unknown>;

  it('have one version, one licence and one oldest Node, and names of their own', () => {
    expect(line).toMatchObject({ name: 'cloudai', version: system.version, license: system.license });
    expect(line.engines).toEqual(system.engines);
    expect(system.name).toBe('cloudai-system');
    expect(version).toBe(system.version);
    expect(read('cli/LICENSE')).toBe(read('LICENSE'));
  });

  it.each([
    ['the system', system],
    ['the command line', line],
  ])(
    'of %s takes in its program and its page, and builds them first',
    (_name, { bin, man, files, scripts }) => {
      const taken = (files as string[]).filter((pattern) => !pattern.startsWith('!'));
      const shown = [...Object.values(bin as Record<string, string>), ...(man as string[])];
      expect(shown).toHaveLength(2);
      expect(
        shown.filter((path) => !taken.some((one) => path === one || path.startsWith(`${one}/`))),
      ).toEqual([]);
      expect((scripts as Record<string, string>).prepack).toMatch(/bootstrap\.mjs cli$/);
    },
  );

  it('of the system builds the code and declares the client before it is packed', () => {
    const { prepack = '' } = system.scripts as Record<string, string>;
    const steps = [...prepack.matchAll(/bootstrap\.mjs (\w+)/g)].map(([, step]) => step);
    expect(steps).toEqual(['build', 'client', 'cli']);
  });

  it('leave the command line nothing to install', () => {
    expect(Object.keys(line).filter((key) => /dependencies/i.test(key))).toEqual([]);
  });
});

// The manual page: text that no macro can hide in, and every command and option where man(1) shows it.

import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withExamples } from '../examples.ts';
import { describeProgram } from '../program.ts';
import { commandPages, commonOptions } from './command-pages.ts';
import { ENVIRONMENT, EXIT_STATUS, FILES } from './conventions.ts';
import { manual } from './manual.ts';
import { macro, roffText } from './roff.ts';

const { GROFF_PATH: groff = '' } = process.env;

/** Formats a page as plain ASCII on lines of any length. Warnings are faults. */
function format(page: string): string {
  const args = ['-man', '-ww', '-Tascii', '-P-cbou', '-rLL=6000n', '-rHY=0'];
  const { status, stdout, stderr } = spawnSync(groff, args, { input: page, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

const program = describeProgram('1.2.3');
const page = manual(program, { version: '1.2.3' });
const squeezed = (text: string) => text.replaceAll(/\s+/g, ' ');

describe('text of a manual page', () => {
  const special = fc.string({ unit: fc.constantFrom(...'.\'-\\"`^~ ab\n…é\u001b🙂[(') });

  const anything = fc
    .array(fc.integer({ min: 0, max: 0x10ffff }))
    .map((codes) => String.fromCodePoint(...codes));

  it('is one line of ASCII that begins no request and holds no escape but its own', () => {
    fc.assert(
      fc.property(fc.oneof(special, anything), (text) => {
        const written = roffText(text);
        // A dot or an apostrophe first would begin a request.
        expect(written).toMatch(/^(?![.'])[\x20-\x7e]*$/);
        const bare = written.replaceAll(/\\(&|-|\((rs|aq|ga|ha|ti|dq)|\[u[0-9A-F]{4,6}\])/g, '');
        expect(bare).not.toMatch(/[\\'"`^~-]/);
      }),
    );
  });

  it.skipIf(groff === '')('is shown as it was, sign for sign', () => {
    const word = fc.string({ unit: fc.constantFrom(...'.\'-\\"`^~abz09[]()&'), minLength: 1 });
    const words = fc.sample(word, 500);
    const shown = format(
      [
        macro('TH', 'X', '1'),
        macro('SH', 'X'),
        ...words.flatMap((text) => ['.PP', `${roffText(text)}`]),
      ].join('\n'),
    );
    const lines = (shown ?? '').split('\n').flatMap((line) => (/^ {7}\S/.test(line) ? [line.trim()] : []));
    expect(lines).toEqual(words);
  });
});

describe('the manual page', () => {
  it('has every section, and every command with its arguments, options and examples', () => {
    const sections = [...page.matchAll(/^\.SH "(.+)"$/gm)].map(([, name]) => name);
    expect(sections).toEqual([
      'NAME',
      'SYNOPSIS',
      'DESCRIPTION',
      'OPTIONS',
      'COMMANDS',
      'EXIT STATUS',
      'ENVIRONMENT',
      'FILES',
    ]);
    const commands = [...page.matchAll(/^\.SS "(.+)"$/gm)].map(([, heading]) => heading);
    const pages = commandPages(program);
    expect(commands).toEqual(pages.map(({ name, usage }) => roffText(`${name} ${usage}`)));
    expect(pages.length).toBeGreaterThan(30);
  });

  it.skipIf(groff === '')('is formatted without a warning, and shows all of it', () => {
    const shown = squeezed(format(page) ?? '');
    // ASCII has no ellipsis and no curly apostrophe: the formatter writes its own.
    const plain = (text: string) => squeezed(text).replaceAll('…', '...').replaceAll('’', "'");
    expect(shown).toContain('cloudai - run containers on a cluster');
    const terms = [
      ...commonOptions(program),
      ...ENVIRONMENT,
      ...FILES,
      ...EXIT_STATUS.map(({ code, meaning }) => ({ term: String(code), description: meaning })),
      ...commandPages(program).flatMap((one) => [...one.arguments, ...one.options]),
    ];
    for (const { term, description } of terms) expect(shown).toContain(plain(`${term} ${description}`));
    for (const { examples } of commandPages(program)) {
      for (const { line } of examples) expect(shown).toContain(plain(`cloudai ${line}`));
    }
  });

  it.skipIf(groff === '')('lets no description steer the formatter', () => {
    const hostile = new Command('cloudai').description('.SH FAKE');
    withExamples(
      hostile.command('x').description("'br \\fB bold\n.SH FAKE").option('--a <b>', '.so /etc/passwd'),
      [{ line: '.x\n.SH FAKE', what: '\\*(lq' }],
    );
    const shown = format(manual(hostile, { version: '"1' })) ?? '';
    expect(shown).toContain("'br \\fB bold .SH FAKE");
    expect(shown).toContain('.so /etc/passwd');
    expect(shown).not.toMatch(/^FAKE/m);
  });
});

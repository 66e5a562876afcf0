// The reference of the command line, docs/CLI.md: a hand-written frame, filled from the tree of commands. Pure.

import type { Command } from 'commander';
import { DEFAULT_URL } from '../session.ts';
import { ANSWERS, type Answer } from './answers.ts';
import { type CommandPage, commandPages, commonOptions, type Term } from './command-pages.ts';
import { ENVIRONMENT, EXIT_STATUS, FILES } from './conventions.ts';

/** @throws {Error} when the frame asks for something that is not there, or leaves out something that is. */
export function reference(program: Command, frame: string, { version }: { version: string }): string {
  const pages = commandPages(program);
  const parts = new Map([
    ['version', version],
    ['default url', DEFAULT_URL],
    [
      'exit',
      table(
        ['code', 'meaning'],
        EXIT_STATUS.map(({ code, meaning }) => [String(code), cell(meaning)]),
      ),
    ],
    ['environment', terms(ENVIRONMENT, 'variable')],
    ['files', terms(FILES, 'file')],
    ['common', terms(commonOptions(program), 'option')],
    ['commands', [toc(pages), ...pages.map((page) => section(program.name(), page))].join('\n\n')],
  ]);
  const unused = new Set(parts.keys());
  const filled = frame.replaceAll(/\{\{([^}]+)\}\}/g, (_all, name: string) => {
    const part = parts.get(name);
    if (part === undefined) throw new Error(`the frame asks for {{${name}}}, which is not there`);
    unused.delete(name);
    return part;
  });
  if (unused.size > 0) throw new Error(`the frame leaves out ${[...unused].join(', ')}`);
  return `<!-- Made by "npm run docs:cli" from the commands and cli/package: changes belong there. -->\n\n${filled}`;
}

function toc(pages: readonly CommandPage[]): string {
  return pages.map(({ name }) => `[${name}](#${name.replaceAll(' ', '-')})`).join(' · ');
}

function section(program: string, page: CommandPage): string {
  const { name, aliases, description, usage } = page;
  const also =
    aliases.length === 0 ? '' : ` Also called ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`;
  const answer = ANSWERS[name];
  const given = [...page.arguments, ...page.options];
  return [
    `### ${name}`,
    `${sentence(text(description))}${also}`,
    fenced('text', [`${program} ${name} ${usage}`.trim()]),
    ...(given.length === 0 ? [] : [terms(given, 'argument or option')]),
    ...(page.examples.length === 0 ? [] : [examples(program, page)]),
    ...(answer === undefined ? [] : [answerText(answer)]),
  ].join('\n\n');
}

function examples(program: string, { examples: given }: CommandPage): string {
  const width = Math.max(...given.map(({ line }) => line.length));
  return fenced(
    'sh',
    given.map(({ line, what }) => `${program} ${line.padEnd(width)}  # ${what}`),
  );
}

function answerText({ json, lines, quiet, always, note }: Answer): string {
  if (always !== undefined) return sentence(`Prints ${always}, also with \`--json\` and \`--quiet\``);
  const document = json === null ? 'nothing' : `\`${json}\`${lines ? ', one a line' : ''}`;
  const ids = quiet === null ? 'nothing' : quiet;
  return `\`--json\`: ${document}. \`--quiet\`: ${ids}.${note === undefined ? '' : ` ${note}`}`;
}

function terms(given: readonly Term[], head: string): string {
  return table(
    [head, 'meaning'],
    given.map(({ term, description }) => [`\`${cell(term)}\``, cell(text(description))]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function fenced(language: string, lines: readonly string[]): string {
  return [`\`\`\`${language}`, ...lines, '```'].join('\n');
}

/** Text of the help has no markup; `<path>` in it is no tag. */
function text(plain: string): string {
  return plain.replaceAll(/[<*`[\]\\]|(?<!\w)_|_(?!\w)/g, (sign) => `\\${sign}`);
}

function cell(markup: string): string {
  return markup.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function sentence(phrase: string): string {
  const begun = phrase.charAt(0).toUpperCase() + phrase.slice(1);
  return /[.!?:]$/.test(begun) ? begun : `${begun}.`;
}

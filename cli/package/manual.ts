// The manual page cloudai(1), made of the tree of commands. Pure.

import type { Command } from 'commander';
import { type CommandPage, commandPages, commonOptions } from './command-pages.ts';
import { ENVIRONMENT, EXIT_STATUS, FILES } from './conventions.ts';
import { bold, entry, macro, roffText, verbatim } from './roff.ts';

export function manual(program: Command, { version }: { version: string }): string {
  const name = program.name();
  const pages = commandPages(program);
  const what = program.description().replace(/\.$/, '');
  const lines = [
    '.\\" Made of the commands themselves; changes belong there.',
    macro('TH', name.toUpperCase(), '1', '', `${name} ${version}`, 'CloudAI'),
    macro('SH', 'NAME'),
    `${roffText(name)} \\- ${roffText(what.charAt(0).toLowerCase() + what.slice(1))}`,
    macro('SH', 'SYNOPSIS'),
    `${bold(name)} ${roffText('[options] command …')}`,
    '.br',
    `${bold(`${name} help`)} ${roffText('[command]')}`,
    macro('SH', 'DESCRIPTION'),
    roffText(
      `${program.description()} A task is an image, a command and what it needs; the cluster finds a machine where it fits, runs it there in a container and keeps its output and its files. This program talks to the API of a cluster and to nothing else.`,
    ),
    '.PP',
    roffText(
      'Long options are written with one dash or two, and with - or _ inside: -cpu_cores and --cpu-cores are the same. Words after -- are the command that a container runs. Of the id of a task, its beginning or end is enough where only one of the newest tasks has it.',
    ),
    macro('SH', 'OPTIONS'),
    '.PP',
    roffText('Every command has these:'),
    ...commonOptions(program).flatMap(({ term, description }) => entry(term, description)),
    macro('SH', 'COMMANDS'),
    ...pages.flatMap((page) => commandSection(name, page)),
    macro('SH', 'EXIT STATUS'),
    ...EXIT_STATUS.flatMap(({ code, meaning }) => entry(String(code), meaning)),
    macro('SH', 'ENVIRONMENT'),
    ...ENVIRONMENT.flatMap(({ term, description }) => entry(term, description)),
    macro('SH', 'FILES'),
    ...FILES.flatMap(({ term, description }) => entry(term, description)),
  ];
  return `${lines.join('\n')}\n`;
}

function commandSection(program: string, page: CommandPage): string[] {
  const also = page.aliases.length === 0 ? '' : ` Also called ${page.aliases.join(', ')}.`;
  return [
    macro('SS', `${page.name} ${page.usage}`.trim()),
    roffText(`${sentence(page.description)}${also}`),
    ...[...page.arguments, ...page.options].flatMap(({ term, description }) => entry(term, description)),
    ...page.examples.flatMap(({ line, what }) => [
      '.PP',
      roffText(`${sentence(what)}`),
      ...verbatim([`${program} ${line}`]),
    ]),
  ];
}

/** Descriptions are phrases in help; here they stand in running text. */
function sentence(phrase: string): string {
  const text = phrase.charAt(0).toUpperCase() + phrase.slice(1);
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}

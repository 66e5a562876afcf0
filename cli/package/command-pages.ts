// The tree of commands as plain data for its documents: one page for each command that does something. Pure.

import type { Argument, Command } from 'commander';
import { type Example, examplesOf } from '../examples.ts';

export interface Term {
  /** As typed: `--limit <n>`, `<task>`. */
  readonly term: string;
  readonly description: string;
}

export interface CommandPage {
  /** Words that name it, `tokens create`. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  /** What follows its name: `[options] <task>`. */
  readonly usage: string;
  readonly arguments: readonly Term[];
  /** Without those that every command has. */
  readonly options: readonly Term[];
  readonly examples: readonly Example[];
}

/** In the order of help, without `help` itself. */
export function commandPages(program: Command): CommandPage[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help')
    .flatMap((command) => pagesUnder(command, ''));
}

/** Options that every command has. */
export function commonOptions(program: Command): Term[] {
  return optionsOf(program);
}

function pagesUnder(command: Command, group: string): CommandPage[] {
  const name = `${group}${command.name()}`;
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help')
    .flatMap((child) => pagesUnder(child, `${name} `));
  // A group that does nothing by itself has no page of its own.
  return below.length > 0 && command.registeredArguments.length === 0
    ? below
    : [pageOf(command, name), ...below];
}

function pageOf(command: Command, name: string): CommandPage {
  const described = command.registeredArguments.filter(({ description }) => description !== '');
  return {
    name,
    aliases: command.aliases(),
    description: command.description(),
    usage: command.usage(),
    arguments: described.map((argument) => ({
      term: argumentTerm(argument),
      description: command.createHelp().argumentDescription(argument),
    })),
    options: optionsOf(command).filter(({ term }) => !/(^| )--help\b/.test(term)),
    examples: examplesOf(command),
  };
}

function optionsOf(command: Command): Term[] {
  const help = command.createHelp();
  return help
    .visibleOptions(command)
    .map((option) => ({ term: help.optionTerm(option), description: help.optionDescription(option) }));
}

function argumentTerm(argument: Argument): string {
  const name = argument.variadic ? `${argument.name()}...` : argument.name();
  return argument.required ? `<${name}>` : `[${name}]`;
}

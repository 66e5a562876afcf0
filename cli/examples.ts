// Examples of commands: shown by `help <command>` and in the manual page, and tried out by a test.

import type { Command } from 'commander';

export interface Example {
  /** As typed, without the program's name. */
  readonly line: string;
  readonly what: string;
}

const examples = new WeakMap<Command, readonly Example[]>();

/** Gives a command its examples; returns the command. */
export function withExamples(command: Command, given: readonly Example[]): Command {
  examples.set(command, given);
  const width = Math.max(...given.map(({ line }) => line.length));
  const lines = given.map(({ line, what }) => `  ${line.padEnd(width)}  ${what}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

export function examplesOf(command: Command): readonly Example[] {
  return examples.get(command) ?? [];
}

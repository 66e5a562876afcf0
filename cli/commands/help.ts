// `help`: all commands by topic, or one command with its options and examples. Asks no cluster.

import type { Command } from 'commander';
import { withExamples } from '../examples.ts';

export function addHelpCommand(program: Command): void {
  const help = program
    .command('help')
    .description('show all commands, or how one is used')
    .argument('[command...]', 'e.g. task, or webhooks create')
    .action(async (names: string[]) => {
      let found = program;
      for (const [index, name] of names.entries()) {
        const next = found.commands.find((one) => one.name() === name || one.aliases().includes(name));
        if (!next) {
          if (found.commands.length === 0) break;
          // Not one of its commands, which the parser tells with the one that was meant.
          await program.parseAsync(names.slice(0, index + 1), { from: 'user' });
        }
        found = next ?? found;
      }
      found.outputHelp();
    });
  withExamples(help, [
    { line: 'help', what: 'all commands' },
    { line: 'help task', what: 'options and examples of one' },
    { line: 'help webhooks create', what: 'of a command below another' },
  ]);
}

// `exit` and `quit`: the way out of the prompt. There are none outside of it.

import type { Command } from 'commander';
import { withExamples } from '../examples.ts';
import type { PromptCommands } from '../program.ts';

export function addLeaveCommand(program: Command, prompt: PromptCommands): void {
  const leave = program
    .command('exit')
    .alias('quit')
    .description('leave the prompt; Ctrl-D does the same')
    .action(() => prompt.leave());
  withExamples(leave, [{ line: 'exit', what: 'back to the shell; tasks go on' }]);
}

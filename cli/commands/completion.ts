// `completion`, which prints a script for a shell, and the hidden `complete`, which that script asks at each Tab.

import { Argument, type Command } from 'commander';
import { completeLine } from '../completion/line.ts';
import { completionScript, SHELLS, type Shell, shellLines } from '../completion/shells.ts';
import { CompletionSources } from '../completion/sources.ts';
import { withExamples } from '../examples.ts';
import type { CliIo } from '../io.ts';
import type { Run } from '../program.ts';
import { Session } from '../session.ts';

export function addCompletionCommands(program: Command, run: Run): void {
  const shell = () => new Argument('<shell>').choices([...SHELLS]);
  const completion = program
    .command('completion')
    .description('print a script that lets Tab complete commands, options and ids in a shell')
    .addArgument(shell())
    .action(
      run(async (session, _options: object, name: Shell) => {
        await session.io.out(completionScript(name));
      }),
    );
  withExamples(completion, [
    { line: 'completion bash', what: 'in ~/.bashrc: source <(cloudai completion bash)' },
    { line: 'completion zsh', what: 'in ~/.zshrc after compinit: source <(cloudai completion zsh)' },
    { line: 'completion fish', what: 'into ~/.config/fish/completions/cloudai.fish' },
  ]);
  program
    .command('complete', { hidden: true })
    .addArgument(shell())
    .argument('<line>', 'up to the cursor')
    .argument('[breaks]', 'what bash ends words at')
    .action(
      run(async (session, _options: object, name: Shell, line: string, breaks: string = '') => {
        const sources = completionSources(session.io);
        const { candidates, start } = await completeLine(program, sources, line);
        await session.io.out(shellLines(name, candidates, { raw: line.slice(start), breaks }));
      }),
    );
}

/** Asks the cluster that the line, the environment or the profile names, as whoever is signed in there. */
export function completionSources(io: CliIo): CompletionSources {
  return new CompletionSources({
    client: async (settings) => (await Session.open(io, settings)).client,
    home: io.env.HOME,
    now: () => io.now(),
  });
}

// The command line as a whole: reads words, runs one command, gives back an exit code. Never ends the process.
// The same for a shell's words and for a line of the prompt.

import { Command, CommanderError } from 'commander';
import { type OptionKind, splitArgv } from './argv.ts';
import { addAccountCommands } from './commands/account.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addBackupCommands } from './commands/backup.ts';
import { addClusterCommands } from './commands/cluster.ts';
import { addCompletionCommands } from './commands/completion.ts';
import { addFileCommands } from './commands/files.ts';
import { addHelpCommand } from './commands/help.ts';
import { addHistoryCommand } from './commands/history.ts';
import { addLeaveCommand } from './commands/leave.ts';
import { addMonitorCommand } from './commands/monitor.ts';
import { addRegisterCommand } from './commands/register.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addSubmitCommands } from './commands/submit.ts';
import { addTaskCommands } from './commands/tasks.ts';
import { addUserCommands } from './commands/users.ts';
import { addWatchCommands } from './commands/watch.ts';
import { addWebhookCommands } from './commands/webhooks.ts';
import { CliError, complaintOf, EXIT, type ExitCode } from './exit.ts';
import type { CliIo } from './io.ts';
import { DEFAULT_URL, type GlobalOptions, Session } from './session.ts';
import { plain } from './table.ts';

/** The words after `--`, or null. */
export type Words = () => readonly string[] | null;

/** Makes a command's action of a function that gets a session, the options and the arguments in order. */
export type Run = <Options extends object, Args extends unknown[]>(
  command: (session: Session, options: Options, ...args: Args) => Promise<ExitCode> | Promise<void>,
) => (...given: unknown[]) => Promise<void>;

/** Commands that run words in a container; elsewhere `--` has no meaning. */
const WITH_WORDS = ['task', 'dispatch', 'simulate'];

/** What only the prompt has: a way out of it. */
export interface PromptCommands {
  leave(): void;
}

/** `prompt` is given when the words are a line of the prompt. */
export async function runCli(
  argv: readonly string[],
  io: CliIo,
  version: string,
  prompt: PromptCommands | null = null,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  let printed: Promise<void> = Promise.resolve();
  let words: string[] | null = null;
  const run: Run =
    (command) =>
    async (...given) => {
      // Commander hands over arguments, then options, then itself.
      const self = given.pop() as Command;
      given.pop();
      if (words !== null && !WITH_WORDS.includes(self.name())) {
        throw new CliError(EXIT.usage, `"${self.name()}" takes no words after "--"`, 'Leave them out.');
      }
      const options = underscored(self.optsWithGlobals());
      const session = await Session.open(io, options as GlobalOptions);
      exitCode = (await command(session, options as never, ...(given as never))) ?? EXIT.ok;
    };
  const program = createProgram(version, run, () => words, prompt);
  const print = (write: (text: string) => Promise<void>) => (text: string) => {
    printed = printed.then(() => write(text));
  };
  const width = () => io.columns ?? 80;
  // Before anything is read, for subcommands do as their program does.
  everyCommand(program, (command) =>
    command.configureOutput({
      writeOut: print((text) => io.out(text)),
      writeErr: print((text) => io.err(text)),
      // Told by `complain`, with what to do beside it.
      outputError: () => undefined,
      getOutHelpWidth: width,
      getErrHelpWidth: width,
    }),
  );
  const split = splitArgv(argv, knownOptions(program));
  words = split.words;
  const json = split.args.includes('--json');
  try {
    if (words === null && settingsAlone(split.args) !== null) {
      // Nobody who meant to run something is to take this for a success.
      await io.err('cloudai: the prompt needs a terminal, and standard input is none: name a command\n\n');
      program.outputHelp({ error: true });
      exitCode = EXIT.usage;
    } else await program.parseAsync(split.args, { from: 'user' });
  } catch (error) {
    exitCode = await complain(error, split.args, io, json);
  }
  await printed;
  return exitCode;
}

/** For those who look at the commands and run none: the manual page, the reference, completion. */
export function describeProgram(version: string, prompt: PromptCommands | null = null): Command {
  const idle: Run = () => async () => undefined;
  return createProgram(version, idle, () => null, prompt);
}

function createProgram(version: string, run: Run, words: Words, prompt: PromptCommands | null): Command {
  const program = new Command('cloudai')
    .description('Run containers on a cluster.')
    .version(version, '-V, --version', 'print the version')
    .option('--url <url>', `address of the API (or CLOUDAI_URL, or the profile; default ${DEFAULT_URL})`)
    .option('--token <token>', 'token to call with (or CLOUDAI_TOKEN, or the profile)')
    .option('--json', 'print what the API answered')
    .option('--quiet', 'print ids only')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nAlone on a terminal, cloudai opens a prompt that takes these commands.\nExit codes: 0 done, 1 the task failed or the call was refused, 2 wrong use, 3 cannot connect, 4 not allowed, 130 Ctrl-C.\nOptions may be written with one dash: cloudai task python:3.9 -name my-task -cpu_cores 2.0 -mem 4.0',
    )
    // Subcommands take these settings over, so they come first.
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });
  program.commandsGroup('Tasks:');
  addSubmitCommands(program, run, words);
  addSimulateCommand(program, run, words);
  addTaskCommands(program, run);
  addWatchCommands(program, run);
  addMonitorCommand(program, run);
  program.commandsGroup('Files:');
  addFileCommands(program, run);
  program.commandsGroup('Cluster:');
  addClusterCommands(program, run);
  addRegisterCommand(program, run);
  addHistoryCommand(program, run);
  addReplayCommand(program, run);
  program.commandsGroup('You:');
  addAccountCommands(program, run);
  addWebhookCommands(program, run);
  program.commandsGroup('Accounts:');
  addUserCommands(program, run);
  addAuditCommand(program, run);
  addBackupCommands(program, run);
  program.commandsGroup('This program:');
  addHelpCommand(program);
  addCompletionCommands(program, run);
  if (prompt !== null) addLeaveCommand(program, prompt);
  return program;
}

export function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const one of command.commands) everyCommand(one, visit);
}

const SETTINGS: ReadonlyMap<string, OptionKind> = new Map([
  ['url', 'value'],
  ['token', 'value'],
  ['json', 'flag'],
  ['quiet', 'flag'],
]);

/** The options that hold for all commands, when there is nothing else: no command. Null when there is. */
function settingsAlone(args: readonly string[]): GlobalOptions | null {
  const found: Record<string, string | true> = {};
  for (let at = 0; at < args.length; at += 1) {
    const [, name = '', value] = /^--(\w+)(?:=(.*))?$/s.exec(args[at] ?? '') ?? [];
    const kind = SETTINGS.get(name);
    if (!kind || (kind === 'flag' && value !== undefined)) return null;
    const given = kind === 'flag' || (value ?? args[++at]);
    // A missing value is for the parser to tell.
    if (given === undefined) return null;
    found[name] = given;
  }
  return found;
}

export interface PromptSettings {
  /** To stand before the words of each line. */
  readonly args: readonly string[];
  readonly options: GlobalOptions;
}

/** What holds for all lines of a prompt that is opened with these words; null when they are a command. */
export function promptSettings(argv: readonly string[]): PromptSettings | null {
  const { args, words } = splitArgv(argv, SETTINGS);
  const options = settingsAlone(args);
  return words === null && options !== null ? { args, options } : null;
}

/** Long options of all commands. One name has one kind everywhere; a test holds that. */
export function knownOptions(program: Command): Map<string, OptionKind> {
  const known = new Map<string, OptionKind>([['help', 'flag']]);
  everyCommand(program, ({ options }) => {
    for (const { long, required, optional, variadic } of options) {
      const kind = variadic ? 'pairs' : required || optional ? 'value' : 'flag';
      const name = long?.replace(/^--/, '') ?? '';
      if (known.has(name) && known.get(name) !== kind) throw new Error(`--${name} is of two kinds`);
      known.set(name, kind);
    }
  });
  return known;
}

/** `passwordStdin`, as commander names it, to `password_stdin`, so that all options look alike in code. */
function underscored(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

async function complain(
  error: unknown,
  args: readonly string[],
  io: CliIo,
  json: boolean,
): Promise<ExitCode> {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  if (io.signal.aborted) return EXIT.interrupted;
  const found = complaintOf(error instanceof CommanderError ? usageError(error, args) : error);
  const { exitCode, code, message, details, advice } = found;
  if (json) {
    await io.err(`${JSON.stringify({ error: { code, message, details, advice } })}\n`);
    return exitCode;
  }
  const named = details.filter((detail) => !message.includes(detail.message));
  const lines = [
    `cloudai: ${plain(message)}`,
    ...named.map((detail) => `  ${plain(detail.message)}`),
    ...(advice ? [advice] : []),
  ];
  await io.err(`${lines.join('\n')}\n`);
  return exitCode;
}

function usageError(error: CommanderError, args: readonly string[]): CliError {
  const command = args.find((arg) => !arg.startsWith('-'));
  const help =
    command && error.code !== 'commander.unknownCommand' ? `cloudai ${command} --help` : 'cloudai --help';
  const [what = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  if (error.code === 'commander.help') {
    return new CliError(EXIT.usage, `"${command}" needs to know what to do`, `See "${help}".`);
  }
  if (error.code === 'commander.excessArguments' && command && WITH_WORDS.includes(command)) {
    return new CliError(EXIT.usage, what, 'Put "--" before the command the container is to run.');
  }
  return new CliError(EXIT.usage, what, suggestion ? suggestion.replace(/^\(|\)$/g, '') : `See "${help}".`);
}

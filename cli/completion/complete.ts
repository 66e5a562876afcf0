// What may stand where the cursor is, by the commands themselves: names of commands and options, choices, or a kind of
// thing (a task, a file) that has to be looked up. Pure; the lookup is in sources.ts.

import type { Command, Option } from 'commander';
import { labelTerm } from '../labels.ts';
import { collect } from '../options.ts';

export interface Candidate {
  /** The whole word, unquoted. */
  readonly value: string;
  /** A few words beside it where there is room; may be empty. */
  readonly what: string;
  /** True when the word is complete and a blank may follow. */
  readonly done: boolean;
}

/** Words are unquoted and without the program's own name; `word` is the one at the cursor, up to it. */
export interface Cursor {
  readonly before: readonly string[];
  readonly word: string;
}

export interface Place {
  readonly candidates: readonly Candidate[];
  /** Name of what else may stand here, as arguments and options are named: `task`, `worker`, `file` … */
  readonly wanted: string | null;
  /** What stands before the looked-up part in the word: `--worker=`, or empty. */
  readonly lead: string;
  /** The part of the word that is completed, after `lead`. */
  readonly part: string;
  /** What was said so far that decides where to look things up. */
  readonly settings: { readonly url?: string; readonly token?: string };
}

/** What the words before the cursor say. */
interface Read {
  readonly command: Command;
  readonly operands: readonly string[];
  readonly given: ReadonlySet<Option>;
  /** The option whose value comes next. */
  readonly pending: Option | null;
  readonly afterDashes: boolean;
  readonly settings: Record<string, string>;
}

export function placeOf(program: Command, { before, word }: Cursor): Place {
  const read = readWords(program, before);
  const { command, operands, settings } = read;
  const place = (candidates: readonly Candidate[], wanted: string | null = null, lead = ''): Place => {
    const part = word.slice(lead.length);
    const fitting = candidates.filter(({ value }) => value.startsWith(word));
    return { candidates: fitting, wanted, lead, part, settings };
  };
  if (read.afterDashes) return place([]);
  if (read.pending) return optionValue(read.pending, '', place);
  const [, name, value] = /^(--?[^=]+)=(.*)$/s.exec(word) ?? [];
  if (name !== undefined && value !== undefined) {
    const option = findOption(command, name);
    return option ? optionValue(option, `${name}=`, place) : place([]);
  }
  if (word.startsWith('-')) return place(optionNames(read, word));
  if (command.commands.length > 0) return place(commandNames(command));
  const argument = command.registeredArguments[operands.length] ?? lastVariadic(command);
  if (!argument) return place([]);
  if (argument.argChoices) return place(argument.argChoices.map((choice) => candidate(choice)));
  if (argument.name() === 'command') return place(commandNames(below(program, operands)));
  return place([], argument.name());
}

function optionValue(
  option: Option,
  lead: string,
  place: (candidates: readonly Candidate[], wanted: string | null, lead: string) => Place,
): Place {
  if (option.argChoices) {
    return place(
      option.argChoices.map((choice) => candidate(`${lead}${choice}`)),
      null,
      lead,
    );
  }
  const [, name = null] = /[<[]([\w-]+)(?:\.\.\.)?[>\]]/.exec(option.flags) ?? [];
  return place([], name, lead);
}

function readWords(program: Command, words: readonly string[]): Read {
  let command = program;
  const operands: string[] = [];
  const given = new Set<Option>();
  const settings: Record<string, string> = {};
  let pending: Option | null = null;
  let pairs = false;
  const take = ({ long }: Option, value: string) => {
    if (long === '--url' || long === '--token') settings[long.slice(2)] = value;
  };
  for (const word of words) {
    if (word === '--') {
      return { command, operands, given, pending: null, afterDashes: true, settings };
    }
    if (pending) {
      take(pending, word);
      pairs = pending.variadic;
      pending = null;
      continue;
    }
    if (pairs && /^[A-Za-z_]\w*=/.test(word)) continue;
    pairs = false;
    const [name = word, ...value] = word.split('=');
    const option = word.startsWith('-') ? findOption(command, name) : null;
    if (option) {
      given.add(option);
      if (!option.required && !option.optional) continue;
      if (value.length > 0) take(option, value.join('='));
      else pending = option;
      continue;
    }
    const next = operands.length === 0 ? findCommand(command, word) : undefined;
    if (next) command = next;
    else operands.push(word);
  }
  return { command, operands, given, pending, afterDashes: false, settings };
}

/** With one dash or two and `_` or `-` inside, as argv.ts takes them. */
function findOption(command: Command, name: string): Option | null {
  const bare = sameName(name);
  return (
    optionsOf(command).find(({ long, short }) =>
      [long, short].some((one) => one !== undefined && sameName(one) === bare),
    ) ?? null
  );
}

function sameName(name: string): string {
  return name.replace(/^--?/, '').replaceAll('-', '_');
}

function optionsOf(command: Command): Option[] {
  const own = command.options.filter(({ hidden }) => !hidden);
  return command.parent ? [...own, ...optionsOf(command.parent)] : own;
}

/** As they were begun: with one dash when there is one, with `_` or `-` inside as was typed. */
function optionNames({ command, given }: Read, word: string): Candidate[] {
  const dash = /^-[^-]/.test(word) ? '-' : '--';
  const typed = word.slice(dash.length);
  const spelled = (name: string) => {
    if (typed.includes('-')) return name.replaceAll('_', '-');
    return typed.includes('_') ? name.replaceAll('-', '_') : name;
  };
  const names: Candidate[] = [];
  for (const option of optionsOf(command)) {
    const again = option.variadic || option.parseArg === collect || option.parseArg === labelTerm;
    if (!option.long || (given.has(option) && !again)) continue;
    if (option.long === '--version' && command.parent) continue;
    names.push(candidate(`${dash}${spelled(option.long.replace(/^--/, ''))}`, option.description));
  }
  const help = candidate(`${dash}help`, 'show help');
  return [...names, help];
}

function commandNames(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => candidate(one.name(), one.description()));
}

function findCommand(command: Command, name: string): Command | undefined {
  return command.commands.find((one) => one.name() === name || one.aliases().includes(name));
}

function below(program: Command, names: readonly string[]): Command {
  return names.reduce((command, name) => findCommand(command, name) ?? command, program);
}

function lastVariadic(command: Command) {
  const last = command.registeredArguments.at(-1);
  return last?.variadic ? last : undefined;
}

function candidate(value: string, what = ''): Candidate {
  return { value, what, done: true };
}

// The options of `simulate` that belong to the play of a trace, and what must not stand beside them.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GenerateOptions } from '../../scheduler/core/simulation/generate.ts';
import { POLICIES, type PolicyName } from '../../shared/model/scheduling.ts';
import { CliError, EXIT } from '../exit.ts';
import { amount, collect, positive, wholeNumber } from '../options.ts';
import { type AddedSizes, addedWorker } from './added-worker.ts';
import { generateOptions } from './generate-option.ts';
import { TRACE_FORMATS, type TraceFormat } from './traces/trace.ts';

export interface TraceOptions {
  readonly trace?: string[];
  readonly generate?: GenerateOptions;
  readonly write?: string;
  readonly format?: TraceFormat;
  readonly machines?: string[];
  readonly workers?: number;
  readonly worker_size?: AddedSizes[];
  readonly policies?: PolicyName[];
  readonly seed?: number;
  readonly pass_every?: number;
  readonly start_cost?: number;
  readonly pull_cost?: number;
  readonly preemption?: boolean;
  readonly ageing?: number;
  readonly reserve_after?: number;
  readonly html?: string;
  readonly svg?: string;
}

const TRACE_OPTIONS = [
  ...[
    'write',
    'format',
    'machines',
    'workers',
    'worker_size',
    'policies',
    'seed',
    'pass_every',
    'start_cost',
  ],
  ...['pull_cost', 'preemption', 'ageing', 'reserve_after', 'html', 'svg'],
];
/** Of all commands. */
const GLOBAL = ['url', 'token', 'json', 'quiet'];

export function withTraceOptions(command: Command): Command {
  return command
    .option(
      '--trace <file>',
      'play the tasks of a trace in simulated time; may be given several times',
      collect,
    )
    .option(
      '--generate <what>',
      'play made-up tasks, e.g. tasks=10000,users=20,hours=24,load=0.8,gpu=0.1',
      generateOptions,
    )
    .option('--write <file>', 'keep the made-up trace')
    .addOption(
      new Option('--format <layout>', 'of the trace; by default found out').choices([...TRACE_FORMATS]),
    )
    .option('--machines <file>', 'machines of the trace, in its layout; may be given several times', collect)
    .option('--workers <n>', 'so many machines (default 100)', positive)
    .option('--worker-size <sizes>', 'of which size, e.g. cpu=32,mem=128,gpu=4,count=10', addedWorker)
    .option('--policies <names>', `some of ${POLICIES.join(',')} (default all)`, policies)
    .option('--seed <n>', 'of all chance (default 1)', wholeNumber)
    .option(
      '--pass-every <seconds>',
      'a pass at the earliest so long after the last (default 1, above 1,000 machines 1 for each 1,000)',
      amount,
    )
    .option('--start-cost <seconds>', 'from placement to start (default 0)', amount)
    .option('--pull-cost <seconds>', 'to pull an image that is not there (default 0)', amount)
    .option('--preemption', 'let tasks take the place of running ones of lower priority')
    .option('--ageing <seconds>', 'waiting so long counts as one priority more (default 600)', amount)
    .option('--reserve-after <seconds>', 'waiting so long gets a worker reserved (default 60)', amount)
    .option('--html <file>', 'write the report as a page with plots')
    .option('--svg <file>', 'write the plots');
}

/** Each once, in the order in which they are given. */
function policies(text: string): PolicyName[] {
  const named = text.split(',').map((one) => {
    const name = POLICIES.find((known) => known === one.trim().toLowerCase());
    if (!name)
      throw new InvalidArgumentError(`"${one.trim()}" is no policy; there are ${POLICIES.join(', ')}.`);
    return name;
  });
  return [...new Set(named)];
}

/** What was typed beside the options, and how an option is spelt that is named like this among them. */
export interface Typed {
  readonly image: string | undefined;
  readonly words: readonly string[] | null;
  readonly spelt: (name: string) => string;
}

/**
 * True when a trace is to be played. The options come as commander hands them over: only what was given is there.
 * @throws {CliError} when what is given does not go together
 */
export function isTraceRun(options: object, { image, words, spelt }: Typed): boolean {
  const { trace, generate, write } = options as TraceOptions;
  if (trace === undefined && generate === undefined) {
    const alone = TRACE_OPTIONS.find((name) => name in options);
    if (alone === undefined) return false;
    const message = `${spelt(alone)} is for the play of a trace, and there is none`;
    throw new CliError(EXIT.usage, message, 'Give one with --trace or --generate.');
  }
  if (trace !== undefined && generate !== undefined) {
    throw new CliError(EXIT.usage, '--trace and --generate are both given', 'Leave out one of them.');
  }
  if (trace !== undefined && write !== undefined) {
    throw new CliError(EXIT.usage, '--write keeps a made-up trace, and this one is read', 'Leave it out.');
  }
  const own = [...TRACE_OPTIONS, ...GLOBAL, 'trace', 'generate'];
  const odd = Object.keys(options).find((name) => !own.includes(name));
  const beside = image ?? (words && 'a command') ?? (odd === undefined ? null : spelt(odd));
  if (beside !== null) {
    const message = `a trace is played, which has its own tasks and workers, and yet ${beside} is given`;
    throw new CliError(EXIT.usage, message, 'Leave it out, or leave out --trace and --generate.');
  }
  return true;
}

// `simulate`: where tasks would go on the cluster as it is, or as it would be with other workers; or, of a trace, how it
// would go over time on machines that need not exist. Submits nothing.

import { Command, type Option } from 'commander';
import type { WhatIfRequest } from '../../shared/contracts/what-if.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { collect, positive } from '../options.ts';
import type { Run, Words } from '../program.ts';
import type { Session } from '../session.ts';
import { type AddedSizes, addedWorker } from '../simulation/added-worker.ts';
import { answerText } from '../simulation/answer-view.ts';
import { type AskedTask, askedTasks } from '../simulation/question.ts';
import { isTraceRun, type TraceOptions, withTraceOptions } from '../simulation/trace-options.ts';
import { type TaskOptions, taskRequest } from '../task-request.ts';
import { withTaskOptions } from './submit.ts';

interface SimulateOptions extends TaskOptions, TraceOptions {
  /** Path of a file of tasks. */
  readonly tasks?: string;
  readonly count?: number;
  readonly add_worker?: AddedSizes[];
  readonly without?: string[];
  readonly cordon?: string[];
}

/** Of `task`, without a meaning where nothing runs. */
const MEANINGLESS = ['wait', 'idempotency_key'];

export function addSimulateCommand(program: Command, run: Run, words: Words): void {
  const asking = withTaskOptions(
    program.command('simulate').argument('[image]', 'image of the tasks, e.g. python:3.9'),
  )
    .description('say where tasks would go, without running them, or play a trace')
    .usage('[options] <image> [-- command words…] | -f <file> | --trace <file> | --generate <what>')
    .option('-f, --tasks <file>', 'the tasks of a file as "submit" takes it; - is standard input')
    .option('--count <n>', 'so many of each', positive)
    .option('--add-worker <sizes>', 'with a further worker, e.g. cpu=8,mem=32,gpu=1,count=3', addedWorker)
    .option('--without <worker>', 'without this worker; may be given several times', collect)
    .option('--cordon <worker>', 'with nothing new on this worker; may be given several times', collect);
  const spelt = (name: string) => asking.options.find((option) => nameOf(option) === name)?.long ?? name;
  const command = withTraceOptions(asking)
    .addHelpText(
      'after',
      '\nAnswers from the queue and the workers as they are, as if nothing ended.\nExit code 0 when all would be placed now, 1 when some would wait or never run.\nWith --trace or --generate it asks no cluster, and compares policies over simulated time.\nExit code 0 when all tasks ran to their end, 1 when some never could or lines were left out.',
    )
    .action(
      run(async (session, options: SimulateOptions, image: string | undefined) => {
        if (!isTraceRun(options, { image, words: words(), spelt })) {
          return simulate(session, options, await tasksOf(session, options, image, words()));
        }
        const { playTrace } = await import('../simulation/play-trace.ts');
        return playTrace(session, options);
      }),
    );
  for (const option of command.options) if (MEANINGLESS.includes(nameOf(option))) option.hideHelp();
  withExamples(command, [
    { line: 'simulate python:3.9 -cpu_cores 2 -mem 4 --count 100', what: 'a hundred such tasks, now' },
    {
      line: 'simulate python:3.9 -gpu_cores 1 --count 8 --add-worker cpu=16,mem=64,gpu=4,count=2',
      what: 'with two more machines',
    },
    { line: 'simulate python:3.9 --count 20 --without worker-2', what: 'with a machine less' },
    { line: 'simulate -f sweep.yaml', what: 'the tasks of a file; exit 0 if all would start now' },
    {
      line: 'simulate --trace tasks.jsonl --workers 200 --worker-size cpu=32,mem=128 --html report.html',
      what: 'play a trace',
    },
    {
      line: 'simulate --generate tasks=10000,users=20,load=0.9 --workers 50 --policies best-fit,spread',
      what: 'play a made-up one',
    },
  ]);
}

/** As it stands among the options that a command gets. */
function nameOf(option: Option): string {
  return option.name().replaceAll('-', '_');
}

async function tasksOf(
  { io }: Session,
  options: SimulateOptions,
  image: string | undefined,
  words: readonly string[] | null,
): Promise<AskedTask[]> {
  const useless = MEANINGLESS.find((name) => name in options);
  if (useless) {
    const message = `--${useless.replace('_', '-')} has no meaning here: nothing runs`;
    throw new CliError(EXIT.usage, message, 'Leave it out.');
  }
  const times = options.count ?? 1;
  if (options.tasks === undefined) {
    if (image !== undefined) return askedTasks([taskRequest(image, options, words, io.env)], times);
    const advice = 'Name an image, or a file of tasks with -f. See "cloudai simulate --help".';
    throw new CliError(EXIT.usage, 'there is no task to ask about', advice);
  }
  const given = withTaskOptions(new Command()).options.find((option) => nameOf(option) in options);
  const beside = image ?? given?.long ?? (words && 'a command');
  if (beside !== null) {
    const message = `the tasks are those of ${options.tasks}, and yet ${beside} is given`;
    throw new CliError(EXIT.usage, message, 'Say it in the file, or leave out -f.');
  }
  const { readTasks } = await import('../simulation/read-tasks.ts');
  return readTasks(io, options.tasks, times);
}

async function simulate(
  session: Session,
  options: SimulateOptions,
  tasks: readonly AskedTask[],
): Promise<ExitCode> {
  const { signal } = session.io;
  const reply = await session.client.whatIf(questionOf(tasks, options), { signal });
  await session.show({
    json: reply,
    ids: reply.workers.filter(({ placed }) => placed > 0).map(({ worker_id }) => worker_id),
    text: () => answerText(session, tasks, reply),
  });
  return reply.waiting + reply.never === 0 ? EXIT.ok : EXIT.failed;
}

function questionOf(tasks: WhatIfRequest['tasks'], options: SimulateOptions): WhatIfRequest {
  const { add_worker, without, cordon } = options;
  return {
    tasks,
    ...(add_worker ? { add_workers: add_worker } : {}),
    ...(without ? { without: [...new Set(without)] } : {}),
    ...(cordon ? { cordon: [...new Set(cordon)] } : {}),
  };
}

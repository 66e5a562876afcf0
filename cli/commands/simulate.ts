// `simulate`: where tasks would go on the cluster as it is, or as it would be with other workers. Submits nothing.

import type { Command } from 'commander';
import type { AddedWorkerBody, WhatIfRequest } from '../../shared/contracts/what-if.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { collect, positive } from '../options.ts';
import type { Run, Words } from '../program.ts';
import type { Session } from '../session.ts';
import { addedWorker } from '../simulation/added-worker.ts';
import { answerText } from '../simulation/answer-view.ts';
import { askedTasks } from '../simulation/question.ts';
import { type TaskOptions, taskRequest } from '../task-request.ts';
import { withTaskOptions } from './submit.ts';

interface SimulateOptions extends TaskOptions {
  readonly count?: number;
  readonly add_worker?: AddedWorkerBody[];
  readonly without?: string[];
  readonly cordon?: string[];
  readonly wait?: boolean;
  readonly idempotency_key?: string;
}

/** Of `task`, without a meaning where nothing runs. */
const MEANINGLESS = ['--wait', '--idempotency-key'];

export function addSimulateCommand(program: Command, run: Run, words: Words): void {
  const command = withTaskOptions(
    program.command('simulate').argument('<image>', 'image of the tasks, e.g. python:3.9'),
  )
    .description('say where tasks would go, without running them')
    .usage('[options] <image> [-- command words…]')
    .option('--count <n>', 'so many of them', positive)
    .option('--add-worker <sizes>', 'with a further worker, e.g. cpu=8,mem=32,gpu=1,count=3', addedWorker)
    .option('--without <worker>', 'without this worker; may be given several times', collect)
    .option('--cordon <worker>', 'with nothing new on this worker; may be given several times', collect)
    .addHelpText(
      'after',
      '\nAnswers from the queue and the workers as they are, as if nothing ended.\nExit code 0 when all would be placed now, 1 when some would wait or never run.',
    )
    .action(
      run((session, options: SimulateOptions, image: string) =>
        simulate(session, options, taskRequest(image, options, words(), session.io.env)),
      ),
    );
  for (const option of command.options) if (MEANINGLESS.includes(option.long ?? '')) option.hideHelp();
  withExamples(command, [
    { line: 'simulate python:3.9 -cpu_cores 2 -mem 4 --count 100', what: 'a hundred such tasks, now' },
    {
      line: 'simulate python:3.9 -gpu_cores 1 --count 8 --add-worker cpu=16,mem=64,gpu=4,count=2',
      what: 'with two more machines',
    },
    { line: 'simulate python:3.9 --count 20 --without worker-2', what: 'with a machine less' },
  ]);
}

async function simulate(
  session: Session,
  options: SimulateOptions,
  body: ReturnType<typeof taskRequest>,
): Promise<ExitCode> {
  if (options.wait || options.idempotency_key !== undefined) {
    const name = options.wait ? '--wait' : '--idempotency-key';
    throw new CliError(EXIT.usage, `${name} has no meaning here: nothing is submitted`, 'Leave it out.');
  }
  const tasks = askedTasks([body], options.count ?? 1);
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

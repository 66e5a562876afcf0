// `task`, `submit`, `dispatch`, `retry`: hand work to the cluster and, when asked, stay until it is done.

import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { SubmitRequest, TaskBody } from '../../shared/contracts/http.ts';
import { NETWORKS, PULL_POLICIES, RETRY_REASONS } from '../../shared/model/task.ts';
import {
  checkSubmitOptions,
  DEFAULT_MAX,
  type SubmitFileOptions,
  withWaitOptions,
} from '../batch/submit-options.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { labelTerm } from '../labels.ts';
import { inTypedWords } from '../option-names.ts';
import { amount, codes, collect, mount, number, positive, seconds, wholeNumber, words } from '../options.ts';
import type { Run, Words } from '../program.ts';
import { findTaskId, findWorkerId, type Session } from '../session.ts';
import { type TaskOptions, taskRequest } from '../task-request.ts';
import { watchToEnd } from './watch.ts';

interface WaitOptions {
  readonly wait?: boolean;
  readonly exit_code?: boolean;
}

type RetryOptions = WaitOptions & { readonly idempotency_key?: string };

type SubmitOptions = TaskOptions & RetryOptions;

export function addSubmitCommands(program: Command, run: Run, words: Words): void {
  const task = withTaskOptions(program.command('task').argument('<image>', 'image to run, e.g. python:3.9'))
    .description('submit a task')
    .usage('[options] <image> [-- command words…]')
    .action(
      run((session, options: SubmitOptions, image: string) =>
        submit(session, options, taskRequest(image, options, words(), session.io.env)),
      ),
    );
  withExamples(task, [
    { line: 'task python:3.9 -name my-task -cpu_cores 2.0 -mem 4.0', what: 'memory is in GB' },
    { line: 'task python:3.9 --wait -- python -c "print(42)"', what: 'follow its output to its end' },
    { line: 'task ubuntu:latest -cmd "echo hello | rev"', what: 'a line of shell' },
    { line: 'task python:3.9 -constraint disk=ssd,nvme -prefer zone=a', what: 'where it may run, and best' },
    { line: 'task python:3.9 -mount /data/sets:/data:ro -cmd "ls /data"', what: 'a folder of the worker' },
    { line: 'task python:3.9 -file data/train.csv -env EPOCHS=10', what: 'an upload at /input, a variable' },
  ]);
  addSubmitFile(program, run);
  const dispatch = withTaskOptions(
    program
      .command('dispatch')
      .argument('<worker>', 'the only worker that may run it')
      .argument('<image>', 'image to run'),
  )
    .description('submit a task to one worker')
    .usage('[options] <worker> <image> [-- command words…]')
    .action(
      run(async (session, options: SubmitOptions, given: string, image: string) => {
        const worker = await findWorkerId(session.client, given);
        return submit(session, options, taskRequest(image, options, words(), session.io.env, worker));
      }),
    );
  withExamples(dispatch, [
    { line: 'dispatch worker-1 ubuntu:latest', what: 'waits for that worker if it has to' },
    { line: 'dispatch worker-1 ubuntu:latest --wait -- nproc', what: 'and follow its output' },
  ]);
  const retry = program
    .command('retry')
    .description('submit a new task from the spec of another')
    .argument('<task>')
    .option('--idempotency-key <key>', 'the same key again gives the same new task')
    .option('--wait', 'follow its output until it has ended; exit 1 unless it completed')
    .option('--exit-code', 'with --wait: give back the container’s own exit code')
    .action(
      run(async (session, options: RetryOptions, id: string) => {
        checkWait(options);
        const { client } = session;
        const taskId = await findTaskId(client, id);
        const idempotencyKey = options.idempotency_key ?? randomUUID();
        return report(session, options, await client.retryTask(taskId, { idempotencyKey }));
      }),
    );
  withExamples(retry, [
    { line: 'retry task-01jd8x2b9q3v5w7y8z0a1c2d3e --wait', what: 'the same again, as a new task' },
  ]);
}

function addSubmitFile(program: Command, run: Run): void {
  const command = withWaitOptions(
    program
      .command('submit')
      .description('submit many tasks from a file, YAML or JSON')
      .requiredOption(
        '-f, --file <file>',
        'a list of tasks, one task, or defaults with tasks; - is standard input',
      )
      .option('--dry-run', 'check the file and print what would be submitted; the API is not called')
      .option('--max <n>', `refuse files that make more tasks (default ${DEFAULT_MAX})`, positive)
      .option('--idempotency-key <key>', 'the same key and file again submit nothing twice')
      .option('--wait', 'wait until all have ended; exit 1 unless all completed'),
  ).action(
    run(async (session, options: SubmitFileOptions) => {
      checkSubmitOptions(options);
      // Reading files takes a parser and a schema that no other command needs.
      const { submitFile } = await import('../batch/submit-file.ts');
      return submitFile(session, options);
    }),
  );
  withExamples(command, [
    { line: 'submit -f sweep.yaml --dry-run', what: 'what it would submit' },
    { line: 'submit -f sweep.yaml --wait', what: 'exit 0 if all complete, 1 if not' },
    { line: 'submit -f tasks.json --idempotency-key nightly-0412', what: 'may be repeated after a break' },
    { line: 'submit -f - --quiet', what: 'tasks from standard input, ids to standard output' },
  ]);
}

export function withTaskOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what to call it')
    .option('--cpu_cores <n>', 'cores, e.g. 2.0 (default 1)', amount)
    .option('--mem <GB>', 'memory in GB, e.g. 4.0 (default 0.5)', amount)
    .option('--gpu_cores <n>', 'whole GPUs', wholeNumber)
    .option('--storage <GB>', 'disk in GB', amount)
    .option('-k, --k_value <k>', 'SLA multiplier: done within k times its expected run time', number)
    .option('--tag <tag>', 'group of tasks like it')
    .option(
      '--constraint <label>',
      'a label its worker must have, e.g. disk=ssd, or disk=ssd,nvme for any of these; may be given several times',
      labelTerm,
    )
    .option(
      '--prefer <label>',
      'a label that makes a worker better, e.g. zone=a; may be given several times',
      labelTerm,
    )
    .option('--priority <p>', '0 (whenever) to 9 (first); default 5', wholeNumber)
    .addOption(
      new Option('--env <NAME=VALUE...>', 'environment; NAME alone takes this shell’s value').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--secret <NAME=VALUE...>', 'the same, masked wherever it would show').argParser(collect),
    )
    .option('--file <path>', 'an upload to be read at /input/<path>; may be given several times', collect)
    .option(
      '--mount <source:target>',
      'a folder of the worker at a path of the container, with :ro behind it read-only; its runner must allow it (MOUNT_ALLOW); may be given several times',
      mount,
    )
    .option('--timeout <seconds>', 'limit of its run time', wholeNumber)
    .option('--queue-timeout <time>', 'it fails when it waits longer than that, e.g. 10m', seconds)
    .option('--retries <n>', 'how often its own failure is tried again', wholeNumber)
    .option(
      '--retry-on <reasons>',
      `after which failures, with commas: ${RETRY_REASONS.join(', ')} (default the first four)`,
      words,
    )
    .option('--retry-on-exit-codes <codes>', 'of exit codes only with these, with commas, e.g. 75,111', codes)
    .option(
      '--retry-delay <time>',
      'pause before the first retry, doubled with each, e.g. 30s (default 1s)',
      seconds,
    )
    .addOption(new Option('--network <mode>', 'network of the container').choices([...NETWORKS]))
    .addOption(new Option('--pull <policy>', 'when to pull the image').choices([...PULL_POLICIES]))
    .option('--webhook <url>', 'told when the task has ended')
    .option('--cmd <line>', 'a line of shell to run; for a program and its arguments use "--"')
    .option('--idempotency-key <key>', 'the same key again gives the same task')
    .option('--wait', 'follow its output until it has ended; exit 1 unless it completed')
    .option('--exit-code', 'with --wait: give back the container’s own exit code');
}

async function submit(session: Session, options: SubmitOptions, body: SubmitRequest): Promise<ExitCode> {
  checkWait(options);
  const idempotencyKey = options.idempotency_key ?? randomUUID();
  const task = await session.client.submitTask(body, { idempotencyKey }).catch((error) => {
    // Scripts match the names of fields.
    throw session.json ? error : inTypedWords(error);
  });
  return report(session, options, task);
}

/** Before anything is submitted. */
function checkWait({ wait, exit_code }: WaitOptions): void {
  if (exit_code && !wait) {
    throw new CliError(EXIT.usage, '"--exit-code" goes with "--wait"', 'Add --wait, or leave it out.');
  }
}

async function report(
  session: Session,
  { wait, exit_code: ownExitCode }: WaitOptions,
  task: TaskBody,
): Promise<ExitCode> {
  if (!wait) {
    await session.show({
      json: task,
      ids: [task.task_id],
      text: () => `${task.task_id} is ${task.status}.\n`,
    });
    return EXIT.ok;
  }
  // With --json the record comes at the end, so that standard output is one document.
  if (session.quiet && !session.json) await session.io.out(`${task.task_id}\n`);
  await session.remark(`${task.task_id} is ${task.status}.`);
  return watchToEnd(session, task.task_id, {
    output: !session.json && !session.quiet,
    ownExitCode,
  });
}

// The tasks of a file for a question. Loaded only where a file is given: it takes a parser and a schema.

import { readSource } from '../batch/source.ts';
import { faultsError } from '../batch/submit-file.ts';
import { DEFAULT_MAX } from '../batch/submit-options.ts';
import { planTasks } from '../batch/tasks-file.ts';
import type { CliIo } from '../io.ts';
import { type AskedTask, askedTasks } from './question.ts';

/** @throws {CliError} naming every fault of the file */
export async function readTasks(io: CliIo, path: string, times: number): Promise<AskedTask[]> {
  const source = await readSource(io, path);
  const plan = planTasks(source.text, DEFAULT_MAX);
  if (!plan.file) throw faultsError(source.name, plan.faults);
  return askedTasks(bodiesOf(plan.file.tasks()), times);
}

function* bodiesOf<Body>(tasks: Iterable<{ readonly body: Body }>): Generator<Body> {
  for (const { body } of tasks) yield body;
}

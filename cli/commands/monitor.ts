// `monitor`: one task as it happens, until it has ended. It goes on when whoever looks on leaves.

import type { Command } from 'commander';
import { withExamples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { followTask } from '../follow/follow-task.ts';
import { JsonView } from '../follow/json-view.ts';
import { PinnedView } from '../follow/pinned-view.ts';
import { PlainView } from '../follow/plain-view.ts';
import type { TaskView } from '../follow/task-view.ts';
import { exitCodeOf } from '../follow/verdict.ts';
import { amount } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';

interface MonitorOptions {
  readonly exit_code?: boolean;
  readonly patience?: number;
}

export function addMonitorCommand(program: Command, run: Run): void {
  const command = program
    .command('monitor')
    .description(
      'watch a task: state, progress, use and output, until it has ended; Ctrl-C leaves it running',
    )
    .argument('<task>')
    .option('--exit-code', 'give back the container’s own exit code')
    .option('--patience <seconds>', 'keep trying so long when the API is away (default 60)', amount)
    .action(run(monitor));
  withExamples(command, [
    {
      line: 'monitor task-01jd8x2b9q3v5w7y8z0a1c2d3e',
      what: 'watch it to its end; exit 1 unless it completed',
    },
    { line: 'monitor 2d3e --exit-code', what: 'give back what its container gave back' },
    { line: 'monitor 2d3e --json', what: 'one JSON object a line for each event' },
  ]);
}

async function monitor(session: Session, options: MonitorOptions, given: string): Promise<ExitCode> {
  const { signal } = session.io;
  const id = await findTaskId(session.client, given);
  const view = await viewFor(session, id);
  try {
    const patienceMs = options.patience === undefined ? undefined : 1_000 * options.patience;
    const task = await followTask(session, id, view, { fromFirst: true, patienceMs });
    await view.end(task);
    return exitCodeOf(task, options.exit_code ?? false);
  } catch (error) {
    await view.close();
    if (!signal.aborted) throw error;
    await session.remark(`${id} goes on. Come back with: cloudai monitor ${id}`);
    return EXIT.interrupted;
  } finally {
    await view.close();
  }
}

async function viewFor(session: Session, id: string): Promise<TaskView> {
  const { io, json, quiet } = session;
  if (json) return new JsonView(io, id);
  if (io.openScreen && !quiet) return new PinnedView(session, await io.openScreen());
  return new PlainView(session, { states: true, output: true });
}

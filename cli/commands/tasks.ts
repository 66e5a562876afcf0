// `list-tasks`, `get`, `explain`, `cancel`, `queue`: looking at tasks and stopping them.

import type { Command } from 'commander';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { QueueEntryBody, QueueReply } from '../../shared/contracts/queue.ts';
import type { TaskState } from '../../shared/model/task.ts';
import { type CancelTasksOptions, cancelTasks, isFilter } from '../batch/cancel-tasks.ts';
import { JsonStream } from '../batch/json-stream.ts';
import { PagedTable } from '../batch/paged-table.ts';
import { taskPages } from '../batch/task-pages.ts';
import { withExamples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { positive, states } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';
import { taskColumns, taskText } from '../task-view.ts';
import { explainText, forecastText, queueTable } from '../wait-view.ts';

interface ListOptions {
  readonly tag?: string;
  readonly user?: string;
  readonly limit?: number;
  readonly all?: boolean;
}

const LIST_LIMIT = 50;
const QUEUE_LIMIT = 20;
/** The API gives no more at a time. */
const QUEUE_PAGE = 500;
/** In examples. */
const EXAMPLE_ID = 'task-01k2v8x4m6n8p0q2r4s6t83e4f';

export function addTaskCommands(program: Command, run: Run): void {
  const listTasks = program
    .command('list-tasks')
    .description('list tasks, newest first')
    .argument('[state]', 'only these, e.g. running or queued,assigned', states)
    .option('--tag <tag>', 'only with this tag')
    .option('--user <user>', 'only of this user (admins)')
    .option('--limit <n>', `at most this many (default ${LIST_LIMIT})`, positive)
    .option('--all', 'without any limit')
    .action(run(list));
  withExamples(listTasks, [
    { line: 'list-tasks running', what: 'those that run now' },
    { line: 'list-tasks --tag sweep --all', what: 'all with a tag, however many' },
    { line: 'list-tasks failed --tag sweep --all --quiet', what: 'the ids of those that failed, for a pipe' },
  ]);
  const getTask = program
    .command('get')
    .alias('describe')
    .description('show all about a task')
    .argument('<task>')
    .action(run(get));
  withExamples(getTask, [
    { line: `get ${EXAMPLE_ID}`, what: 'with its attempts and what it used' },
    { line: 'get 3e4f --json', what: 'a unique end of an id will do' },
  ]);
  const explainTask = program
    .command('explain')
    .description('say why a task waits')
    .argument('<task>')
    .action(run(explain));
  withExamples(explainTask, [{ line: `explain ${EXAMPLE_ID}`, what: 'what each worker lacks for it' }]);
  const cancelCommand = program
    .command('cancel')
    .description('stop tasks, whatever their state')
    .argument('[tasks...]', 'their ids, or - for ids on standard input, one a line')
    .option('--force', 'kill them at once instead of asking them to end')
    .option('--tag <tag>', 'all own tasks with this tag that have not ended')
    .option('--state <state>', 'all own tasks in these states, e.g. queued or queued,assigned', states)
    .option('--user <user>', 'all of this user that have not ended (admins)')
    .option('--yes', 'do not ask before many are cancelled')
    .action(run(cancel));
  withExamples(cancelCommand, [
    { line: `cancel ${EXAMPLE_ID} --force`, what: 'kill it at once' },
    { line: 'cancel --tag sweep', what: 'all with a tag, after a question' },
    { line: 'cancel --tag sweep --state queued --yes', what: 'only those that wait, without one' },
  ]);
  const showQueue = program
    .command('queue')
    .description('list waiting tasks in the order of their turn, why they wait and when they should start')
    .option('--limit <n>', `at most this many (default ${QUEUE_LIMIT})`, positive)
    .action(run(queue));
  withExamples(showQueue, [
    { line: 'queue', what: 'whose turn is next' },
    { line: 'queue --limit 100', what: 'further back' },
  ]);
}

/** Each page is written as it comes: with --all there may be more tasks than memory holds. */
async function list(session: Session, options: ListOptions, status?: TaskState[]): Promise<void> {
  const { client, io } = session;
  const limit = options.all ? Number.POSITIVE_INFINITY : (options.limit ?? LIST_LIMIT);
  const filter = { status, tag: options.tag, user: options.user };
  const json = session.json ? new JsonStream((text) => io.out(text), 'tasks') : null;
  let table: PagedTable<TaskBody> | null = null;
  let next: string | null = null;
  let shown = 0;
  for await (const { tasks, next_cursor } of taskPages(client, filter, limit, io.signal)) {
    shown += tasks.length;
    next = next_cursor;
    if (json) await json.add(tasks);
    else if (session.quiet) await io.out(tasks.map(({ task_id }) => `${task_id}\n`).join(''));
    else if (tasks.length > 0) {
      table ??= pagedTaskTable(session, tasks, next_cursor !== null && shown < limit);
      await io.out(table.page(tasks));
    }
  }
  if (json) await json.end({ next_cursor: next });
  else if (shown === 0 && !session.quiet) {
    const isAny = Object.values(filter).every((wanted) => wanted === undefined);
    await io.out(isAny ? 'No tasks. Submit one: cloudai task IMAGE\n' : 'No such tasks.\n');
  }
  if (next !== null) await session.remark(`There are more: --limit ${limit * 4} or --all shows them.`);
}

function pagedTaskTable(session: Session, first: readonly TaskBody[], more: boolean): PagedTable<TaskBody> {
  const columns = taskColumns(session, first, { more });
  return new PagedTable(columns, (rows, widened) => session.table(rows, widened));
}

async function get(session: Session, _options: object, given: string): Promise<void> {
  const task = await session.client.getTask(await findTaskId(session.client, given));
  await session.show({ json: task, ids: [task.task_id], text: () => taskText(session, task) });
}

async function explain(session: Session, _options: object, given: string): Promise<void> {
  const reply = await session.client.explainTask(await findTaskId(session.client, given));
  await session.show({ json: reply, ids: [reply.task_id], text: () => explainText(session, reply) });
}

async function cancel(session: Session, options: CancelTasksOptions, given: string[]): Promise<ExitCode> {
  const [only] = given;
  if (only === undefined || only === '-' || given.length > 1 || isFilter(options)) {
    return cancelTasks(session, options, given);
  }
  const { force } = options;
  const task = await session.client.cancelTask(await findTaskId(session.client, only), { force });
  await session.show({
    json: task,
    ids: [task.task_id],
    text: () => {
      if (task.status === 'cancelled') return `${task.task_id} is cancelled.\n`;
      return task.cancel_requested && task.finished_at === null
        ? `${task.task_id} is being stopped. Wait for it: cloudai wait ${task.task_id}\n`
        : `${task.task_id} had ended before: it is ${task.status}.\n`;
    },
  });
  return EXIT.ok;
}

async function queue(session: Session, options: { limit?: number }): Promise<void> {
  const limit = options.limit ?? QUEUE_LIMIT;
  const entries: QueueEntryBody[] = [];
  let page: QueueReply;
  let cursor: string | undefined;
  do {
    const most = Math.min(QUEUE_PAGE, limit - entries.length);
    page = await session.client.queue({ limit: most, cursor }, { signal: session.io.signal });
    entries.push(...page.entries);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && entries.length < limit);
  const { total, forecasts, next_cursor } = page;
  await session.show({
    json: { total, entries, forecasts, next_cursor },
    ids: entries.map(({ task_id }) => task_id),
    text: () => {
      if (entries.length > 0) return queueTable(session, entries) + forecastText(forecasts);
      return total === 0 ? 'Nothing waits.\n' : `Nothing of yours waits; ${total} of others do.\n`;
    },
  });
  if (next_cursor !== null) await session.remark(`There are more: --limit ${limit * 4} shows them.`);
}

// `list-tasks`, `get`, `explain`, `cancel`, `queue`: looking at tasks and stopping them.

import type { Command } from 'commander';
import type { Client, TaskFilter } from '../../client/client.ts';
import type { ExplainReply, TaskBody, TaskListReply } from '../../shared/contracts/http.ts';
import type { TaskState } from '../../shared/model/task.ts';
import { withExamples } from '../examples.ts';
import { positive, states } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';
import { explainText, queueTable, taskTable, taskText } from '../task-view.ts';

interface ListOptions {
  readonly tag?: string;
  readonly user?: string;
  readonly limit?: number;
  readonly all?: boolean;
}

/** The most the API gives in one page. */
const PAGE = 1_000;
const LIST_LIMIT = 50;
const QUEUE_LIMIT = 20;
/** In examples. */
const EXAMPLE_ID = 'task-01k2v8x4m6n8p0q2r4s6t83e4f';
/** Explanations asked for at once. */
const AT_ONCE = 4;

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
    { line: 'list-tasks', what: 'the newest' },
    { line: 'list-tasks running --tag training', what: 'by state and tag' },
    { line: 'list-tasks queued,assigned --all --quiet', what: 'ids alone, for a script' },
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
  const cancelTask = program
    .command('cancel')
    .description('stop a task, whatever its state')
    .argument('<task>')
    .option('--force', 'kill it at once instead of asking it to end')
    .action(run(cancel));
  withExamples(cancelTask, [
    { line: `cancel ${EXAMPLE_ID}`, what: 'lets it end in good order' },
    { line: `cancel ${EXAMPLE_ID} --force`, what: 'at once' },
  ]);
  const showQueue = program
    .command('queue')
    .description('list waiting tasks in the order of their turn, and why they wait')
    .option('--limit <n>', `at most this many (default ${QUEUE_LIMIT})`, positive)
    .action(run(queue));
  withExamples(showQueue, [
    { line: 'queue', what: 'whose turn is next' },
    { line: 'queue --limit 100', what: 'further back' },
  ]);
}

async function list(session: Session, options: ListOptions, status?: TaskState[]): Promise<void> {
  const limit = options.all ? Number.POSITIVE_INFINITY : (options.limit ?? LIST_LIMIT);
  const filter = { status, tag: options.tag, user: options.user };
  const reply = await collectTasks(session.client, filter, limit);
  await session.show({
    json: reply,
    ids: reply.tasks.map(({ task_id }) => task_id),
    text: () =>
      reply.tasks.length === 0
        ? 'No tasks. Submit one: cloudai task IMAGE\n'
        : taskTable(session, reply.tasks),
  });
  if (reply.next_cursor !== null) {
    await session.remark(`There are more: --limit ${limit * 4} or --all shows them.`);
  }
}

/** Pages until there are `limit` tasks or no more. */
async function collectTasks(client: Client, filter: TaskFilter, limit: number): Promise<TaskListReply> {
  const tasks: TaskBody[] = [];
  let cursor: string | null = null;
  do {
    const page: TaskListReply = await client.listTasks({
      ...filter,
      limit: Math.min(PAGE, limit - tasks.length),
      cursor: cursor ?? undefined,
    });
    tasks.push(...page.tasks);
    cursor = page.next_cursor;
  } while (cursor !== null && tasks.length < limit);
  return { tasks, next_cursor: cursor };
}

async function get(session: Session, _options: object, given: string): Promise<void> {
  const task = await session.client.getTask(await findTaskId(session.client, given));
  await session.show({ json: task, ids: [task.task_id], text: () => taskText(session, task) });
}

async function explain(session: Session, _options: object, given: string): Promise<void> {
  const reply = await session.client.explainTask(await findTaskId(session.client, given));
  await session.show({ json: reply, ids: [reply.task_id], text: () => explainText(session, reply) });
}

async function cancel(session: Session, { force }: { force?: boolean }, given: string): Promise<void> {
  const task = await session.client.cancelTask(await findTaskId(session.client, given), { force });
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
}

export interface Waiting {
  readonly task: TaskBody;
  readonly explain: ExplainReply;
}

async function queue(session: Session, options: { limit?: number }): Promise<void> {
  const limit = options.limit ?? QUEUE_LIMIT;
  const { client } = session;
  const { tasks, next_cursor } = await collectTasks(client, { status: ['queued'] }, PAGE);
  // Nearly the order of turns, to pick whom to ask about; the cluster's own place then decides.
  const picked = tasks
    .sort((a, b) => b.priority - a.priority || a.queued_at.localeCompare(b.queued_at))
    .slice(0, limit);
  const waiting = await inTurns(picked, async (task) => ({
    task,
    explain: await client.explainTask(task.task_id),
  }));
  const shown = waiting
    .filter(({ explain: { status } }) => status === 'queued')
    .sort((a, b) => (a.explain.position ?? Infinity) - (b.explain.position ?? Infinity));
  const more = tasks.length - picked.length;
  await session.show({
    json: { queue: shown, more: next_cursor === null ? more : null },
    ids: shown.map(({ task }) => task.task_id),
    text: () => (shown.length === 0 ? 'Nothing waits.\n' : queueTable(session, shown)),
  });
  if (more > 0)
    await session.remark(`and ${more}${next_cursor === null ? '' : ' or more'} further; --limit shows them.`);
}

async function inTurns<A, B>(all: readonly A[], ask: (one: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(ask))));
  }
  return results;
}

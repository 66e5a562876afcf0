// /api/tasks: submit, list, look, cancel, retry, explain. Translates between the wire and the services only.

import type { Plugin, Request, ResponseToolkit, Server } from '@hapi/hapi';
import { explainReply } from '../../shared/contracts/cluster.ts';
import {
  type BatchReply,
  type SubmitBody,
  type TaskStatesReply,
  type TaskStatesRequest,
  taskBody,
  taskDetailBody,
  taskSpec,
  taskStateBody,
} from '../../shared/contracts/http.ts';
import { explainReplySchema } from '../../shared/contracts/queue-reply-schemas.ts';
import {
  batchSchema,
  cancelManySchema,
  cancelSchema,
  idempotencyKeySchema,
  submitSchema,
  type TaskListQuery,
  taskIdParams,
  taskListSchema,
  taskStatesSchema,
} from '../../shared/contracts/schemas.ts';
import {
  type CancelManyBody,
  type CancelManyReply,
  cancelledTaskBody,
  taskSummaryBody,
} from '../../shared/contracts/task-lists.ts';
import {
  batchReplySchema,
  cancelManyReplySchema,
  taskListReplySchema,
  taskReplySchema,
  taskStatesReplySchema,
} from '../../shared/contracts/task-reply-schemas.ts';
import type { RunLearner } from '../../shared/learning/run-learner.ts';
import { documented } from '../openapi/call-doc.ts';
import type { AuditTrail, Told } from '../services/audit-trail.ts';
import type { TaskExplanations } from '../services/explanations.ts';
import type { RequestLimits } from '../services/request-limits.ts';
import { onlyTask, type Submission, type Submissions } from '../services/submission.ts';
import { type TaskRecords, wantedOf } from '../services/task-records.ts';
import { acceptIdempotencyKey, bodyOf, checked, idOf, queryOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { principalOf } from './auth.ts';
import { ONLY_READS } from './rate-limits.ts';
import { traceOf } from './tracing.ts';

export interface TasksOptions {
  readonly submissions: Submissions;
  readonly records: TaskRecords;
  readonly explanations: TaskExplanations;
  readonly learner: RunLearner;
  readonly requestLimits: RequestLimits;
  readonly trail: AuditTrail;
  /** Of ended tasks; 0: for ever. */
  readonly retentionMs: number;
}

const IDEMPOTENT = {
  'Idempotency-Key': {
    description:
      'Names this submission: sent again with the same body it answers with what it made the first time; with another one 409.',
    schema: idempotencyKeySchema,
  },
};
const REPLAYED = { 'Idempotent-Replay': { description: '`true` when it had been made by an earlier call.' } };

/** The largest legal task (command and environment of 128 KB each, 1,000 paths), with room for JSON's escapes. */
const SUBMIT_MAX_BYTES = 2 * 1_048_576;
const BATCH_MAX_BYTES = 20 * 1_048_576;

export const tasksPlugin: Plugin<TasksOptions> = {
  name: 'tasks',
  register: (server: Server, options: TasksOptions) => {
    const { submissions, records, explanations, learner, retentionMs, requestLimits, trail } = options;
    const cancel = (request: Request, force: boolean) => {
      const id = idOf(request);
      return trail.note(
        originOf(request),
        { action: 'task.cancel', target: id, details: forceDetail(force) },
        () => records.cancel(principalOf(request), id, force),
      );
    };

    server.route({
      method: 'POST',
      path: '/api/tasks',
      options: {
        ...documented({
          id: 'submitTask',
          tag: 'tasks',
          summary: 'Submits a task.',
          notes: 'Only `docker_image` is required. All faults of a body are named at once.',
          headers: IDEMPOTENT,
          replies: {
            201: {
              content: { 'application/json': taskReplySchema },
              headers: { Location: { description: 'Of the task.' }, ...REPLAYED },
            },
          },
          refusals: [403, 409],
        }),
        payload: { maxBytes: SUBMIT_MAX_BYTES },
        validate: checked({ payload: submitSchema }),
      },
      handler: async (request, h) => {
        const spec = { ...taskSpec(bodyOf<SubmitBody>(request)), ...traceOf(request) };
        const key = idempotencyKey(request.headers['idempotency-key']);
        const submission = await trail.note(
          originOf(request),
          { action: 'task.submit' },
          () => submissions.submit(principalOf(request), spec, key),
          toldOfOne,
        );
        return single(submission, h);
      },
    });

    server.route({
      method: 'POST',
      path: '/api/tasks/batch',
      options: {
        ...documented({
          id: 'submitTasks',
          tag: 'tasks',
          summary: 'Submits up to 1,000 tasks, all or none.',
          headers: IDEMPOTENT,
          replies: { 201: { content: { 'application/json': batchReplySchema }, headers: REPLAYED } },
          refusals: [403, 409],
        }),
        payload: { maxBytes: BATCH_MAX_BYTES },
        validate: checked({ payload: batchSchema }),
      },
      handler: async (request, h) => {
        const { tasks } = bodyOf<{ tasks: SubmitBody[] }>(request);
        const specs = tasks.map((task) => ({ ...taskSpec(task), ...traceOf(request) }));
        const key = idempotencyKey(request.headers['idempotency-key']);
        const by = principalOf(request);
        requestLimits.chargeFor(specs.length, by.userId);
        const submission = await trail.note(
          originOf(request),
          { action: 'task.submit', details: { tasks: specs.length } },
          () => submissions.submitBatch(by, specs, key),
          toldOfBatch,
        );
        const reply: BatchReply = { tasks: submission.tasks.map(taskBody) };
        return marked(h.response(reply).code(201), submission);
      },
    });

    // How far up to 1,000 tasks are: whoever waits for many asks this, not each of them. Long lists of ids do not fit
    // into an address, hence POST.
    server.route({
      method: 'POST',
      path: '/api/tasks/states',
      options: {
        ...documented({
          id: 'getTaskStates',
          tag: 'tasks',
          summary: 'How far up to 1,000 tasks are.',
          replies: { 200: taskStatesReplySchema },
        }),
        ...ONLY_READS,
        validate: checked({ payload: taskStatesSchema }),
      },
      handler: async (request): Promise<TaskStatesReply> => {
        const ids = bodyOf<TaskStatesRequest>(request).task_ids;
        const tasks = await records.getMany(principalOf(request), ids);
        const found = new Set(tasks.map(({ id }) => id));
        return {
          tasks: tasks.map(taskStateBody),
          unknown: [...new Set(ids)].filter((id) => !found.has(id)),
        };
      },
    });

    server.route({
      method: 'GET',
      path: '/api/tasks',
      options: {
        ...documented({
          id: 'listTasks',
          tag: 'tasks',
          summary: 'Own tasks, an admin’s all, newest first.',
          notes:
            '`status` takes several states with commas between them. With `view=summary` rows are short.',
          replies: { 200: taskListReplySchema },
        }),
        validate: checked({ query: taskListSchema }),
      },
      handler: async (request) => {
        const query = queryOf<TaskListQuery>(request);
        const by = principalOf(request);
        const wanted = wantedOf(query);
        if (query.view === 'summary') {
          const { tasks, next } = await records.summaries(by, wanted);
          return { tasks: tasks.map(taskSummaryBody), next_cursor: next };
        }
        const { tasks, next } = await records.list(by, wanted);
        return { tasks: tasks.map(taskBody), next_cursor: next };
      },
    });

    // Up to 1,000 at once, each for itself: to say it again does no harm.
    server.route({
      method: 'POST',
      path: '/api/tasks/cancel',
      options: {
        ...documented({
          id: 'cancelTasks',
          tag: 'tasks',
          summary: 'Asks up to 1,000 tasks to stop, each for itself.',
          replies: { 202: cancelManyReplySchema },
        }),
        validate: checked({ payload: cancelManySchema }),
      },
      handler: async (request, h) => {
        const { task_ids: ids, force } = bodyOf<CancelManyBody>(request);
        const by = principalOf(request);
        requestLimits.chargeFor(ids.length, by.userId);
        const { tasks, unknown } = await trail.note(
          originOf(request),
          { action: 'task.cancel', details: forceDetail(force) },
          () => records.cancelMany(by, ids, force),
          // Those that had ended were not changed.
          (done) => ({ targets: done.tasks.filter(({ cancel }) => cancel !== null).map(({ id }) => id) }),
        );
        const reply: CancelManyReply = { tasks: tasks.map(cancelledTaskBody), unknown };
        return h.response(reply).code(202);
      },
    });

    server.route({
      method: 'GET',
      path: '/api/tasks/{id}',
      options: {
        ...documented({
          id: 'getTask',
          tag: 'tasks',
          summary: 'The whole record with its attempts and its timeline.',
          replies: { 200: taskReplySchema },
          refusals: [404],
        }),
        validate: checked({ params: taskIdParams }),
      },
      handler: async (request) => {
        const task = await records.get(principalOf(request), idOf(request));
        return taskDetailBody(task, learner.slaOf(task), retentionMs);
      },
    });

    server.route({
      method: 'POST',
      path: '/api/tasks/{id}/cancel',
      options: {
        ...documented({
          id: 'cancelTask',
          tag: 'tasks',
          summary: 'Asks a task to stop; with `force` at once.',
          notes: 'The body may be left out.',
          replies: { 202: taskReplySchema },
          refusals: [404, 409],
        }),
        validate: checked({ params: taskIdParams, payload: cancelSchema }),
      },
      handler: async (request, h) => {
        const force = bodyOf<{ force: boolean } | null>(request)?.force ?? false;
        const task = await cancel(request, force);
        return h.response(taskBody(task)).code(202);
      },
    });

    server.route({
      method: 'DELETE',
      path: '/api/tasks/{id}',
      options: {
        ...documented({
          id: 'deleteTask',
          tag: 'tasks',
          summary: 'Asks a task to stop, as `cancel` does without force.',
          replies: { 202: taskReplySchema },
          refusals: [404, 409],
        }),
        validate: checked({ params: taskIdParams }),
      },
      handler: async (request, h) => {
        const task = await cancel(request, false);
        return h.response(taskBody(task)).code(202);
      },
    });

    server.route({
      method: 'POST',
      path: '/api/tasks/{id}/retry',
      options: {
        ...documented({
          id: 'retryTask',
          tag: 'tasks',
          summary: 'A new task from the same spec.',
          headers: IDEMPOTENT,
          replies: {
            201: {
              content: { 'application/json': taskReplySchema },
              headers: { Location: { description: 'Of the task.' }, ...REPLAYED },
            },
          },
          refusals: [403, 404, 409],
        }),
        validate: checked({ params: taskIdParams }),
      },
      handler: async (request, h) => {
        const key = idempotencyKey(request.headers['idempotency-key']);
        const id = idOf(request);
        const submission = await trail.note(
          originOf(request),
          { action: 'task.retry', target: id },
          () => submissions.retry(principalOf(request), id, key, traceOf(request)),
          ({ tasks, replayed }) => ({ details: { new_task: tasks[0]?.id, ...replayDetail(replayed) } }),
        );
        return single(submission, h);
      },
    });

    server.route({
      method: 'GET',
      path: '/api/tasks/{id}/explain',
      options: {
        ...documented({
          id: 'explainTask',
          tag: 'tasks',
          summary: 'Why it waits, worker by worker.',
          replies: { 200: explainReplySchema },
          refusals: [404],
        }),
        validate: checked({ params: taskIdParams }),
      },
      handler: async (request) => {
        const told = await explanations.explain(principalOf(request), idOf(request));
        return explainReply(told.task, told.explanation, told.estimate);
      },
    });
  },
};

export function toldOfOne({ tasks, replayed }: Submission): Told {
  return { targets: tasks.map(({ id }) => id), details: replayDetail(replayed) };
}

/** One entry for all of them: the record of each tells whose it is. */
function toldOfBatch({ tasks, replayed }: Submission): Told {
  return {
    targets: tasks.slice(0, 1).map(({ id }) => id),
    details: { tasks: tasks.length, last_task: tasks.at(-1)?.id, ...replayDetail(replayed) },
  };
}

function replayDetail(replayed: boolean): { replayed?: true } {
  return replayed ? { replayed: true } : {};
}

export function forceDetail(force: boolean): { force?: true } {
  return force ? { force: true } : {};
}

interface Headed {
  header(name: string, value: string): unknown;
}

function single(submission: Submission, h: ResponseToolkit) {
  const task = onlyTask(submission);
  return marked(h.response(taskBody(task)).code(201).header('location', `/api/tasks/${task.id}`), submission);
}

function marked<T extends Headed>(response: T, { replayed }: Submission): T {
  if (replayed) response.header('idempotent-replay', 'true');
  return response;
}

function idempotencyKey(header: unknown): string | null {
  return acceptIdempotencyKey(header, 'Idempotency-Key', 'header');
}

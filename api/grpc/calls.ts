// The calls with one answer. Translates between the wire and the services only.

import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { workerBodies } from '../../shared/contracts/cluster.ts';
import {
  type ListTasksMessage,
  listQueryOf,
  type SubmitTaskMessage,
  submitBodyOf,
  taskMessage,
} from '../../shared/contracts/grpc.ts';
import { cancelTaskMessageSchema, taskIdMessageSchema } from '../../shared/contracts/grpc-schemas.ts';
import { taskBody, taskDetailBody, taskSpec } from '../../shared/contracts/http.ts';
import { submitSchema, taskListSchema } from '../../shared/contracts/schemas.ts';
import type { RunLearner } from '../../shared/learning/run-learner.ts';
import { forceDetail, toldOfOne } from '../plugins/tasks.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import type { BodyRoom } from '../services/body-room.ts';
import type { ClusterView } from '../services/cluster-view.ts';
import { answerWithin } from '../services/deadline.ts';
import { onlyTask, type Submissions } from '../services/submission.ts';
import { type TaskRecords, wantedOf } from '../services/task-records.ts';
import { acceptIdempotencyKey, acceptor } from '../validation.ts';
import type { Admissions } from './admission.ts';
import { type Caller, originOf, principalOf, traceOf } from './caller.ts';
import type { Contract } from './contract.ts';

export interface CallParts {
  readonly contract: Contract;
  readonly admissions: Admissions;
  readonly submissions: Submissions;
  readonly records: TaskRecords;
  readonly learner: Pick<RunLearner, 'slaOf'>;
  readonly view: ClusterView;
  readonly bodyRoom: BodyRoom;
  readonly trail: AuditTrail;
  /** Of ended tasks; 0: for ever. */
  readonly retentionMs: number;
}

/** As with REST: whoever waits longer has given up. */
const ANSWER_DEADLINE_MS = 30_000;
/** A common request is smaller, and takes no room. */
const LARGE_CHARS = 64 * 1_024;

type Handler<Request> = (request: Request, caller: Caller) => Promise<object>;

export function createCalls(parts: CallParts) {
  const { submissions, records, learner, view, bodyRoom, trail, retentionMs } = parts;
  const acceptSubmit = acceptor(submitSchema.label('the request'));
  const acceptList = acceptor(taskListSchema.label('the request'), 'as_text');
  const acceptTaskId = acceptor(taskIdMessageSchema);
  const acceptCancel = acceptor(cancelTaskMessageSchema);

  const submitTask: Handler<SubmitTaskMessage> = async (message, caller) => {
    const principal = principalOf(caller);
    const size = sizeOf(message);
    const give = size > LARGE_CHARS ? bodyRoom.take(principal.userId, size) : () => undefined;
    try {
      const spec = { ...taskSpec(acceptSubmit(submitBodyOf(message))), ...traceOf(caller) };
      const key = acceptIdempotencyKey(message.idempotency_key, 'idempotency_key', 'field');
      const submission = await trail.note(
        originOf(caller),
        { action: 'task.submit' },
        () => submissions.submit(principal, spec, key),
        toldOfOne,
      );
      const task = onlyTask(submission);
      caller.about(task.id);
      return { task: taskMessage(taskBody(task)), replayed: submission.replayed };
    } finally {
      give();
    }
  };

  const getTask: Handler<object> = async (message, caller) => {
    const { task_id: id } = acceptTaskId(message);
    caller.about(id);
    const task = await records.get(principalOf(caller), id);
    return taskMessage(taskDetailBody(task, learner.slaOf(task), retentionMs));
  };

  const listTasks: Handler<ListTasksMessage> = async (message, caller) => {
    const query = acceptList(listQueryOf(message));
    const { tasks, next } = await records.list(principalOf(caller), wantedOf(query));
    return { tasks: tasks.map((task) => taskMessage(taskBody(task))), next_cursor: next };
  };

  const cancelTask: Handler<object> = async (message, caller) => {
    const { task_id: id, force } = acceptCancel(message);
    caller.about(id);
    const task = await trail.note(
      originOf(caller),
      { action: 'task.cancel', target: id, details: forceDetail(force) },
      () => records.cancel(principalOf(caller), id, force),
    );
    return taskMessage(taskBody(task));
  };

  const listWorkers: Handler<object> = async () => ({ workers: workerBodies(await view.snapshot()) });

  return {
    SubmitTask: unary(parts, 'SubmitTaskResponse', submitTask),
    GetTask: unary(parts, 'Task', getTask),
    ListTasks: unary(parts, 'ListTasksResponse', listTasks),
    CancelTask: unary(parts, 'Task', cancelTask),
    ListWorkers: unary(parts, 'ListWorkersResponse', listWorkers),
  };
}

function unary<Request>(
  parts: CallParts,
  reply: string,
  handle: Handler<Request>,
): handleUnaryCall<Request, Buffer> {
  const encode = parts.contract.encoder(reply);
  return (call: ServerUnaryCall<Request, Buffer>, answer) => {
    const caller = parts.admissions.callerOf(call.metadata);
    answerWithin(handle(call.request, caller), ANSWER_DEADLINE_MS, 'what was asked for').then(
      (body) => answer(null, encode(body)),
      (error: unknown) => answer(caller.refusal(error)),
    );
  };
}

/** Characters of what may be long in it. */
function sizeOf({
  command = '',
  command_words: { words = [] } = {},
  env = {},
  files = [],
}: SubmitTaskMessage) {
  const texts = [command, ...words, ...Object.values(env), ...files];
  return texts.reduce((sum, text) => sum + text.length, 0);
}

// Tasks as people read them in a terminal. No calls here.

import { age, amounts, byteSize, chosenTime, duration, runTime, trim } from '../client/words.ts';
import type { AttemptBody, TaskBody } from '../shared/contracts/http.ts';
import type { LabelTermsBody } from '../shared/contracts/labels.ts';
import { type MountBody, mountText } from '../shared/contracts/mounts.ts';
import type { TimelineEntryBody } from '../shared/contracts/usage.ts';
import { typedLabels } from './labels.ts';
import type { Session } from './session.ts';
import { type Column, plain } from './table.ts';
import { attemptUsageText } from './usage-view.ts';
import { paintState, shortReason } from './words.ts';

/** Those in which the tasks have something to say; all of them where others are to follow. */
export function taskColumns(
  session: Session,
  tasks: readonly TaskBody[],
  { more = false }: { readonly more?: boolean } = {},
): Column<TaskBody>[] {
  const now = session.io.now();
  const several = (of: (task: TaskBody) => string) => more || new Set(tasks.map(of)).size > 1;
  const some = (of: (task: TaskBody) => string) => more || tasks.some((task) => of(task) !== '');
  const took = (task: TaskBody) => {
    const ms = runTime(task, now);
    return ms === null ? '' : duration(ms);
  };
  return [
    { title: 'TASK', cell: ({ task_id }) => task_id },
    {
      title: 'STATE',
      cell: ({ status }) => status,
      paint: (text, { status }) => paintState(status, session.io.color)(text),
    },
    ...(some(shortReason) ? [{ title: 'WHY', cell: shortReason, min: 6, dispensable: 3 }] : []),
    ...(some(({ name }) => name)
      ? [{ title: 'NAME', cell: ({ name }: TaskBody) => name, min: 6, dispensable: 2 }]
      : []),
    { title: 'IMAGE', cell: ({ docker_image }) => docker_image, min: 8 },
    ...(several(({ user }) => user)
      ? [{ title: 'USER', cell: ({ user }: TaskBody) => user, min: 6, dispensable: 4 }]
      : []),
    ...(some(({ tag }) => tag)
      ? [{ title: 'TAG', cell: ({ tag }: TaskBody) => tag, min: 5, dispensable: 5 }]
      : []),
    { title: 'WORKER', cell: ({ worker_id }) => worker_id ?? '', min: 8, dispensable: 6 },
    { title: 'RAN', cell: took, align: 'right', dispensable: 7 },
    { title: 'AGE', cell: ({ submitted_at }) => age(submitted_at, now), align: 'right', dispensable: 1 },
  ];
}

export function taskText(session: Session, task: TaskBody): string {
  const now = session.io.now();
  const paint = paintState(task.status, session.io.color);
  const ms = runTime(task, now);
  const facts: [string, string | null][] = [
    ['task', task.task_id],
    ['name', task.name || null],
    ['state', paint(task.status) + (task.cancel_requested && !task.finished_at ? ' (cancel requested)' : '')],
    ['why', task.message],
    ['image', task.docker_image],
    ['command', commandText(task.command)],
    [
      'needs',
      amounts({
        cpu: task.cpu_required,
        memory: task.memory_required,
        gpu: task.gpu_required,
        storage: task.storage_required,
      }),
    ],
    ['user', task.user],
    ['tag', task.tag || null],
    ['priority', String(task.priority)],
    ['k', String(task.k_value)],
    ['only on', task.worker || null],
    ['only with', labelsText(task.constraints)],
    ['better with', labelsText(task.prefer)],
    ['mounts', mountsText(task.mounts)],
    ['worker', task.worker_id],
    ['network', task.network],
    ['pull', task.pull_policy],
    ['time limit', task.timeout_seconds > 0 ? chosenTime(task.timeout_seconds) : null],
    ['wait limit', task.queue_timeout_seconds > 0 ? chosenTime(task.queue_timeout_seconds) : null],
    ['retries', task.max_retries > 0 ? retriesText(task) : null],
    ['losses', task.losses > 0 ? `${task.losses} of at most ${task.max_losses}, at no cost` : null],
    ['env', envText(task)],
    ['submitted', `${task.submitted_at} (${age(task.submitted_at, now)} ago)`],
    ['not before', task.status === 'queued' ? task.not_before : null],
    ['given up', task.expires_at && `${task.expires_at}, unless it is placed before`],
    ['started', task.started_at],
    ['ended', task.finished_at],
    ['ran', ms === null ? null : duration(ms)],
    ...reportFacts(task, now),
  ];
  const body = facts
    .filter((fact): fact is [string, string] => fact[1] !== null)
    // The state alone carries colour; all else may hold what a user or a program wrote.
    .map(([name, value]) => `${name.padEnd(11)} ${name === 'state' ? value : plain(value)}\n`)
    .join('');
  return [
    body,
    ...(task.attempts.length === 0 ? [] : [attemptTable(session, task.attempts)]),
    ...(task.timeline ? [timelineTable(session, task.timeline)] : []),
  ].join('\n');
}

/** What the last attempt tells beside its outcome. */
function reportFacts({ attempts }: TaskBody, now: number): [string, string | null][] {
  const last = attempts.at(-1);
  if (!last) return [];
  const { progress, usage, outputs, hint } = last;
  const files =
    outputs && `${outputs.files} ${outputs.files === 1 ? 'file' : 'files'}, ${byteSize(outputs.bytes)}`;
  return [
    ['progress', progress && `${trim(progress.percent)}% ${progress.message} (${age(progress.at, now)} ago)`],
    ['used', usage && attemptUsageText(usage)],
    ['outputs', outputs && (outputs.note === null ? files : `${files}; ${outputs.note}`)],
    ['hint', hint],
  ];
}

function timelineTable(session: Session, entries: readonly TimelineEntryBody[]): string {
  return session.table<TimelineEntryBody>(entries, [
    { title: 'WHEN', cell: ({ at }) => at },
    {
      title: 'WHAT',
      cell: ({ state }) => state,
      paint: (text, { state }) => paintState(state, session.io.color)(text),
    },
    { title: 'ATTEMPT', cell: ({ attempt }) => String(attempt), align: 'right', dispensable: 1 },
    { title: 'WORKER', cell: ({ worker_id }) => worker_id ?? '', min: 8, dispensable: 2 },
    { title: 'WHY', cell: ({ message }) => message ?? '', min: 10 },
  ]);
}

function attemptTable(session: Session, attempts: readonly AttemptBody[]): string {
  const now = session.io.now();
  const span = (from: string | null, to: string | null) =>
    from === null ? '' : duration((to === null ? now : Date.parse(to)) - Date.parse(from));
  return session.table<AttemptBody>(attempts, [
    { title: 'ATTEMPT', cell: ({ attempt }) => String(attempt), align: 'right' },
    {
      title: 'STATE',
      cell: ({ state }) => state,
      paint: (text, { state }) => paintState(state, session.io.color)(text),
    },
    { title: 'WORKER', cell: ({ worker_id }) => worker_id, min: 8 },
    { title: 'RAN', cell: ({ started_at, finished_at }) => span(started_at, finished_at), align: 'right' },
    { title: 'EXIT', cell: ({ exit_code }) => (exit_code === null ? '' : String(exit_code)), align: 'right' },
    ...(attempts.some(({ gpu_ids }) => gpu_ids.length > 0)
      ? [{ title: 'GPUS', cell: ({ gpu_ids }: AttemptBody) => gpu_ids.join(' '), min: 4 }]
      : []),
    { title: 'WHY', cell: attemptReason, min: 10 },
  ]);
}

/** Of one that is to leave its worker, why, until it has. */
function attemptReason({ message, reason, eviction }: AttemptBody): string {
  return message ?? reason ?? eviction?.message ?? '';
}

/** An API of an earlier release has none. */
function labelsText(terms: LabelTermsBody | undefined): string | null {
  return terms === undefined ? null : typedLabels(terms) || null;
}

/** An API of an earlier release knows of none. */
function mountsText(mounts: readonly MountBody[] | undefined): string | null {
  return mounts?.map(mountText).join(' ') || null;
}

/** `1 of 3 spent, on exit_code (75), oom_killed; pause before the first 30s`; an API of an earlier release says less. */
function retriesText(task: TaskBody): string {
  const { max_retries, failures = 0, retry_on, retry_on_exit_codes, retry_delay_seconds } = task;
  if (retry_on === undefined) return String(max_retries);
  const reasons = retry_on.map((reason) =>
    reason === 'exit_code' && retry_on_exit_codes.length > 0
      ? `${reason} (${retry_on_exit_codes.join(', ')})`
      : reason,
  );
  return `${failures} of ${max_retries} spent, on ${reasons.join(', ')}; pause before the first ${chosenTime(retry_delay_seconds)}`;
}

function commandText(command: TaskBody['command']): string {
  if (command === null) return 'the image’s own';
  return typeof command === 'string' ? command : command.map((word) => JSON.stringify(word)).join(' ');
}

function envText({ env }: TaskBody): string | null {
  const entries = Object.entries(env);
  return entries.length === 0 ? null : entries.map(([name, value]) => `${name}=${value}`).join(' ');
}

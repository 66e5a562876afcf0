// Tasks as people read them in a terminal. No calls here.

import { entryNeeds, startBand, startsIn } from '../client/queue-words.ts';
import { age, amounts, byteSize, duration, megabytes, runTime, trim } from '../client/words.ts';
import type { AttemptBody, TaskBody } from '../shared/contracts/http.ts';
import { type LabelTermsBody, labelTerms } from '../shared/contracts/labels.ts';
import type { QueueEntryBody, StartEstimateBody } from '../shared/contracts/queue.ts';
import type { TimelineEntryBody } from '../shared/contracts/usage.ts';
import type { ExplainReply, ShortfallBody, WorkerVerdictBody } from '../shared/contracts/workers.ts';
import { describeTerms } from '../shared/model/labels.ts';
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
    ['only with', termsText(task.constraints)],
    ['better with', termsText(task.prefer)],
    ['worker', task.worker_id],
    ['network', task.network],
    ['pull', task.pull_policy],
    ['time limit', task.timeout_seconds > 0 ? `${task.timeout_seconds} s` : null],
    ['retries', task.max_retries > 0 ? String(task.max_retries) : null],
    ['env', envText(task)],
    ['submitted', `${task.submitted_at} (${age(task.submitted_at, now)} ago)`],
    ['not before', task.not_before],
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

export function explainText(session: Session, reply: ExplainReply): string {
  const lines = [plain(reply.summary)];
  if (reply.position !== null) lines.push(`Place in the queue: ${reply.position}`);
  // An API of an earlier release has no estimates.
  if (reply.estimate) lines.push(`Should start ${startText(reply.estimate, session.io.now())}`);
  const quota = quotaText(reply);
  if (quota !== null) lines.push(quota);
  const head = `${lines.join('\n')}\n`;
  if (reply.workers.length === 0) return head;
  return `${head}\n${session.table<WorkerVerdictBody>(reply.workers, [
    { title: 'WORKER', cell: ({ worker_id }) => worker_id, min: 8 },
    {
      title: 'STATE',
      cell: ({ state }) => state,
      paint: (text, { state }) => paintState(state, session.io.color)(text),
    },
    { title: 'FITS NOW', cell: ({ fits_now }) => (fits_now ? 'yes' : 'no') },
    { title: 'WHEN EMPTY', cell: ({ fits_when_empty }) => (fits_when_empty ? 'yes' : 'no'), dispensable: 1 },
    { title: 'MISSING', cell: missingText, min: 12 },
  ])}`;
}

function startText(estimate: StartEstimateBody, now: number): string {
  const band = startBand(estimate, now);
  return `${startsIn(estimate, now)}${band === null ? '' : ` (${band})`}`;
}

const EXCLUDED: Readonly<Record<NonNullable<WorkerVerdictBody['excluded_by']>, string>> = {
  down: 'it is down',
  cordoned: 'it is cordoned',
  draining: 'it is draining',
  other_worker_requested: 'another worker was asked for',
  labels: 'its labels do not match',
  reserved: 'it is kept free for other tasks',
};

function missingText(verdict: WorkerVerdictBody): string {
  const { excluded_by, missing } = verdict;
  const parts = missing.map(({ dimension, required, available }) => {
    const size = (value: number) => sizeText(dimension, value);
    return `${nameOf(dimension)}: needs ${size(required)}, ${size(Math.max(0, available))} free`;
  });
  const labels = labelsText(verdict);
  return [...(excluded_by ? [labels ?? EXCLUDED[excluded_by]] : []), ...parts].join('; ');
}

/** `has disk=hdd, needs disk=ssd`. */
function labelsText({ excluded_by, unmet_labels }: WorkerVerdictBody): string | null {
  if (excluded_by !== 'labels' || !unmet_labels?.length) return null;
  return unmet_labels
    .map(({ name, needs, has }) =>
      [has === null ? `has no ${name}` : `has ${name}=${has}`, `needs ${name}=${needs.join('|')}`].join(', '),
    )
    .join('; ');
}

/** `Quota: 4 of 4 cores held, 8 GB of 16 GB memory held`; null without one. */
function quotaText({ quota }: ExplainReply): string | null {
  // An API of an earlier release does not say.
  if (!quota?.length) return null;
  const parts = quota.map(
    ({ dimension, held, limit }) =>
      `${sizeText(dimension, held)} of ${sizeText(dimension, limit)} ${nameOf(dimension)}`,
  );
  return `Held of the quota: ${parts.join(', ')}`;
}

function sizeText(dimension: ShortfallBody['dimension'], value: number): string {
  return dimension === 'memory' || dimension === 'storage' ? megabytes(value) : trim(value, 2);
}

function nameOf(dimension: ShortfallBody['dimension']): string {
  return dimension === 'cpu' ? 'cores' : dimension === 'gpu' ? 'GPUs' : dimension;
}

export function queueTable(session: Session, entries: readonly QueueEntryBody[]): string {
  const now = session.io.now();
  return session.table(entries, [
    { title: '#', cell: ({ position }) => String(position), align: 'right' },
    { title: 'TASK', cell: ({ task_id }) => task_id },
    { title: 'NAME', cell: ({ name }) => name, min: 6, dispensable: 5 },
    { title: 'PRIO', cell: ({ priority }) => String(priority), align: 'right', dispensable: 4 },
    { title: 'USER', cell: ({ user }) => user, min: 6, dispensable: 3 },
    { title: 'NEEDS', cell: entryNeeds, min: 8, dispensable: 2 },
    { title: 'WAITS', cell: ({ queued_at }) => age(queued_at, now), align: 'right', dispensable: 1 },
    { title: 'STARTS', cell: ({ estimate }) => startsIn(estimate, now), align: 'right' },
    { title: 'WHY', cell: ({ summary }) => summary, min: 20 },
  ]);
}

/** Of one that is to leave its worker, why, until it has. */
function attemptReason({ message, reason, eviction }: AttemptBody): string {
  return message ?? reason ?? eviction?.message ?? '';
}

/** An API of an earlier release has none. */
function termsText(terms: LabelTermsBody | undefined): string | null {
  return terms === undefined ? null : describeTerms(labelTerms(terms)) || null;
}

function commandText(command: TaskBody['command']): string {
  if (command === null) return 'the image’s own';
  return typeof command === 'string' ? command : command.map((word) => JSON.stringify(word)).join(' ');
}

function envText({ env }: TaskBody): string | null {
  const entries = Object.entries(env);
  return entries.length === 0 ? null : entries.map(([name, value]) => `${name}=${value}`).join(' ');
}

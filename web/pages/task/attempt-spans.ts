// What a task did with its time: it waited, was prepared (image, files), ran; attempt by attempt. Pure. Times are
// milliseconds since the epoch, by the clocks of several machines: a span never ends before it begins.

import type { AttemptBody, TaskBody } from '../../../shared/contracts/http.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';

export type SpanKind = 'waited' | 'prepared' | 'ran';

export interface Span {
  readonly kind: SpanKind;
  readonly from: number;
  readonly to: number;
  /** It still goes on. */
  readonly isOpen: boolean;
}

export interface AttemptSpans {
  readonly attempt: number;
  /** Null while it waits for a worker. */
  readonly body: AttemptBody | null;
  /** One after the other. */
  readonly spans: readonly Span[];
}

export interface TaskSpans {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly AttemptSpans[];
}

type Spanned = Pick<
  TaskBody,
  'status' | 'attempt' | 'attempts' | 'submitted_at' | 'queued_at' | 'finished_at'
>;

export function taskSpans(task: Spanned, now: number): TaskSpans {
  const from = Date.parse(task.submitted_at);
  const rows: AttemptSpans[] = [];
  let since = from;
  for (const body of task.attempts) {
    const { attempt, assigned_at, started_at, finished_at } = body;
    const assigned = Date.parse(assigned_at);
    const started = started_at === null ? null : Date.parse(started_at);
    const finished = finished_at === null ? null : Date.parse(finished_at);
    const spans = [
      span('waited', since, assigned, now),
      span('prepared', assigned, started ?? finished, now),
    ];
    if (started !== null) spans.push(span('ran', started, finished, now));
    rows.push({ attempt, body, spans: spans.filter(isSeen) });
    since = finished ?? started ?? assigned;
  }
  const last = task.attempts.at(-1);
  if (task.status === 'queued') {
    const began = last ? Date.parse(task.queued_at) : from;
    rows.push({ attempt: task.attempt, body: null, spans: [span('waited', began, null, now)] });
  } else if (!last && task.finished_at) {
    rows.push({
      attempt: task.attempt,
      body: null,
      spans: [span('waited', from, Date.parse(task.finished_at), now)],
    });
  }
  const ends = rows.flatMap(({ spans }) => spans.map(({ to }) => to));
  const isOver = isTerminal(task.status) && task.finished_at !== null;
  const end = isOver ? Date.parse(task.finished_at ?? '') : now;
  return { from, to: Math.max(from, end, ...ends), rows };
}

function span(kind: SpanKind, from: number, to: number | null, now: number): Span {
  return { kind, from, to: Math.max(from, to ?? now), isOpen: to === null };
}

function isSeen({ from, to, isOpen }: Span): boolean {
  return isOpen || to > from;
}

/** Of the whole picture, in percent, wide enough to be seen. */
export function placeOf(
  { from, to }: Pick<Span, 'from' | 'to'>,
  whole: TaskSpans,
): { x: number; width: number } {
  const all = Math.max(1, whole.to - whole.from);
  const width = Math.min(100, Math.max(LEAST_PERCENT, ((to - from) / all) * 100));
  const x = Math.max(0, ((from - whole.from) / all) * 100);
  return { x: Math.min(x, 100 - width), width };
}

const LEAST_PERCENT = 0.6;

/** How long it waited before it first started; until now while it waits. Null when it ended without a start. */
export function firstWait(task: Spanned, now: number): number | null {
  const started = task.attempts.find(({ started_at }) => started_at !== null)?.started_at;
  if (!started && task.finished_at) return null;
  return Math.max(0, (started ? Date.parse(started) : now) - Date.parse(task.submitted_at));
}

// Why tasks wait, and the queue, as people read them in a terminal. No calls here.

import { entryNeeds, expiresIn, forecastWords, startBand, startsIn } from '../client/queue-words.ts';
import { age, megabytes, trim } from '../client/words.ts';
import type { ForecastScoreBody, QueueEntryBody, StartEstimateBody } from '../shared/contracts/queue.ts';
import type { ExplainReply, ShortfallBody, WorkerVerdictBody } from '../shared/contracts/workers.ts';
import type { Session } from './session.ts';
import { plain } from './table.ts';
import { paintState } from './words.ts';

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
  unhealthy: 'it is unhealthy',
  other_worker_requested: 'another worker was asked for',
  labels: 'its labels do not match',
  mounts: 'it does not let be mounted what the task mounts',
  reserved: 'it is kept free for other tasks',
};

function missingText(verdict: WorkerVerdictBody): string {
  const { excluded_by, missing, message } = verdict;
  const parts = missing.map(({ dimension, required, available }) => {
    const size = (value: number) => sizeText(dimension, value);
    return `${nameOf(dimension)}: needs ${size(required)}, ${size(Math.max(0, available))} free`;
  });
  const labels = unmetText(verdict) ?? unmountableText(verdict);
  // A server of a later release may know other rules.
  const rule = excluded_by && (labels ?? EXCLUDED[excluded_by] ?? `it is ${excluded_by}`);
  const why = message ? `${rule}: ${message}` : rule;
  return [...(why ? [why] : []), ...parts].join('; ');
}

/** `has disk=hdd, needs disk=ssd`. */
function unmetText({ excluded_by, unmet_labels }: WorkerVerdictBody): string | null {
  if (excluded_by !== 'labels' || !unmet_labels?.length) return null;
  return unmet_labels
    .map(({ name, needs, has }) =>
      [has === null ? `has no ${name}` : `has ${name}=${has}`, `needs ${name}=${needs.join('|')}`].join(', '),
    )
    .join('; ');
}

/** `does not let /data be mounted`. */
function unmountableText({ excluded_by, unmet_mounts }: WorkerVerdictBody): string | null {
  if (excluded_by !== 'mounts' || !unmet_mounts?.length) return null;
  return unmet_mounts
    .map(({ source, only_read_only }) =>
      only_read_only ? `lets ${source} be mounted only read-only` : `does not let ${source} be mounted`,
    )
    .join('; ');
}

/** `Quota: 4 of 4 cores held, 8 GB of 16 GB memory held`; null without one. */
function quotaText({ quota }: ExplainReply): string | null {
  // An API of an earlier release does not say.
  if (!quota?.length) return null;
  const parts = quota.map(
    ({ dimension, held, limit }) =>
      `${sizeText(dimension, held)} of ${sizeText(dimension, limit)} ${nameOf(dimension, limit)}`,
  );
  return `Held of the quota: ${parts.join(', ')}`;
}

function sizeText(dimension: ShortfallBody['dimension'], value: number): string {
  return dimension === 'memory' || dimension === 'storage' ? megabytes(value) : trim(value, 2);
}

function nameOf(dimension: ShortfallBody['dimension'], amount?: number): string {
  const ending = amount === 1 ? '' : 's';
  return dimension === 'cpu' ? `core${ending}` : dimension === 'gpu' ? `GPU${ending}` : dimension;
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
    ...(entries.some(({ expires_at }) => expires_at)
      ? [
          {
            title: 'GIVEN UP',
            cell: (entry: QueueEntryBody) => expiresIn(entry, now),
            align: 'right' as const,
            dispensable: 6,
          },
        ]
      : []),
    { title: 'STARTS', cell: ({ estimate }) => startsIn(estimate, now), align: 'right' },
    { title: 'WHY', cell: ({ summary }) => summary, min: 20 },
  ]);
}

/** How far the column STARTS is to be trusted; empty when that is not known. */
export function forecastText(score: ForecastScoreBody | undefined): string {
  // An API of an earlier release does not say.
  const words = score ? forecastWords(score) : null;
  return words === null ? '' : `Forecasts of the last 24 hours: ${words}.\n`;
}

// The queue and deadlines in words, alike in the CLI and the dashboard. Pure.

import type {
  ForecastScoreBody,
  QueueEntryBody,
  QueueReason,
  SlaAttainmentBody,
  StartEstimateBody,
} from '../shared/contracts/queue.ts';
import { amounts, duration, trim } from './words.ts';

/** A reason in two or three words. */
export const REASON_WORDS: Readonly<Record<QueueReason, string>> = {
  next: 'Next',
  behind: 'In line',
  no_room: 'No room',
  not_ready: 'Workers not ready',
  reserved: 'Worker kept for it',
  preempting: 'Room being made',
  quota_used: 'Quota used',
  over_quota: 'Over quota',
  worker_missing: 'Worker missing',
  labels_missing: 'Labels missing',
  mounts_missing: 'Folder missing',
  never: 'Too large',
  retry_delay: 'Retry delay',
  no_workers: 'No workers',
};

/** Below it an estimate is as good as now. */
const NOW_MS = 1_000;

/** `now`, `in 40s`, `in 3m`, `in 2h 5m`; `unknown` without an estimate. */
export function startsIn(estimate: StartEstimateBody | null, now: number): string {
  if (estimate === null) return 'unknown';
  const ms = Date.parse(estimate.at) - now;
  return ms < NOW_MS ? 'now' : `in ${roughly(ms)}`;
}

/** `in 4m`: when it is given up; empty when it may wait for ever. An API of an earlier release does not say. */
export function expiresIn({ expires_at }: Partial<Pick<QueueEntryBody, 'expires_at'>>, now: number): string {
  if (!expires_at) return '';
  const ms = Date.parse(expires_at) - now;
  return ms < NOW_MS ? 'now' : `in ${roughly(ms)}`;
}

/** `between 2m and 9m from now`; null when there is no doubt about it. */
export function startBand(estimate: StartEstimateBody | null, now: number): string | null {
  if (estimate === null) return null;
  const [soon, late] = [estimate.earliest, estimate.latest].map((at) => Date.parse(at) - now) as [
    number,
    number,
  ];
  if (late < NOW_MS || roughly(soon) === roughly(late)) return null;
  return soon < NOW_MS
    ? `between now and ${roughly(late)} from now`
    : `between ${roughly(soon)} and ${roughly(late)} from now`;
}

/** Two units where the larger one is small: an estimate knows no more. */
function roughly(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  return duration(minutes * 60_000).replace(/ 0[mh]$/, '');
}

/** `1 core, 512 MB`. */
export function entryNeeds(entry: QueueEntryBody): string {
  return amounts({
    cpu: entry.cpu_required,
    memory: entry.memory_required,
    gpu: entry.gpu_required,
    storage: entry.storage_required,
  });
}

/** Fewer completed tasks say nothing of how the cluster keeps its word. */
const LEAST_COMPLETED = 3;

/** What was in time, `98.5% of 1,200`; null when hardly a task completed in the window. */
export function attainmentWords({ met, missed, attainment }: SlaAttainmentBody): string | null {
  if (attainment === null || met + missed < LEAST_COMPLETED) return null;
  // 99.97% is not all of them.
  const percent = Math.floor(attainment * 1_000) / 10;
  return `${trim(percent)}% of ${(met + missed).toLocaleString('en')}`;
}

/** `ended tasks for 30 days`; null when they are kept for ever, or an API of an earlier release does not say. */
export function keptWords(days: number | undefined): string | null {
  if (!days) return null;
  if (days < 1 / 12) return `ended tasks for ${trim(days * 1_440, 0)} minutes`;
  return days < 2 ? `ended tasks for ${trim(days * 24)} hours` : `ended tasks for ${trim(days)} days`;
}

/** `92% of 130 started when foretold, half within 12s`; null when hardly a forecast was scored. */
export function forecastWords(score: ForecastScoreBody): string | null {
  const { scored, within_band, median_error_seconds: error, median_late_seconds: late } = score;
  if (scored < LEAST_COMPLETED || error === null) return null;
  const percent = Math.floor((within_band / scored) * 100);
  const side = late === null || Math.abs(late) < 1 ? '' : late > 0 ? ', mostly later' : ', mostly earlier';
  const near = roughly(error * 1_000);
  return `${percent}% of ${scored.toLocaleString('en')} started when foretold, half within ${near}${side}`;
}

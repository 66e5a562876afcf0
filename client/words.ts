// Amounts and times in words, alike in the CLI and the dashboard. Pure.

import type { AttemptBody, TaskBody } from '../shared/contracts/http.ts';
import type { AmountsBody } from '../shared/contracts/workers.ts';

/** `3.2s`, `4m 10s`, `2h 5m`, `3d 4h`. */
export function duration(ms: number): string {
  if (ms < 0) return '0s';
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h ${Math.floor((seconds % 3_600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3_600)}h`;
}

/** A time that somebody chose, without units that are zero: `1.5s`, `20m`, `1h 30m`. */
export function chosenTime(seconds: number): string {
  return duration(seconds * 1_000)
    .replace(/\.0s$/, 's')
    .replace(/ 0[smh]$/, '');
}

/** The largest unit only: `5s`, `3m`, `2h`, `4d`. */
export function age(iso: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(iso)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** How long the current or last attempt ran so far, or null before it started. */
export function runTime(task: Pick<TaskBody, 'started_at' | 'finished_at'>, now: number): number | null {
  if (task.started_at === null) return null;
  return (task.finished_at === null ? now : Date.parse(task.finished_at)) - Date.parse(task.started_at);
}

/** How an attempt ended, after its name: `attempt 1` … `failed`, `was lost`, `was evicted`. */
export function attemptEnd(state: AttemptBody['state']): string {
  return state === 'lost' || state === 'evicted' || state === 'cancelled' ? `was ${state}` : state;
}

/** Worth telling people: far more than a measurement can be wrong by. */
const CLOCK_OFF_MS = 1_000;

/** `1h 0m ahead`, `5.2s behind`; null when a machine's clock is right, or nobody knows. */
export function clockOff(offsetMs: number | null): string | null {
  if (offsetMs === null || Math.abs(offsetMs) < CLOCK_OFF_MS) return null;
  return `${duration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead' : 'behind'}`;
}

/** MB as `512 MB` or `1.5 GB`. */
export function megabytes(mb: number): string {
  if (mb < 1_024) return `${Math.round(mb)} MB`;
  if (mb < 1_048_576) return `${trim(mb / 1_024)} GB`;
  return `${trim(mb / 1_048_576)} TB`;
}

/** Bytes as `512 B`, `1.5 KB`, `3.2 GB`, each unit 1,024 of the one before. */
export function byteSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (unit < units.length - 1 && Math.round(value * 10) / 10 >= 1_024) {
    value /= 1_024;
    unit += 1;
  }
  return `${trim(value, unit === 0 ? 0 : 1)} ${units[unit]}`;
}

/** Bytes a second. */
export function byteRate(perSecond: number): string {
  return `${byteSize(perSecond)}/s`;
}

export function trim(value: number, digits = 1): string {
  return String(Number(value.toFixed(digits)));
}

export function amounts({ cpu, memory, gpu, storage }: AmountsBody): string {
  const parts = [`${trim(cpu, 2)} ${cpu === 1 ? 'core' : 'cores'}`, megabytes(memory)];
  if (gpu > 0) parts.push(`${gpu} GPU${gpu === 1 ? '' : 's'}`);
  if (storage > 0) parts.push(`${megabytes(storage)} disk`);
  return parts.join(', ');
}

/** `1 file`, `12 files`. */
export function fileCount(files: number): string {
  return `${files} file${files === 1 ? '' : 's'}`;
}

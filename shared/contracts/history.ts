// Telemetry over time on the wire, and how a moment in a question is written. No validation library here (see
// history-schema.ts), so that a browser can import this file.

import type { HistoryMetric } from '../model/history.ts';

export interface HistoryReply {
  metrics: MetricBody[];
  /** What was asked for may be finer than what is kept, or too much: the step that the points have. */
  step_seconds: number;
  from: string;
  to: string;
  /** Null: the whole cluster. */
  worker: string | null;
}

export interface MetricBody {
  metric: HistoryMetric;
  unit: string;
  /** Start of a step and the mean over it, in order of time; steps without a measurement are not there. */
  points: [at: string, value: number][];
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SPAN = /^-(\d{1,9})([smhd])$/;
/** With a zone, or a date alone (UTC): a time without one would mean another moment on another machine. */
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

export const MOMENT_FORMS =
  'a time such as 2026-01-31T12:00:00Z, a span before now such as -15m, -2h or -7d, or now';

/** Milliseconds since the epoch; null when it is none of `MOMENT_FORMS`. */
export function parseMoment(text: string, now: number): number | null {
  if (text === 'now') return now;
  const [, amount, unit = ''] = SPAN.exec(text) ?? [];
  if (amount !== undefined) return now - Number(amount) * (UNITS_MS[unit] ?? 0);
  // A plus sign that was not escaped in an address arrives as a space.
  const iso = text.replace(/ (\d\d:\d\d)$/, '+$1');
  const at = ISO.test(iso) ? Date.parse(iso) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

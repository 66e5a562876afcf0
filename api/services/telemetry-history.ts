// Telemetry over time, read from the points the scheduler keeps. Knows nothing of HTTP.

import type { HistoryReply } from '../../shared/contracts/history.ts';
import { parseMoment } from '../../shared/contracts/history.ts';
import { AppError } from '../../shared/errors.ts';
import {
  CLUSTER_SERIES,
  GRAIN_KEPT_MS,
  GRAIN_STEP_MS,
  type HistoryMetric,
  type HistoryPoint,
  METRIC_UNITS,
} from '../../shared/model/history.ts';
import { bySteps, foldToCoarse } from '../../shared/model/history-fold.ts';
import { type HistoryPlan, planHistory } from '../../shared/model/history-plan.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';

export interface TelemetryHistoryParts {
  readonly store: Pick<Store, 'history' | 'workers'>;
  readonly clock: Clock;
}

export interface HistoryQuestion {
  readonly metrics: readonly HistoryMetric[];
  /** As `parseMoment` reads them. */
  readonly from: string;
  readonly to: string;
  readonly stepSeconds: number | null;
  /** Null: the whole cluster. */
  readonly worker: string | null;
}

export class TelemetryHistory {
  readonly #parts: TelemetryHistoryParts;

  constructor(parts: TelemetryHistoryParts) {
    this.#parts = parts;
  }

  /** @throws AppError `invalid_request`; `not_found` for a worker of which nothing is known */
  async read(question: HistoryQuestion): Promise<HistoryReply> {
    const { worker, metrics, stepSeconds } = question;
    const now = this.#parts.clock.now();
    const from = moment('from', question.from, now);
    const to = moment('to', question.to, now);
    if (from >= to)
      throw invalid('from', `"from" must be before "to": ${iso(from)} is not before ${iso(to)}`);
    const plan = planHistory({ from, to, stepMs: stepSeconds === null ? null : stepSeconds * 1_000 }, now);
    const points = await this.#points(worker ?? CLUSTER_SERIES, plan, now);
    if (worker !== null && points.length === 0 && !(await this.#parts.store.workers.get(worker))) {
      throw new AppError('not_found', `there is no worker ${worker}; GET /workers lists them`);
    }
    const steps = bySteps(points, plan.stepMs);
    return {
      metrics: metrics.map((metric) => ({
        metric,
        unit: METRIC_UNITS[metric],
        points: steps.flatMap(({ at, values }) => {
          const value = values[metric];
          return value === undefined
            ? []
            : [[iso(at), Math.round(value * 1_000) / 1_000] as [string, number]];
        }),
      })),
      step_seconds: plan.stepMs / 1_000,
      from: iso(plan.from),
      to: iso(plan.to),
      worker,
    };
  }

  async #points(series: string, { grain, from, to }: HistoryPlan, now: number): Promise<HistoryPoint[]> {
    const { history } = this.#parts.store;
    if (grain === 'fine') return history.read({ series, grain, from, to });
    const coarse = await history.read({ series, grain, from, to });
    // The newest steps have no coarse point yet.
    const since = coarse.at(-1)?.at;
    const fineFrom = Math.max(
      from,
      since === undefined ? now - GRAIN_KEPT_MS.fine : since + GRAIN_STEP_MS.coarse,
    );
    if (fineFrom >= to) return coarse;
    const fine = await history.read({ series, grain: 'fine', from: fineFrom, to });
    return [...coarse, ...foldToCoarse(fine)];
  }
}

function moment(field: string, text: string, now: number): number {
  const at = parseMoment(text, now);
  if (at === null) throw invalid(field, `"${field}" is no moment`);
  return at;
}

function invalid(field: string, message: string): AppError {
  return new AppError('invalid_request', message, { details: [{ field, message }] });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

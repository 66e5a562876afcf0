// How well the starts of tasks were foretold: over the newest that have started, of the last day. Pure.

export interface ForecastScore {
  readonly windowMs: number;
  /** Forecasts whose tasks have started. */
  readonly scored: number;
  /** Those of them that started within the band. */
  readonly withinBand: number;
  /** Half of the starts were nearer to what was foretold; null without any. */
  readonly medianErrorMs: number | null;
  /** The same with its sign: above zero, half or more of the tasks started later than foretold. */
  readonly medianLateMs: number | null;
}

const SCORE_WINDOW_MS = 24 * 3_600_000;
/** Enough for a median, few enough to be sorted whenever somebody asks. */
export const SCORES_KEPT = 1_000;

interface Scored {
  readonly at: number;
  readonly isWithin: boolean;
  readonly lateMs: number;
}

export class ScoreWindow {
  /** In order of their coming. */
  #scores: Scored[] = [];

  /** @param startedAt and all else in milliseconds since the epoch */
  add(
    forecast: { readonly at: number; readonly earliest: number; readonly latest: number },
    startedAt: number,
  ): void {
    const isWithin = startedAt >= forecast.earliest && startedAt <= forecast.latest;
    this.#scores.push({ at: startedAt, isWithin, lateMs: startedAt - forecast.at });
    if (this.#scores.length > SCORES_KEPT) this.#scores.shift();
  }

  /** Forgets what is older. */
  read(now: number): ForecastScore {
    this.#scores = this.#scores.filter(({ at }) => at > now - SCORE_WINDOW_MS);
    return {
      windowMs: SCORE_WINDOW_MS,
      scored: this.#scores.length,
      withinBand: this.#scores.filter(({ isWithin }) => isWithin).length,
      medianErrorMs: median(this.#scores.map(({ lateMs }) => Math.abs(lateMs))),
      medianLateMs: median(this.#scores.map(({ lateMs }) => lateMs)),
    };
  }
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

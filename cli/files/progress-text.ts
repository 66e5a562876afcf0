// How far a transfer is, in one line that fits a terminal of any width from 20 columns on. Pure.

import { byteRate, byteSize, duration, fileCount } from '../../client/words.ts';

export interface Progress {
  readonly files: number;
  readonly doneFiles: number;
  /** 0 when nobody knows. */
  readonly bytes: number;
  readonly doneBytes: number;
  /** Null when there is none yet. */
  readonly bytesPerSecond: number | null;
  /** What takes its time without a byte moving; null while bytes move. */
  readonly step: string | null;
}

/** From so many columns on the bar has room beside all words at their longest. */
const WIDE = 65;

/**
 * At most `width` characters. What is shown follows from the width alone as long as it fits, so that nothing jumps while
 * the numbers grow; what matters least goes first.
 */
export function progressText(progress: Progress, width: number): string {
  const { files, doneFiles, bytes, doneBytes, bytesPerSecond, step } = progress;
  const known = bytes > 0;
  const part = known ? Math.min(1, Math.max(0, doneBytes / bytes)) : 0;
  const percent = known ? `${Math.floor(part * 100)}%`.padStart(4) : '';
  const amount = known ? `${byteSize(doneBytes)} of ${byteSize(bytes)}` : byteSize(doneBytes);
  const rate = step ?? (bytesPerSecond === null ? '' : byteRate(bytesPerSecond));
  const left = !known || step !== null ? '' : timeLeft(bytes - doneBytes, bytesPerSecond);
  const count = files > 1 ? `${doneFiles} of ${fileCount(files)}` : '';
  const cells = width >= WIDE ? Math.min(30, width - WIDE + 8) : width >= 45 ? 10 : width >= 30 ? 8 : 0;
  const head = known && cells > 0 ? `${percent} ${bar(part, cells)}` : percent;
  const words = width >= WIDE || !known ? [head, amount, rate, left, count] : [head, rate, left];
  const shown = words.filter((word) => word !== '');
  while (shown.length > 1 && shown.join('  ').length > width) shown.pop();
  return shown.join('  ').slice(0, width);
}

function bar(part: number, cells: number): string {
  const full = Math.floor(part * cells);
  const head = full < cells && full > 0 ? '>' : '';
  return `[${'='.repeat(full - head.length)}${head}${' '.repeat(cells - full)}]`;
}

function timeLeft(bytes: number, bytesPerSecond: number | null): string {
  if (bytesPerSecond === null || bytesPerSecond <= 0 || bytes <= 0) return '';
  return `${duration(Math.max(1_000, (1_000 * bytes) / bytesPerSecond)).replace(/\.\d/, '')} left`;
}

/** Bytes a second over the last moments, so that it follows a line that gets slower. */
export class Rate {
  readonly #overMs: number;
  readonly #seen: { at: number; bytes: number }[] = [];

  constructor(overMs = 8_000) {
    this.#overMs = overMs;
  }

  /** `bytes` in all up to now. */
  add(at: number, bytes: number): void {
    this.#seen.push({ at, bytes });
    while (this.#seen.length > 2 && (this.#seen[1]?.at ?? at) < at - this.#overMs) this.#seen.shift();
  }

  /** Null before there are two moments to compare. */
  perSecond(): number | null {
    const [first] = this.#seen;
    const last = this.#seen.at(-1);
    if (!first || !last || last.at - first.at < 200) return null;
    return Math.max(0, (1_000 * (last.bytes - first.bytes)) / (last.at - first.at));
  }
}

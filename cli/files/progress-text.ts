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

const BAR_MAX = 30;
const BAR_MIN = 8;

/** At most `width` characters; what matters least goes first when there is no room. */
export function progressText(progress: Progress, width: number): string {
  const { files, doneFiles, bytes, doneBytes, bytesPerSecond, step } = progress;
  const part = bytes === 0 ? 0 : Math.min(1, Math.max(0, doneBytes / bytes));
  // 100% only when all is there.
  const percent = bytes === 0 ? '' : `${Math.floor(part * 100)}%`.padStart(4);
  const amount = bytes === 0 ? byteSize(doneBytes) : `${byteSize(doneBytes)} of ${byteSize(bytes)}`;
  const rate = step ?? (bytesPerSecond === null ? '' : byteRate(bytesPerSecond));
  const left = bytes === 0 || step !== null ? '' : timeLeft(bytes - doneBytes, bytesPerSecond);
  const count = files > 1 ? `${doneFiles} of ${fileCount(files)}` : '';
  const choices = [
    [percent, amount, rate, left, count],
    [percent, amount, rate, left],
    [percent, amount, rate],
    [percent, rate],
    [percent, byteSize(doneBytes)],
    [percent],
  ];
  for (const choice of choices) {
    const words = choice.filter((word) => word !== '');
    const text = words.join('  ');
    if (text.length > width) continue;
    const room = width - text.length - 3;
    if (bytes === 0 || room < BAR_MIN) return text;
    const [first = '', ...rest] = words;
    return [`${first} ${bar(part, Math.min(BAR_MAX, room - 2))}`, ...rest].join('  ').slice(0, width);
  }
  return percent.trim().slice(0, width);
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

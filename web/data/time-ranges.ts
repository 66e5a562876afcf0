// How far back plots look, and how fine their points are. Pure.

export interface TimeRange {
  /** As it stands in the address. */
  readonly name: string;
  readonly words: string;
  readonly spanS: number;
  /** Between two points that the API is asked for. */
  readonly keptStepS: number;
  /** What is pushed is averaged over this long. */
  readonly liveStepS: number;
}

const RECENT: TimeRange = { name: '15m', words: '15 min', spanS: 900, keptStepS: 10, liveStepS: 1 };

export const TIME_RANGES: readonly TimeRange[] = [
  RECENT,
  { name: '1h', words: '1 h', spanS: 3_600, keptStepS: 10, liveStepS: 10 },
  { name: '6h', words: '6 h', spanS: 21_600, keptStepS: 300, liveStepS: 60 },
  { name: '24h', words: '24 h', spanS: 86_400, keptStepS: 300, liveStepS: 300 },
  { name: '7d', words: '7 d', spanS: 604_800, keptStepS: 1_800, liveStepS: 1_800 },
];

/** What is not known, or absent, means the shortest. */
export function timeRange(name: string | null): TimeRange {
  return TIME_RANGES.find((range) => range.name === name) ?? RECENT;
}

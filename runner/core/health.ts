// Whether this worker may be given new tasks: from what was seen of its engine, its disks and its containers to what is
// wrong, in words. Pure. Slow to believe what may pass by itself, and slow to believe that it has passed, so that a worker
// at the brink does not change its mind with every look.
//
//   well ──── bad for the patience of the sign ────► trouble ──── good for the calm ────► well

import {
  NO_TROUBLES,
  TROUBLE_CODES,
  type Trouble,
  type TroubleCode,
} from '../../shared/model/worker-health.ts';

/** Times in monotonic milliseconds. */
export interface HealthLook {
  readonly now: number;
  /** For words: `Docker`. */
  readonly engineName: string;
  readonly engine:
    | {
        readonly answered: true;
        readonly tookMs: number;
        /** Room on its disk; null when that cannot be known. */
        readonly freeMb: number | null;
        /** Why no network could be made for containers, and since when that fails; or null. */
        readonly networkFault: { readonly since: number; readonly why: string } | null;
      }
    /** `why` is null when all there is to say is that no answer came. */
    | { readonly answered: false; readonly why: string | null };
  /** Room where the runner keeps its data; null when it cannot be known. */
  readonly dataFreeMb: number | null;
  /** When a call last failed for a full disk of the engine; null when none has since one went well. */
  readonly fullAt: number | null;
  /** Containers that could not be created or started by the engine's fault, one after the other. */
  readonly failing: { readonly count: number; readonly lastAt: number; readonly why: string } | null;
  readonly stuck: readonly StuckContainer[];
  /** Since when output is held back that cannot be kept; null when none is. */
  readonly logsHeldSince: number | null;
  readonly filesHeldSince: number | null;
}

export interface StuckContainer {
  readonly containerId: string;
  /** When the first try failed, or SIGKILL went out. */
  readonly since: number;
  readonly doing: 'kill' | 'remove';
  /** What the engine says to it; null when it says nothing. */
  readonly why: string | null;
}

export interface HealthLimits {
  /** Room on each disk below which nothing new is taken. */
  readonly reserveMb: number;
  /** An engine that takes longer does not answer. */
  readonly answerWithinMs: number;
  /** A later answer is a slow one. */
  readonly slowMs: number;
  /** Without an answer for so long the engine is away. */
  readonly awayAfterMs: number;
  readonly slowAfterMs: number;
  /** A container that does not end or go for so long is stuck. */
  readonly stuckAfterMs: number;
  /** Networks that fail, output and files that cannot be kept. */
  readonly failingAfterMs: number;
  /** After an answer of the engine that its disk is full, or after one fault in a row too many, for so long. */
  readonly restMs: number;
  /** All must be good for so long. */
  readonly calmMs: number;
}

export const HEALTH_LIMITS: Omit<HealthLimits, 'reserveMb'> = {
  answerWithinMs: 10_000,
  slowMs: 5_000,
  awayAfterMs: 5_000,
  slowAfterMs: 30_000,
  stuckAfterMs: 30_000,
  failingAfterMs: 60_000,
  restMs: 60_000,
  calmMs: 10_000,
};

/** Faults in a row, of containers that were created or started. */
const MOST_FAILING = 3;
/** A disk that was too full is well again with so much more than the reserve. */
const RELIEF = 1.2;

interface Sign {
  readonly badSince: number | null;
  readonly goodSince: number | null;
  readonly trouble: { readonly message: string; readonly since: number } | null;
}

export type HealthMemory = ReadonlyMap<TroubleCode, Sign>;
export const NOTHING_WRONG: HealthMemory = new Map();

/** Words for what is bad now; null for what is good; absent for what this look cannot tell. */
type Signs = Partial<Record<TroubleCode, string | null>>;

export function judgeHealth(
  memory: HealthMemory,
  look: HealthLook,
  limits: HealthLimits,
): { readonly memory: HealthMemory; readonly codes: readonly TroubleCode[] } {
  const signs = signsOf(look, limits, (code) => memory.get(code)?.trouble != null);
  const next = new Map<TroubleCode, Sign>();
  for (const code of TROUBLE_CODES) {
    const sign = follow(memory.get(code), signs[code], look.now, patienceOf(code, limits), limits.calmMs);
    if (sign) next.set(code, sign);
  }
  return { memory: next, codes: TROUBLE_CODES.filter((code) => next.get(code)?.trouble) };
}

/** @param wallClock what the wall clock reads now, of the same moment as `now` */
export function troublesOf(memory: HealthMemory, now: number, wallClock: number): readonly Trouble[] {
  const troubles = TROUBLE_CODES.flatMap((code): Trouble[] => {
    const trouble = memory.get(code)?.trouble;
    if (!trouble) return [];
    return [{ code, message: trouble.message, since: Math.round(wallClock - (now - trouble.since)) }];
  });
  return troubles.length === 0 ? NO_TROUBLES : troubles;
}

function follow(
  old: Sign | undefined,
  words: string | null | undefined,
  now: number,
  patienceMs: number,
  calmMs: number,
): Sign | null {
  if (words === undefined) return old ?? null;
  if (words === null) {
    if (!old?.trouble) return null;
    const goodSince = old.goodSince ?? now;
    return now - goodSince >= calmMs ? null : { badSince: null, goodSince, trouble: old.trouble };
  }
  const badSince = old?.badSince ?? now;
  const isTrouble = old?.trouble != null || now - badSince >= patienceMs;
  // Since the first sign of it, not since it was believed.
  const trouble = isTrouble ? { message: words, since: old?.trouble?.since ?? badSince } : null;
  return { badSince, goodSince: null, trouble };
}

function patienceOf(code: TroubleCode, limits: HealthLimits): number {
  if (code === 'engine_away') return limits.awayAfterMs;
  if (code === 'engine_slow') return limits.slowAfterMs;
  // All others tell since when they are bad, or are true at once.
  return 0;
}

function signsOf(look: HealthLook, limits: HealthLimits, isTrouble: (code: TroubleCode) => boolean): Signs {
  const { now, engine, engineName, dataFreeMb, failing, fullAt } = look;
  const isLong = (since: number | null) => since !== null && now - since >= limits.failingAfterMs;
  const space = (code: TroubleCode, freeMb: number) => {
    const isLow = freeMb < limits.reserveMb * (isTrouble(code) ? RELIEF : 1);
    return isLow ? `${Math.floor(freeMb)} MB left, of which ${limits.reserveMb} MB are kept free` : null;
  };
  const common: Signs = {
    logs_failing: isLong(look.logsHeldSince) ? 'output of its tasks cannot be kept' : null,
    files_failing: isLong(look.filesHeldSince) ? 'files of its tasks cannot be kept' : null,
  };
  if (dataFreeMb !== null) {
    const left = space('data_disk_full', dataFreeMb);
    common.data_disk_full = left && `the disk of its runner is full (${left})`;
  }
  // Of one that is away nothing else can be known.
  if (!engine.answered)
    return {
      ...common,
      engine_away: `its ${engineName} does not answer${engine.why === null ? '' : ` (${engine.why})`}`,
    };
  const left = engine.freeMb === null ? null : space('engine_disk_full', engine.freeMb);
  const isTold = fullAt !== null && now - fullAt < limits.restMs;
  const isFailing = failing !== null && failing.count >= MOST_FAILING && now - failing.lastAt < limits.restMs;
  const { networkFault } = engine;
  return {
    ...common,
    engine_away: null,
    engine_slow:
      engine.tookMs > limits.slowMs
        ? `its ${engineName} takes ${Math.round(engine.tookMs / 1_000)} s to answer`
        : null,
    engine_disk_full:
      left || isTold ? `the disk of its ${engineName} is full${left ? ` (${left})` : ''}` : null,
    engine_failing: isFailing ? `its ${engineName} starts no containers (${failing.why})` : null,
    network_failing:
      networkFault && isLong(networkFault.since)
        ? `its ${engineName} makes no networks for containers (${networkFault.why})`
        : null,
    container_stuck: stuckWords(look, limits),
  };
}

function stuckWords({ stuck, now, engineName }: HealthLook, { stuckAfterMs }: HealthLimits): string | null {
  const long = stuck.filter(({ since }) => now - since >= stuckAfterMs);
  const [first] = [...long].sort((a, b) => a.since - b.since);
  if (!first) return null;
  const name = first.containerId.slice(0, 12);
  const does = first.doing === 'kill' ? 'does not end' : 'cannot be removed';
  const more = long.length > 1 ? `, and ${long.length - 1} more` : '';
  const why = first.why === null ? '' : ` (${first.why})`;
  return `container ${name} of its ${engineName} ${does}${why}${more}`;
}

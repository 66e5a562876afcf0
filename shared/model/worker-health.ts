// What may be wrong with a worker while its runner still speaks, as the runner tells it with each heartbeat. Pure. It is
// news and not record: it vanishes with the heartbeat and is told again by the next one.

export const TROUBLE_CODES = [
  /** The container engine does not answer. */
  'engine_away',
  /** It answers, but later than it may. */
  'engine_slow',
  /** One task after the other cannot be created or started, by the engine's fault. */
  'engine_failing',
  /** The disk of the engine has less room than is kept in reserve. */
  'engine_disk_full',
  /** The same of the runner's data folder. */
  'data_disk_full',
  /** A container that is to go cannot be killed or removed. */
  'container_stuck',
  /** No network can be made for containers. */
  'network_failing',
  /** Output of tasks cannot be kept. */
  'logs_failing',
  /** Files that tasks left cannot be kept. */
  'files_failing',
  /** Its runner was told to stop and takes no more work. */
  'shutting_down',
] as const;
export type TroubleCode = (typeof TROUBLE_CODES)[number];

export interface Trouble {
  readonly code: TroubleCode;
  /** A clause for people that goes on behind "worker-2 is unhealthy: ", such as "its Docker does not answer". */
  readonly message: string;
  /** By the clock of the worker, milliseconds since the epoch. */
  readonly since: number;
}

/** With one of these a worker starts nothing. */
const STOPS: ReadonlySet<TroubleCode> = new Set<TroubleCode>([
  'engine_away',
  'engine_failing',
  'engine_disk_full',
  'network_failing',
  'shutting_down',
  // What it holds cannot be given to others.
  'container_stuck',
]);

export function canStart(troubles: readonly Trouble[]): boolean {
  return !troubles.some(({ code }) => STOPS.has(code));
}

export const NO_TROUBLES: readonly Trouble[] = [];

const MOST_TROUBLES = 20;
const LONGEST_MESSAGE = 500;

/** What came with a heartbeat; a runner of an earlier release tells nothing, one of a later release may tell more. */
export function readTroubles(told: unknown): readonly Trouble[] {
  if (!Array.isArray(told)) return NO_TROUBLES;
  return told.slice(0, MOST_TROUBLES).flatMap((one: Partial<Trouble> | null) => {
    if (typeof one?.code !== 'string' || typeof one.message !== 'string') return [];
    const since = Number.isFinite(one.since) ? Number(one.since) : 0;
    return [{ code: one.code, message: one.message.slice(0, LONGEST_MESSAGE), since }];
  });
}

/** All of them in one clause. */
export function describeTroubles(troubles: readonly Trouble[]): string {
  return troubles.map(({ message }) => message).join('; ');
}

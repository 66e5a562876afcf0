// Which workers are down and which are back, from what the leader saw of their heartbeat leases. Pure: times are
// the leader's own monotonic milliseconds, and no clock of another machine is compared with it.
//
// A lease that is not there can mean two things:
// - It ran out under the leader's eyes: the leader knew the last beat, looked all the time, and the lease went
//   when it had to. The worker has been silent for a whole lease, so it is down at once.
// - Anything else: Redis was emptied or restarted, the leader is new, it could not look for a while, the runner
//   left on purpose. Then the worker gets a full lease from the moment the absence was first noticed.

import type { Liveness } from '../../shared/model/worker.ts';

/** What the leader knows of one worker's lease. */
export interface Sight {
  /** Of the last beat, by the leader's clock; null when it never saw one. */
  readonly lastBeatAt: number | null;
  /** When the absence was first noticed; null while the worker is present. */
  readonly absentSince: number | null;
  /** The lease ran out under the leader's eyes. */
  readonly expired: boolean;
}

export interface Look {
  /** Before the question was sent. */
  readonly askedAt: number;
  /** After the answer came. */
  readonly answeredAt: number;
  /** Worker id → milliseconds since its last beat, of those whose lease is alive. */
  readonly present: ReadonlyMap<string, number>;
}

export interface LivenessMemory {
  readonly sights: ReadonlyMap<string, Sight>;
  /** When the last look that got an answer began; null when there was none. */
  readonly lookedAt: number | null;
}

export const NOTHING_SEEN: LivenessMemory = { sights: new Map(), lookedAt: null };

export interface LivenessVerdict {
  readonly down: readonly string[];
  readonly up: readonly string[];
  readonly memory: LivenessMemory;
}

/** Without a look for this part of a lease the leader cannot say that it watched. */
const WATCHING = 0.5;
/** A lease may be seen to go a little early: the answer takes time, two clocks run at two speeds. */
const EARLY = 0.9;

export function judgeLiveness(
  workers: readonly { readonly id: string; readonly liveness: Liveness }[],
  look: Look,
  memory: LivenessMemory,
  leaseMs: number,
): LivenessVerdict {
  const watched = memory.lookedAt !== null && look.askedAt - memory.lookedAt <= WATCHING * leaseMs;
  const sights = new Map<string, Sight>();
  const down: string[] = [];
  const up: string[] = [];
  for (const { id, liveness } of workers) {
    const age = look.present.get(id);
    if (age !== undefined) {
      sights.set(id, { lastBeatAt: look.answeredAt - age, absentSince: null, expired: false });
      if (liveness === 'down') up.push(id);
      continue;
    }
    const sight = miss(memory.sights.get(id), look, watched, leaseMs);
    sights.set(id, sight);
    if (liveness === 'up' && look.askedAt >= deadOn(sight, leaseMs)) down.push(id);
  }
  return { down, up, memory: { sights, lookedAt: look.askedAt } };
}

function miss(known: Sight | undefined, look: Look, watched: boolean, leaseMs: number): Sight {
  if (known?.absentSince != null) return known;
  const lastBeatAt = known?.lastBeatAt ?? null;
  const expired = watched && lastBeatAt !== null && look.answeredAt - lastBeatAt >= EARLY * leaseMs;
  return { lastBeatAt, absentSince: look.askedAt, expired };
}

function deadOn({ expired, lastBeatAt, absentSince }: Sight, leaseMs: number): number {
  if (expired && lastBeatAt !== null) return lastBeatAt + leaseMs;
  return (absentSince ?? Number.POSITIVE_INFINITY) + leaseMs;
}

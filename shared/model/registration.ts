// A worker that an admin registers by hand, from the wish until it has joined or is given up. Pure.
//
//   ●──► waiting ──► (taken: called) ──┬──► joining ──► ○  its record is there and newer than the wish
//           ▲                          │       │
//           └── nobody answers, refused ┴───────┘  not up in time
//
// One that is taken is due again when the lease on it is over: whoever took it may die.

import type { Worker } from './worker.ts';

export interface Registration {
  /** Of the worker to be. */
  readonly id: string;
  /** Names this wish: one that is removed, or made anew with another address, is another. */
  readonly wish: string;
  /** `host:port`; an IPv6 address in brackets. */
  readonly address: string;
  /** User id. */
  readonly requestedBy: string;
  readonly requestedAt: number;
  /** Life of the worker of this id that was down when this was asked for; null when there was none. */
  readonly replaces: string | null;
  readonly tries: number;
  readonly lastTryAt: number | null;
  readonly nextAt: number;
  /** When its daemon took the settings of the cluster; null before that. */
  readonly takenInAt: number | null;
  /** What came of the last try; null before it is over. */
  readonly fault: RegistrationFault | null;
  readonly revision: number;
}

export interface RegistrationFault {
  /** `starting`: none yet, the daemon has what it needs. */
  readonly code: 'no_answer' | 'refused' | 'starting';
  /** In words, for admins. */
  readonly message: string;
}

/** Far longer than one try may take. */
export const REGISTRATION_LEASE_MS = 45_000;

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** How long a daemon may take from the settings to its first sign of life before it is called again. */
const START_MS = 20_000;
/** Each pause is up to so much shorter or longer, so that what failed together does not come back together. */
const JITTER = 0.2;

export function newRegistration(
  wanted: Pick<Registration, 'id' | 'wish' | 'address' | 'requestedBy'> & { readonly known: Worker | null },
  now: number,
): Registration {
  const { known, ...given } = wanted;
  return {
    ...given,
    requestedAt: now,
    replaces: known?.incarnation ?? null,
    tries: 0,
    lastTryAt: null,
    nextAt: now,
    takenInAt: null,
    fault: null,
    revision: 1,
  };
}

/** To be tried now by whoever gets this written; by others when the lease is over. */
export function takeRegistration(registration: Registration, now: number): Registration {
  return {
    ...registration,
    tries: registration.tries + 1,
    lastTryAt: now,
    nextAt: now + REGISTRATION_LEASE_MS,
    revision: registration.revision + 1,
  };
}

/** With what came of the try, to be looked at again after `pauseMs`. */
export function afterTry(
  registration: Registration,
  fault: RegistrationFault,
  { now, pauseMs }: { readonly now: number; readonly pauseMs: number },
): Registration {
  return {
    ...registration,
    fault,
    takenInAt: fault.code === 'starting' ? now : registration.takenInAt,
    nextAt: now + pauseMs,
    revision: registration.revision + 1,
  };
}

/**
 * How long a registration rests after so many tries.
 * @param tries 1 or more
 * @param chance in [0, 1)
 */
export function registrationPauseMs(tries: number, code: RegistrationFault['code'], chance: number): number {
  if (code === 'starting') return START_MS;
  // After a refusal somebody has to change something first.
  const pause = code === 'refused' ? LONGEST_PAUSE_MS : FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 10);
  return Math.round(Math.min(pause, LONGEST_PAUSE_MS) * (1 - JITTER + 2 * JITTER * chance));
}

/** The worker has joined: its record is there, and is not the one that was down when this was asked for. */
export function hasJoined(registration: Registration, worker: Worker | null | undefined): boolean {
  if (!worker) return false;
  return worker.liveness === 'up' || worker.incarnation !== registration.replaces;
}

/** Why the worker is not there yet, in words. */
export function registrationMessage({ fault, takenInAt, address }: Registration): string {
  if (fault === null) return `${address} is being called`;
  if (fault.code !== 'no_answer' || takenInAt === null) return fault.message;
  return `${fault.message}; it had joined this cluster before but has not come up: see its log`;
}

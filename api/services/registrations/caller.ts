// Tries workers that were registered by hand until they have joined. Each is taken by compare-and-set before it is
// called, so of several copies of the API one calls it; whoever dies meanwhile leaves it to others when the lease is over.

import { ADOPTION_PORT } from '../../../shared/contracts/adoption.ts';
import { AppError, isAppError, messageOf } from '../../../shared/errors.ts';
import {
  afterTry,
  hasJoined,
  type Registration,
  type RegistrationFault,
  registrationPauseMs,
  takeRegistration,
} from '../../../shared/model/registration.ts';
import { readWorkerAddress } from '../../../shared/model/worker-address.ts';
import type { Log } from '../../../shared/platform/log.ts';
import { Pulse } from '../../../shared/platform/pulse.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { type AdopterPace, adopt } from './adopter.ts';
import { type OfferConfig, requireOffer, settingsFor } from './offer.ts';

export interface CallerPace extends AdopterPace {
  /** Between two looks for what is due. */
  readonly pollMs: number;
  readonly pauseMs: (tries: number, code: RegistrationFault['code'], chance: number) => number;
}

export const CALLER_PACE: CallerPace = {
  pollMs: 2_000,
  connectMs: 3_000,
  helloMs: 4_000,
  settingsMs: 20_000,
  pauseMs: registrationPauseMs,
};

/** Called at the same time; the others wait for the next round. */
const AT_ONCE = 32;

export interface CallerParts {
  readonly config: OfferConfig;
  readonly store: Pick<Store, 'registrations' | 'workers'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly pace: CallerPace;
}

export class Caller {
  readonly #parts: CallerParts;
  readonly #pulse: Pulse;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(parts: CallerParts) {
    this.#parts = parts;
    this.#pulse = new Pulse({
      everyMs: parts.pace.pollMs,
      work: () => this.#look(),
      onFault: (error) => parts.log.warn({ err: error }, 'cannot look for workers to be called'),
    });
  }

  start(): void {
    this.#pulse.start();
  }

  /** What is under way is given up, and tried again by whoever finds its lease over. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#pulse.stop(), ...this.#underWay]);
  }

  /**
   * Calls one that whoever asks has taken.
   * @throws AppError of the store; `timed_out` when this process stops, and then nothing is known
   */
  async call(taken: Registration): Promise<RegistrationFault> {
    const { config, pace } = this.#parts;
    const { signal } = this.#stopping;
    const found = readWorkerAddress(taken.address, ADOPTION_PORT);
    if (!found.ok) return { code: 'refused', message: `the address ${found.fault}` };
    const { address } = found;
    try {
      requireOffer(config, address);
    } catch (error) {
      if (isAppError(error, 'conflict')) return { code: 'refused', message: error.message };
      throw error;
    }
    const fault = await adopt(
      {
        id: taken.id,
        address,
        token: config.clusterToken ?? '',
        settings: settingsFor(config, taken.id, address),
        isWanted: () => this.#isWanted(taken),
        signal,
      },
      pace,
    );
    if (signal.aborted) throw stopping();
    return fault;
  }

  /** Keeps what came of a call. */
  async record(taken: Registration, fault: RegistrationFault): Promise<void> {
    const { store, clock, log, pace } = this.#parts;
    const pauseMs = pace.pauseMs(taken.tries, fault.code, Math.random());
    const next = afterTry(taken, fault, { now: clock.now(), pauseMs });
    const isNews = fault.message !== taken.fault?.message;
    if ((await store.registrations.commit(next)) && isNews) {
      log.info(
        { worker: taken.id, address: taken.address, fault },
        'a worker that was registered was called',
      );
    }
  }

  /** Keeps what will come of a call, whenever that is. */
  recordLater(taken: Registration, call: Promise<RegistrationFault>): void {
    const { log } = this.#parts;
    const over = call
      .then((fault) => this.record(taken, fault))
      .catch((error) =>
        log.debug({ worker: taken.id, why: messageOf(error) }, 'a worker is called again later'),
      )
      .finally(() => this.#underWay.delete(over));
    this.#underWay.add(over);
  }

  async #isWanted({ id, wish }: Registration): Promise<boolean> {
    const { registrations, workers } = this.#parts.store;
    const [latest, worker] = await Promise.all([registrations.get(id), workers.get(id)]);
    return latest?.wish === wish && !hasJoined(latest, worker);
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#parts;
    const due = await store.registrations.due(clock.now(), AT_ONCE);
    const rounds = await Promise.allSettled(due.map((one) => this.#tryOne(one)));
    const failed = rounds.find((round) => round.status === 'rejected');
    if (failed && !this.#stopping.signal.aborted) throw failed.reason;
    if (due.length === AT_ONCE) this.#pulse.wake();
  }

  async #tryOne(registration: Registration): Promise<void> {
    const { store, clock } = this.#parts;
    const { id, wish } = registration;
    if (hasJoined(registration, await store.workers.get(id))) {
      await store.registrations.remove(id, wish);
      return;
    }
    const taken = takeRegistration(registration, clock.now());
    if (await store.registrations.commit(taken)) await this.record(taken, await this.call(taken));
  }
}

function stopping(): AppError {
  return new AppError('timed_out', 'this API is being stopped; the worker is called again by another', {
    retryable: true,
  });
}

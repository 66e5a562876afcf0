// What an admin does with workers that are registered by hand: asks for one. It is called at once and, while nobody
// answers, again and again until it has joined or is removed. Knows nothing of HTTP.

import { setTimeout as delay } from 'node:timers/promises';
import { ADOPTION_PORT } from '../../../shared/contracts/adoption.ts';
import type { AwaitedWorker, WorkerView } from '../../../shared/contracts/cluster.ts';
import type { RegisterWorkerBody } from '../../../shared/contracts/workers.ts';
import { AppError } from '../../../shared/errors.ts';
import {
  hasJoined,
  newRegistration,
  type Registration,
  takeRegistration,
} from '../../../shared/model/registration.ts';
import type { Principal } from '../../../shared/model/user.ts';
import { readWorkerAddress } from '../../../shared/model/worker-address.ts';
import { newId } from '../../../shared/platform/ids.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { ClusterView } from '../cluster-view.ts';
import { requireRight } from '../rights.ts';
import { CALLER_PACE, Caller, type CallerPace } from './caller.ts';
import { type OfferConfig, requireOffer } from './offer.ts';

export interface RegistrationPace extends CallerPace {
  /** How long an admin waits for what comes of the first call; it goes on without them. */
  readonly answerMs: number;
  /** How long an admin waits for the record of a worker that has joined. */
  readonly joinMs: number;
}

const PACE: RegistrationPace = { ...CALLER_PACE, answerMs: 8_000, joinMs: 4_000 };
const LOOK_AGAIN_MS = 100;
/** Far more than are ever on their way at once. */
const MAX_WAITING = 1_000;

export interface RegistrationsParts {
  readonly config: OfferConfig;
  readonly store: Pick<Store, 'registrations' | 'workers'>;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly log: Log;
  readonly pace?: Partial<RegistrationPace> | undefined;
}

export class Registrations {
  readonly #parts: RegistrationsParts;
  readonly #pace: RegistrationPace;
  readonly #caller: Caller;

  constructor(parts: RegistrationsParts) {
    this.#parts = parts;
    this.#pace = { ...PACE, ...parts.pace };
    this.#caller = new Caller({ ...parts, pace: this.#pace });
  }

  start(): void {
    this.#caller.start();
  }

  stop(): Promise<void> {
    return this.#caller.stop();
  }

  /**
   * The worker as it is: joined, or awaited.
   * @throws AppError `forbidden`; `conflict` when there is such a worker, or this cluster cannot take one in there;
   *   `adoption_refused` when the daemon there must not or does not want to be one, and then nothing is kept
   */
  async register(by: Principal, { id, address }: RegisterWorkerBody): Promise<WorkerView | AwaitedWorker> {
    requireRight(by, 'worker.register');
    const { config, store, view } = this.#parts;
    const found = readWorkerAddress(address, ADOPTION_PORT);
    if (!found.ok) throw new AppError('invalid_request', `"address" ${found.fault}`);
    requireOffer(config, found.address);
    const taken = await this.#take(by, id, address);
    view.forget();
    const call = this.#caller.call(taken);
    const fault = await Promise.race([call, delay(this.#pace.answerMs, null, { ref: false })]);
    if (fault === null) {
      this.#caller.recordLater(taken, call);
    } else if (fault.code === 'refused') {
      await store.registrations.remove(id, taken.wish);
      view.forget();
      throw new AppError('adoption_refused', fault.message);
    } else {
      await this.#caller.record(taken, fault);
      if (fault.code === 'starting') await this.#hasComeUp(taken);
    }
    view.forget();
    return view.worker(id);
  }

  /** Writes the wish, as one that is being tried, so that no other copy tries it too. */
  async #take(by: Principal, id: string, address: string): Promise<Registration> {
    const { store, clock } = this.#parts;
    const known = await store.workers.get(id);
    if (known?.liveness === 'up') {
      throw new AppError(
        'conflict',
        `worker ${id} is up already, at ${known.address}: take another name, or stop its runner and remove it first`,
      );
    }
    const waiting = await store.registrations.list();
    if (waiting.length >= MAX_WAITING && !waiting.some((one) => one.id === id)) {
      throw new AppError(
        'conflict',
        `${MAX_WAITING} workers are registered that do not answer: remove those you do not need`,
      );
    }
    const now = clock.now();
    const wish = newRegistration({ id, address, wish: newId('wish'), requestedBy: by.userId, known }, now);
    const taken = takeRegistration(wish, now);
    await store.registrations.put(taken);
    return taken;
  }

  async #hasComeUp(taken: Registration): Promise<boolean> {
    const { store, clock } = this.#parts;
    const end = clock.monotonic() + this.#pace.joinMs;
    for (;;) {
      if (hasJoined(taken, await store.workers.get(taken.id))) {
        await store.registrations.remove(taken.id, taken.wish);
        return true;
      }
      if (clock.monotonic() > end) return false;
      await delay(LOOK_AGAIN_MS);
    }
  }
}

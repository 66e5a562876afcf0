// Sends the deliveries that are due. Each is taken by compare-and-set before it is sent, so of several copies of the
// API one sends it; whoever dies while sending leaves it to others when its lease is over.

import type { WebhookDelivery } from '../../../shared/model/webhook.ts';
import type { Log } from '../../../shared/platform/log.ts';
import { Pulse } from '../../../shared/platform/pulse.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { WebhookStore } from '../../../shared/ports/store.ts';
import { answerWithin } from '../deadline.ts';
import { retryAfterMs } from './backoff.ts';
import { choose, MAX_AT_ONCE, receiverOf, Turns } from './choice.ts';
import { deferred, taken, tried } from './deliveries.ts';
import type { OwnerWebhooks } from './owner-webhooks.ts';
import { type Answer, notSent, type Sender } from './sender.ts';
import type { SigningSecrets } from './signing-secrets.ts';

/** Read in one look. */
const PAGE = 256;
/** Of a full page that cannot be sent now, so many wait in this process; the others step back. */
const KEPT_IN_LINE = 64;
/** Of writers racing for one record each round has a winner. */
const MAX_RACES = 10;
/** What is being sent gets so long to end; then it is left to its lease. */
const STOP_DEADLINE_MS = 3_000;

export interface DispatcherParts {
  readonly store: WebhookStore;
  readonly owners: OwnerWebhooks;
  readonly secrets: SigningSecrets;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
  /** After so many failures; null ends it. `chance` in [0, 1). */
  readonly retryDelayMs: (failures: number, chance: number) => number | null;
  readonly onTried?: ((outcome: 'delivered' | 'failed' | 'gave_up', tookMs: number) => void) | undefined;
}

interface UnderWay {
  readonly delivery: WebhookDelivery;
  readonly giveUp: AbortController;
  readonly over: Promise<void>;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #pulse: Pulse;
  readonly #turns = new Turns();
  readonly #underWay = new Map<string, UnderWay>();
  /** Due when it was last looked, and not begun. */
  #line: readonly WebhookDelivery[] = [];
  /** The store has more than the line. */
  #more = false;
  #on = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#pulse = new Pulse({
      everyMs: parts.pollMs,
      work: () => this.#look(),
      onFault: (error) => parts.log.warn({ err: error }, 'cannot look for webhook deliveries'),
    });
  }

  start(): void {
    this.#on = true;
    this.#pulse.start();
  }

  /** Something may be due. */
  wake(): void {
    this.#pulse.wake();
  }

  async stop(): Promise<void> {
    this.#on = false;
    await this.#pulse.stop();
    const allOver = async () => {
      await Promise.all([...this.#underWay.values()].map(({ over }) => over));
    };
    await answerWithin(allOver(), STOP_DEADLINE_MS, 'webhook receivers').catch(() => undefined);
    for (const { giveUp } of this.#underWay.values()) giveUp.abort();
    await allOver();
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#parts;
    const due = await store.dueDeliveries(clock.now(), PAGE);
    this.#line = due;
    this.#more = due.length === PAGE;
    this.#beginSome();
    if (this.#more && this.#underWay.size < MAX_AT_ONCE) await this.#makeRoom();
  }

  #beginSome(): void {
    if (!this.#on) return;
    const underWay = [...this.#underWay.values()].map(({ delivery }) => delivery);
    const { send, rest } = choose(this.#line, underWay);
    this.#line = rest;
    for (const delivery of send) this.#begin(delivery);
  }

  /** A page full of deliveries whose receivers are busy hides what is behind it: all but the first step back. */
  async #makeRoom(): Promise<void> {
    const { store, clock } = this.#parts;
    const stepBack = this.#line.slice(KEPT_IN_LINE);
    if (stepBack.length === 0) return;
    this.#line = this.#line.slice(0, KEPT_IN_LINE);
    const now = clock.now();
    await Promise.all(
      stepBack.map((delivery) =>
        store.commitDelivery(deferred(delivery, this.#turns.next(receiverOf(delivery), now))),
      ),
    );
    this.#pulse.wake();
  }

  #begin(delivery: WebhookDelivery): void {
    const { clock, log } = this.#parts;
    const begin = clock.monotonic();
    const giveUp = new AbortController();
    const over = this.#deliver(delivery, giveUp.signal)
      .catch((error) => log.warn({ err: error, delivery: delivery.id }, 'a webhook delivery is sent again'))
      .then(() => {
        this.#turns.note(receiverOf(delivery), clock.monotonic() - begin);
        this.#underWay.delete(delivery.id);
        this.#beginSome();
        if (this.#line.length === 0 && this.#more) this.#pulse.wake();
      });
    this.#underWay.set(delivery.id, { delivery, giveUp, over });
  }

  async #deliver(due: WebhookDelivery, signal: AbortSignal): Promise<void> {
    const { store, secrets, sender, clock } = this.#parts;
    const mine = taken(due, clock.now());
    if (!(await store.commitDelivery(mine))) return;
    const at = clock.now();
    const { id, url, payload } = mine;
    const answer = (await this.#isDeleted(mine))
      ? notSent('the webhook was deleted')
      : await sender.send({ id, url, payload, secret: await secrets.of(mine.ownerId) }, signal);
    // Nobody knows what came of it: it is sent again when the lease is over.
    if (answer.status === null && signal.aborted) return;
    await this.#record(mine, at, answer);
  }

  async #isDeleted({ ownerId, webhookId }: WebhookDelivery): Promise<boolean> {
    if (webhookId === null) return false;
    const { owners } = this.#parts;
    const isThere = async () => (await owners.of(ownerId)).some(({ id }) => id === webhookId);
    if (await isThere()) return false;
    // It may be younger than what is kept of the owner's webhooks.
    owners.forget(ownerId);
    return !(await isThere());
  }

  async #record(mine: WebhookDelivery, at: number, answer: Answer): Promise<void> {
    const { store, clock } = this.#parts;
    const { status, error, tookMs } = answer;
    for (let race = 0, latest: WebhookDelivery | null = mine; race < MAX_RACES; race += 1) {
      if (race > 0) latest = await store.getDelivery(mine.id);
      // It was over before and has been pruned.
      if (!latest) return;
      const now = clock.now();
      const retryInMs = this.#retryInMs(latest, answer, now);
      const next = tried(
        latest,
        { at, tookMs, status, error },
        { delivered: error === null, retryInMs, now },
      );
      if (!(await store.commitDelivery(next))) continue;
      const failed = retryInMs === null ? 'gave_up' : 'failed';
      this.#parts.onTried?.(error === null ? 'delivered' : failed, tookMs);
      return;
    }
    this.#parts.log.warn({ delivery: mine.id }, 'the outcome of a webhook delivery was not recorded');
  }

  #retryInMs({ tries }: WebhookDelivery, { final, retryAfter }: Answer, now: number): number | null {
    if (final) return null;
    const failures = tries.filter(({ error }) => error !== null).length + 1;
    const delayMs = this.#parts.retryDelayMs(failures, Math.random());
    return delayMs === null ? null : Math.max(delayMs, retryAfterMs(retryAfter, now));
  }
}

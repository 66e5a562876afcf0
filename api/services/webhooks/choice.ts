// Which of the deliveries that are due are sent now, and when the others have their turn. One receiver that does not
// answer, or one user who has many such, must not keep the others waiting. No I/O and no clock.

import type { WebhookDelivery } from '../../../shared/model/webhook.ts';
import { hostOf } from './address-rules.ts';

export const MAX_AT_ONCE = 8;
export const MAX_PER_HOST = 2;
export const MAX_PER_OWNER = 4;

export interface Choice {
  readonly send: readonly WebhookDelivery[];
  /** Those that have to wait, in the same order. */
  readonly rest: readonly WebhookDelivery[];
}

/** @param due the longest overdue first; @param underWay being sent by this process now */
export function choose(due: readonly WebhookDelivery[], underWay: readonly WebhookDelivery[]): Choice {
  const counts = new Map<string, number>();
  const count = (name: string) => counts.get(name) ?? 0;
  const namesOf = (delivery: WebhookDelivery) =>
    [`host ${receiverOf(delivery)}`, `owner ${delivery.ownerId}`] as const;
  const add = (delivery: WebhookDelivery) => {
    for (const name of namesOf(delivery)) counts.set(name, count(name) + 1);
  };
  const running = new Set(underWay.map(({ id }) => id));
  underWay.forEach(add);
  const send: WebhookDelivery[] = [];
  const rest: WebhookDelivery[] = [];
  for (const delivery of due) {
    if (running.has(delivery.id)) continue;
    const [host, owner] = namesOf(delivery);
    const isFree = count(host) < MAX_PER_HOST && count(owner) < MAX_PER_OWNER;
    if (isFree && underWay.length + send.length < MAX_AT_ONCE) {
      send.push(delivery);
      add(delivery);
    } else {
      rest.push(delivery);
    }
  }
  return { send, rest };
}

/** Name or address of the receiver, without its port. */
export function receiverOf({ url }: Pick<WebhookDelivery, 'url'>): string {
  return URL.canParse(url) ? hostOf(new URL(url)) : url;
}

/** Those that step back do so for so long at least, or looking and stepping back would never end. */
const STEP_BACK_MS = 2_000;
const MAX_RECEIVERS = 1_000;
/** What a receiver is taken for before it has answered once. */
const UNKNOWN_MS = 20;
/** Weight of the newest try in the mean. */
const NEWEST = 0.3;

/** How fast each receiver takes deliveries, and from that when the next in its line has its turn. */
export class Turns {
  readonly #receivers = new Map<string, { meanMs: number; lastTurn: number }>();

  /** One was under way for so long, however it went. */
  note(receiver: string, tookMs: number): void {
    const known = this.#receivers.get(receiver);
    if (known) known.meanMs += NEWEST * (tookMs - known.meanMs);
    else this.#keep(receiver, tookMs);
  }

  /** When the next one that steps back is to be tried, and behind which the one after it stands. */
  next(receiver: string, now: number): number {
    const line = this.#receivers.get(receiver) ?? this.#keep(receiver, UNKNOWN_MS);
    line.lastTurn = Math.max(line.lastTurn, now + STEP_BACK_MS) + line.meanMs / MAX_PER_HOST;
    return Math.round(line.lastTurn);
  }

  #keep(receiver: string, meanMs: number): { meanMs: number; lastTurn: number } {
    for (const oldest of this.#receivers.keys()) {
      if (this.#receivers.size < MAX_RECEIVERS) break;
      this.#receivers.delete(oldest);
    }
    const line = { meanMs, lastTurn: 0 };
    this.#receivers.set(receiver, line);
    return line;
  }
}

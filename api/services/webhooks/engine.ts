// Webhooks as a whole, put together: hears of changes, makes deliveries, sends them, sweeps and prunes. Its owner
// starts and stops it; until then nothing runs.

import type { TaskChanged } from '../../../shared/model/event.ts';
import type { Log } from '../../../shared/platform/log.ts';
import { Pulse } from '../../../shared/platform/pulse.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { AddressRules } from './address-rules.ts';
import { retryDelayMs } from './backoff.ts';
import { Dispatcher, type DispatcherParts } from './dispatcher.ts';
import { DeliveryMaker } from './maker.ts';
import { OwnerWebhooks } from './owner-webhooks.ts';
import { type Resolve, Sender } from './sender.ts';
import { SigningSecrets } from './signing-secrets.ts';
import { EndSweep } from './sweep.ts';
import { Webhooks } from './webhooks.ts';

/** How deliveries are paced and names are looked up; tests hand in their own. */
export interface WebhookPace {
  /** Between two looks for what is due. */
  readonly pollMs: number;
  /** Between two looks for ends whose event was lost. */
  readonly sweepMs: number;
  /** Of one try. */
  readonly deadlineMs: number;
  readonly retryDelayMs: (failures: number, chance: number) => number | null;
  readonly resolve?: Resolve | undefined;
}

const PACE: WebhookPace = { pollMs: 2_000, sweepMs: 30_000, deadlineMs: 10_000, retryDelayMs };

const PRUNE_EVERY_MS = 3_600_000;
/** Deliveries that are over are kept so long. */
const KEPT_MS = 7 * 86_400_000;

export interface WebhookEngineParts {
  readonly store: Pick<Store, 'tasks' | 'webhooks'>;
  /** Entries of WEBHOOK_ALLOW. */
  readonly allow: readonly string[];
  /** Calls for every change of a task from now on; returns how to end that. */
  readonly onTaskChanged: (hear: (event: TaskChanged) => void) => () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly pace?: Partial<WebhookPace> | undefined;
  /** Hears what came of each try. */
  readonly onTried?: DispatcherParts['onTried'];
}

export class WebhookEngine {
  /** For whoever calls the API. */
  readonly webhooks: Webhooks;
  readonly #parts: WebhookEngineParts;
  readonly #maker: DeliveryMaker;
  readonly #dispatcher: Dispatcher;
  readonly #sweep: Pulse;
  readonly #prune: Pulse;
  #unhear: () => void = () => undefined;

  /** @throws AppError `bad_config` for a wrong entry of WEBHOOK_ALLOW */
  constructor(parts: WebhookEngineParts) {
    this.#parts = parts;
    const { store, clock, log } = parts;
    const { pollMs, sweepMs, deadlineMs, retryDelayMs, resolve } = { ...PACE, ...parts.pace };
    const rules = new AddressRules(parts.allow);
    const owners = new OwnerWebhooks(store.webhooks, clock);
    const secrets = new SigningSecrets(store.webhooks);
    const onDue = () => this.#dispatcher.wake();
    this.webhooks = new Webhooks({ store: store.webhooks, owners, secrets, rules, clock, onDue });
    this.#maker = new DeliveryMaker({ store, owners, clock, log, onMade: onDue });
    this.#dispatcher = new Dispatcher({
      store: store.webhooks,
      owners,
      secrets,
      sender: new Sender({ rules, clock, deadlineMs, resolve }),
      clock,
      log,
      pollMs,
      retryDelayMs,
      onTried: parts.onTried,
    });
    const sweep = new EndSweep({ tasks: store.tasks, owners, maker: this.#maker, clock });
    this.#sweep = new Pulse({
      everyMs: sweepMs,
      work: () => sweep.look(),
      onFault: (error) => log.warn({ err: error }, 'cannot look for ends that webhooks have not heard of'),
    });
    this.#prune = new Pulse({
      everyMs: PRUNE_EVERY_MS,
      work: () => store.webhooks.pruneDeliveries(clock.now() - KEPT_MS),
      onFault: (error) => log.warn({ err: error }, 'cannot prune webhook deliveries'),
    });
  }

  start(): void {
    this.#unhear = this.#parts.onTaskChanged((event) => this.#maker.hear(event));
    for (const part of [this.#dispatcher, this.#sweep, this.#prune]) part.start();
  }

  /** Resolves within some seconds. What is being sent then is sent again by whoever finds its lease over. */
  async stop(): Promise<void> {
    this.#unhear();
    await Promise.all([
      this.#maker.settle().then(() => this.#dispatcher.stop()),
      this.#sweep.stop(),
      this.#prune.stop(),
    ]);
  }
}

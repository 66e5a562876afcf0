// The cluster as it is now, for an element: asked for once, then pushed each second.

import type { ReactiveControllerHost } from 'lit';
import type { TelemetryReply } from '../../shared/contracts/workers.ts';
import { LiveSubscription } from './live-subscription.ts';
import { Poll } from './poll.ts';
import type { Session } from './session.ts';

export class TelemetryFeed {
  readonly #poll: Poll<TelemetryReply>;

  /** @param heard is told of each picture, also of those that come faster than the element draws */
  constructor(
    host: ReactiveControllerHost,
    session: () => Session,
    heard: (body: TelemetryReply) => void = () => undefined,
  ) {
    this.#poll = new Poll(host, {
      load: async (signal) => {
        const body = await session().client.telemetry({ signal });
        heard(body);
        return body;
      },
      pushedBy: session,
    });
    new LiveSubscription(host, () =>
      session().live.subscribe('telemetry', {
        telemetry: (body) => {
          heard(body);
          this.#poll.take(body);
        },
      }),
    );
  }

  get data(): TelemetryReply | null {
    return this.#poll.data;
  }

  get error(): Error | null {
    return this.#poll.error;
  }

  get loading(): boolean {
    return this.#poll.loading;
  }

  refresh(): void {
    this.#poll.refresh();
  }
}

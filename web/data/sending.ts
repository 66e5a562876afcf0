// Sends what a form holds: once at a time, with what went wrong kept for the form to tell. Draws nothing.

import type { ReactiveControllerHost } from 'lit';

export class Sending {
  busy = false;
  /** Of the last try; null when it went well or was forgotten. */
  error: Error | null = null;
  readonly #host: Pick<ReactiveControllerHost, 'requestUpdate'>;

  constructor(host: Pick<ReactiveControllerHost, 'requestUpdate'>) {
    this.#host = host;
  }

  /** Does nothing while an earlier one is under way: a second click sends nothing twice. */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = null;
    this.#host.requestUpdate();
    try {
      await work();
    } catch (error) {
      this.error = error as Error;
    } finally {
      this.busy = false;
      this.#host.requestUpdate();
    }
  }

  /** The form is about something else now. */
  forget(): void {
    this.error = null;
    this.#host.requestUpdate();
  }
}

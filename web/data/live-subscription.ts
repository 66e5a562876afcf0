// Keeps an element subscribed to what it asks for while it is on the page. Must never outlive its element.

import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** Begins a subscription and returns what ends it; null when there is nothing to subscribe to yet. */
export type Subscribe = () => (() => void) | null;

export class LiveSubscription implements ReactiveController {
  readonly #subscribe: Subscribe;
  #end: (() => void) | null = null;
  #connected = false;

  constructor(host: ReactiveControllerHost, subscribe: Subscribe) {
    this.#subscribe = subscribe;
    host.addController(this);
  }

  hostConnected(): void {
    this.#connected = true;
    this.restart();
  }

  hostDisconnected(): void {
    this.#connected = false;
    this.#stop();
  }

  /** What is asked for has changed. */
  restart(): void {
    this.#stop();
    if (this.#connected) this.#end = this.#subscribe();
  }

  #stop(): void {
    this.#end?.();
    this.#end = null;
  }
}

// One clock for all elements that show how long ago something was: a timer for each of a thousand rows would wake the
// page all the time.

import type { ReactiveController, ReactiveControllerHost } from 'lit';

const EVERY_MS = 1_000;
const hosts = new Set<ReactiveControllerHost>();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  if (document.hidden) return;
  for (const host of hosts) host.requestUpdate();
}

/** Draws its element anew each second while it is on the page. */
export class Ticker implements ReactiveController {
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    hosts.add(this.#host);
    timer ??= setInterval(tick, EVERY_MS);
  }

  hostDisconnected(): void {
    hosts.delete(this.#host);
    if (hosts.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
}

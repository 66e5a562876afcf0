// Moves between addresses through the History API. Links stay plain <a href>: they open in new tabs and can be copied.

import { type Route, routeOf } from './routes.ts';

/** Sends `change` after each move. */
export class Router extends EventTarget {
  route: Route = routeOf(location.pathname, location.search);
  /** The last move was back or forth through the history: the person has been here before. */
  isReturn = false;
  readonly #onPop = () => this.#arrive(true);
  readonly #onClick = (event: MouseEvent) => this.#follow(event);

  start(): void {
    addEventListener('popstate', this.#onPop);
    addEventListener('click', this.#onClick);
  }

  stop(): void {
    removeEventListener('popstate', this.#onPop);
    removeEventListener('click', this.#onClick);
  }

  go(address: string, { replace = false } = {}): void {
    if (replace) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    this.#arrive(false);
  }

  #arrive(isReturn: boolean): void {
    this.isReturn = isReturn;
    this.route = routeOf(location.pathname, location.search);
    this.dispatchEvent(new Event('change'));
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    // Links are inside shadow roots: the target seen from outside is their host.
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (!link?.href || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || routeOf(url.pathname).page === 'nowhere') return;
    // A link within the page, such as "skip to content", stays the browser's.
    if (url.hash && url.pathname === location.pathname) return;
    event.preventDefault();
    this.go(url.pathname + url.search);
  }
}

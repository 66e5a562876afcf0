// Short news at the edge of the page, for what has no place of its own there: that something was copied, cancelled,
// could not be done. Goes away by itself, but for faults.

import type { LitElement } from 'lit';
import { errorWords } from '../data/error-words.ts';

export interface News {
  readonly kind: 'good' | 'bad';
  readonly text: string;
  /** Where to see it. */
  readonly link?: { readonly href: string; readonly text: string } | undefined;
}

export class TellEvent extends Event {
  static readonly type = 'cloudai-tell';
  readonly news: News;

  constructor(news: News) {
    super(TellEvent.type, { bubbles: true, composed: true });
    this.news = news;
  }
}

export function tell(host: LitElement, text: string, link?: News['link']): void {
  host.dispatchEvent(new TellEvent({ kind: 'good', text, link }));
}

/** @param what was tried, e.g. "Could not cancel it" */
export function tellFault(host: LitElement, what: string, error: unknown): void {
  const { what: why, advice } = errorWords(error as Error);
  host.dispatchEvent(new TellEvent({ kind: 'bad', text: `${what}: ${why}${advice ? `. ${advice}` : ''}` }));
}

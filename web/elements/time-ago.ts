// A moment as people say it ("3m ago"), with the exact time on hover and for screen readers.

import { css, html, LitElement, nothing } from 'lit';
import { age, duration } from '../../client/words.ts';
import { Ticker } from '../data/ticker.ts';

export class TimeAgo extends LitElement {
  static override properties = { at: {}, prefix: {} };
  /** ISO 8601. */
  declare at: string;
  /** A word before it, e.g. "since". */
  declare prefix: string;

  static override styles = css`
    :host { white-space: nowrap; font-variant-numeric: tabular-nums; }
  `;

  constructor() {
    super();
    this.at = '';
    this.prefix = '';
    new Ticker(this);
  }

  override render() {
    if (this.at === '') return nothing;
    return html`${this.prefix} <time datetime=${this.at} title=${new Date(this.at).toLocaleString()}>${relative(this.at, Date.now())}</time>`;
  }
}

/** "now", "3m ago", "in 2m". */
function relative(iso: string, now: number): string {
  const away = Date.parse(iso) - now;
  if (Math.abs(away) < 1_000) return 'now';
  return away > 0 ? `in ${duration(away)}` : `${age(iso, now)} ago`;
}

// The cluster at a glance: what is held of what it has, its tasks by state, its workers.

import { css, html, LitElement, nothing } from 'lit';
import { megabytes, trim } from '../../../client/words.ts';
import type { AmountsBody, TelemetryReply } from '../../../shared/contracts/workers.ts';
import type { Session } from '../../data/session.ts';
import { TelemetryFeed } from '../../data/telemetry-feed.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

export class OverviewPage extends LitElement {
  static override properties = { session: { attribute: false } };
  declare session: Session;
  readonly #telemetry = new TelemetryFeed(this, () => this.session);

  static override styles = [
    base,
    controls,
    css`
      .totals { display: grid; gap: var(--space-4); grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); }
      .totals h3 { font-size: var(--text-small); font-weight: 550; color: var(--ink-soft); }
      .panel h2 { margin-bottom: var(--space-3); }
    `,
  ];

  override render() {
    const { data, error, loading } = this.#telemetry;
    return html`
      <div class="stack">
        <div class="row spread">
          <h1 tabindex="-1">Overview</h1>
          <a class="button primary" href="/submit">Submit a task</a>
        </div>
        ${errorNotice(error, () => this.#telemetry.refresh())}
        ${loading ? html`<div class="panel"><notice-box kind="loading"></notice-box></div>` : nothing}
        ${data ? this.#cluster(data) : nothing}
      </div>
    `;
  }

  #cluster({ totals, tasks_by_state, workers_by_state }: TelemetryReply) {
    const total = (label: string, of: keyof AmountsBody, words: (value: number) => string) => html`
      <div>
        <h3>${label}</h3>
        <usage-bar
          label="${label} held" .held=${totals.reserved[of]} .total=${totals.capacity[of]}
          text="${words(totals.reserved[of])} of ${words(totals.capacity[of])} held"
        ></usage-bar>
      </div>
    `;
    const { capacity } = totals;
    const number = Object.values(workers_by_state).reduce((sum, count) => sum + count, 0);
    return html`
      <section class="panel" aria-labelledby="capacity">
        <h2 id="capacity">Capacity <span class="soft small">of ${workers_by_state.ready} ready ${workers_by_state.ready === 1 ? 'worker' : 'workers'}${number > workers_by_state.ready ? html`, ${number - workers_by_state.ready} not ready` : nothing}</span></h2>
        <div class="totals">
          ${total('Cores', 'cpu', (value) => trim(value, 2))} ${total('Memory', 'memory', megabytes)}
          ${capacity.gpu > 0 ? total('GPUs', 'gpu', String) : nothing}
          ${capacity.storage > 0 ? total('Storage', 'storage', megabytes) : nothing}
        </div>
      </section>
      <section class="panel" aria-labelledby="tasks">
        <h2 id="tasks">Tasks</h2>
        <state-counts .counts=${tasks_by_state}></state-counts>
      </section>
    `;
  }
}

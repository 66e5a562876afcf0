// What was sent to webhooks of late and what came of it; may be sent again.

import { css, html, LitElement, nothing } from 'lit';
import { RotateCw } from 'lucide';
import type { DeliveryBody } from '../../../shared/contracts/webhooks.ts';
import { Poll } from '../../data/poll.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls, tables } from '../../styles/shared.ts';
import { outcomeWords } from './delivery-words.ts';

const SHOWN = 20;

export class WebhookDeliveries extends LitElement {
  static override properties = { session: { attribute: false } };
  declare session: Session;
  readonly #deliveries = new Poll<readonly DeliveryBody[]>(this, {
    load: async (signal) =>
      (await this.session.client.listDeliveries({ limit: SHOWN }, { signal })).deliveries,
    everyMs: 5_000,
  });

  static override styles = [
    base,
    controls,
    tables,
    css`
      td.act { width: 1%; }
      .delivered { color: var(--good); }
      .failed { color: var(--bad); }
      @media (max-width: 44rem) { td.act { width: auto; } }
    `,
  ];

  override render() {
    const { data, error, loading } = this.#deliveries;
    return html`
      <section class="panel stack">
        <h2>Recent deliveries</h2>
        ${errorNotice(error, () => this.#deliveries.refresh())}
        ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
        ${data?.length === 0 ? html`<notice-box kind="empty" heading="Nothing was sent yet">${this.session.may('webhook.create') ? html`<p>The next task that enters a chosen state is told.</p>` : nothing}</notice-box>` : nothing}
        ${data && data.length > 0 ? this.#table(data) : nothing}
      </section>
    `;
  }

  #table(deliveries: readonly DeliveryBody[]) {
    return html`
      <table role="table">
        <thead role="rowgroup"><tr role="row"><th role="columnheader">Task</th><th role="columnheader">Sent to</th><th role="columnheader">Outcome</th><th role="columnheader">When</th><th role="columnheader"><span class="unseen">Actions</span></th></tr></thead>
        <tbody role="rowgroup">${deliveries.map((delivery) => this.#row(delivery))}</tbody>
      </table>
    `;
  }

  #row(delivery: DeliveryBody) {
    return html`
      <tr role="row">
        <td role="cell" data-label="Task"><div><a href="/tasks/${delivery.task_id}"><code>${delivery.task_id.slice(0, 15)}…</code></a> <span class="chip">${delivery.event}</span></div></td>
        <td role="cell" data-label="Sent to"><code>${delivery.url}</code></td>
        <td role="cell" data-label="Outcome"><span class="small ${delivery.state}">${outcomeWords(delivery)}</span></td>
        <td role="cell" data-label="When"><time-ago at=${delivery.tries.at(-1)?.at ?? delivery.created_at}></time-ago></td>
        <td role="cell" class="act right" data-label="">${delivery.state === 'pending' || !this.session.may('webhook.redeliver') ? nothing : html`<button class="icon small quiet" aria-label="Send it again" title="Send it again" @click=${() => this.#again(delivery)}><svg-icon .icon=${RotateCw}></svg-icon></button>`}</td>
      </tr>
    `;
  }

  async #again({ delivery_id }: DeliveryBody): Promise<void> {
    try {
      await this.session.client.redeliver(delivery_id);
      tell(this, 'It is sent again');
    } catch (error) {
      tellFault(this, 'Could not send it again', error);
    }
    this.#deliveries.refresh();
  }
}

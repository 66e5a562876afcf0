// Who is told of one's tasks: the webhooks of a user, and a form for one more.

import { css, html, LitElement, nothing } from 'lit';
import { Trash2 } from 'lucide';
import type { WebhookBody } from '../../../shared/contracts/webhooks.ts';
import { DEFAULT_WEBHOOK_EVENTS, WEBHOOK_EVENTS } from '../../../shared/model/webhook.ts';
import { type FormFaults, formFaults } from '../../data/form-faults.ts';
import { Poll } from '../../data/poll.ts';
import { Sending } from '../../data/sending.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { formField } from '../../elements/form-field.ts';
import { refusalNotice } from '../../elements/refusal-notice.ts';
import { ask } from '../../shell/asking.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls, tables } from '../../styles/shared.ts';

export class OwnWebhooks extends LitElement {
  static override properties = {
    session: { attribute: false },
  };
  declare session: Session;
  readonly #webhooks = new Poll<WebhookBody[]>(this, {
    load: (signal) => this.session.client.listWebhooks({ signal }),
    everyMs: 30_000,
  });
  readonly #sending = new Sending(this);

  static override styles = [
    base,
    controls,
    tables,
    css`
      form { display: grid; gap: var(--space-3); max-width: 34rem; }
      .chips { display: flex; flex-wrap: wrap; gap: var(--space-1); }
      td.act { width: 1%; }
      @media (max-width: 44rem) { td.act { width: auto; } }
    `,
  ];

  override render() {
    const { data, error, loading } = this.#webhooks;
    const faults = formFaults(this.#sending.error, ['url', 'events']);
    return html`
      <section class="panel stack">
        <h2>Webhooks</h2>
        <p class="soft">An address of yours is told when one of your tasks enters a state you choose.</p>
        ${errorNotice(error, () => this.#webhooks.refresh())}
        ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
        ${data && data.length > 0 ? this.#table(data) : nothing}
        ${this.session.may('webhook.create') ? this.#form(faults) : refusalNotice(this.session, 'webhook.create', 'No webhook can be added')}
        ${this.session.may('webhook.see_secret') ? html`<signing-secret .session=${this.session}></signing-secret>` : nothing}
      </section>
    `;
  }

  #form(faults: FormFaults) {
    const isUsual = (event: string) => (DEFAULT_WEBHOOK_EVENTS as readonly string[]).includes(event);
    return html`
        <form @submit=${this.#create}>
          ${formField({ name: 'url', label: 'Address', type: 'url', required: true, placeholder: 'https://ci.example.com/hooks/cloudai' }, faults)}
          <fieldset aria-describedby=${faults.of('events') ? 'events-fault' : nothing}>
            <legend>Told when a task is</legend>
            <div class="row">${WEBHOOK_EVENTS.map((event) => html`<label class="tick"><input type="checkbox" name="events" value=${event} ?checked=${isUsual(event)} />${event}</label>`)}</div>
            ${faults.of('events') ? html`<p class="fault" id="events-fault" role="alert">${faults.of('events')}</p>` : nothing}
          </fieldset>
          ${errorNotice(faults.rest)}
          <div><button class="primary" ?disabled=${this.#sending.busy}>Add the webhook</button></div>
        </form>
    `;
  }

  #table(webhooks: readonly WebhookBody[]) {
    return html`
      <table role="table">
        <thead role="rowgroup"><tr role="row"><th role="columnheader">Address</th><th role="columnheader">Events</th><th role="columnheader">Since</th><th role="columnheader"><span class="unseen">Actions</span></th></tr></thead>
        <tbody role="rowgroup">
          ${webhooks.map(
            (webhook) => html`
              <tr role="row">
                <td role="cell" data-label="Address"><code>${webhook.url}</code></td>
                <td role="cell" data-label="Events"><div class="chips">${webhook.events.map((event) => html`<span class="chip">${event}</span>`)}</div></td>
                <td role="cell" data-label="Since"><time-ago at=${webhook.created_at}></time-ago></td>
                <td role="cell" class="act right" data-label="">${this.session.may('webhook.delete') ? html`<button class="icon small quiet" aria-label="Remove ${webhook.url}" title="Remove" @click=${() => this.#remove(webhook)}><svg-icon .icon=${Trash2}></svg-icon></button>` : nothing}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    `;
  }

  #create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    const events = WEBHOOK_EVENTS.filter((one) => fields.getAll('events').includes(one));
    return this.#sending.run(async () => {
      await this.session.client.createWebhook({ url: String(fields.get('url')).trim(), events });
      form.reset();
      this.#webhooks.refresh();
      tell(this, 'The webhook is added');
    });
  }

  async #remove({ webhook_id, url }: WebhookBody): Promise<void> {
    const answer = await ask(this, {
      heading: 'Remove this webhook?',
      text: `${url} is told nothing more.`,
      confirm: 'Remove it',
      danger: true,
    });
    if (!answer) return;
    try {
      await this.session.client.deleteWebhook(webhook_id);
      tell(this, 'The webhook is removed');
    } catch (error) {
      tellFault(this, 'Could not remove the webhook', error);
    }
    this.#webhooks.refresh();
  }
}

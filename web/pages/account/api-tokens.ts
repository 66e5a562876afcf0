// API tokens for scripts: made here, shown once, taken back. The token itself is kept nowhere but in the open page.

import { css, html, LitElement, nothing } from 'lit';
import { Trash2 } from 'lucide';
import type { NewTokenReply, TokenBody } from '../../../shared/contracts/http.ts';
import { formFaults } from '../../data/form-faults.ts';
import { Poll } from '../../data/poll.ts';
import { Sending } from '../../data/sending.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { formField } from '../../elements/form-field.ts';
import { ask } from '../../shell/asking.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls, tables } from '../../styles/shared.ts';

export class ApiTokens extends LitElement {
  static override properties = {
    session: { attribute: false },
    made: { state: true },
  };
  declare session: Session;
  declare made: NewTokenReply | null;
  readonly #tokens = new Poll<TokenBody[]>(this, {
    load: (signal) => this.session.client.listTokens({ signal }),
    everyMs: 30_000,
  });
  readonly #sending = new Sending(this);

  static override styles = [
    base,
    controls,
    tables,
    css`
      form { display: grid; grid-template-columns: minmax(0, 20rem) auto; gap: var(--space-3); align-items: start; }
      form button { margin-top: 1.45rem; justify-self: start; }
      form .all { grid-column: 1 / -1; }
      .made { background: var(--good-wash); border-radius: var(--radius-small); padding: var(--space-3) var(--space-4); }
      .made code { display: block; padding: var(--space-2) 0; user-select: all; }
      td.act { width: 1%; }
      @media (max-width: 44rem) { form { grid-template-columns: minmax(0, 1fr); } form button { margin-top: 0; } td.act { width: auto; } }
    `,
  ];

  constructor() {
    super();
    this.made = null;
  }

  override render() {
    const { data, error, loading } = this.#tokens;
    const faults = formFaults(this.#sending.error, ['name']);
    return html`
      <section class="panel stack">
        <h2>API tokens</h2>
        <p class="soft">For scripts and the command line: a token acts as you until you take it back.</p>
        <form @submit=${this.#create}>
          ${formField({ name: 'name', label: 'What it is for', required: true, placeholder: 'nightly build' }, faults)}
          <button class="primary" ?disabled=${this.#sending.busy}>Create a token</button>
          ${faults.rest ? html`<div class="all">${errorNotice(faults.rest)}</div>` : nothing}
        </form>
        <div role="status">${this.#shown()}</div>
        ${errorNotice(error, () => this.#tokens.refresh())}
        ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
        ${data?.length === 0 ? html`<notice-box kind="empty" heading="No API tokens yet"><p>Name one above. Scripts send it as “Authorization: Bearer …”.</p></notice-box>` : nothing}
        ${data && data.length > 0 ? this.#table(data) : nothing}
      </section>
    `;
  }

  #shown() {
    if (!this.made) return nothing;
    return html`
      <div class="made">
        <strong>${this.made.name}: copy the token now. It is not shown again.</strong>
        <code>${this.made.token}</code>
        <div class="row tight">
          <copy-button wide label="Copy the token" .text=${this.made.token}></copy-button>
          <button class="small" @click=${this.#hide}>I have it</button>
        </div>
      </div>
    `;
  }

  #table(tokens: readonly TokenBody[]) {
    return html`
      <table role="table">
        <thead role="rowgroup"><tr role="row"><th role="columnheader">Name</th><th role="columnheader">Created</th><th role="columnheader">Last used</th><th role="columnheader"><span class="unseen">Actions</span></th></tr></thead>
        <tbody role="rowgroup">
          ${tokens.map(
            (token) => html`
              <tr role="row">
                <td role="cell" data-label="Name">${token.name}</td>
                <td role="cell" data-label="Created"><time-ago at=${token.created_at}></time-ago></td>
                <td role="cell" data-label="Last used">${token.last_used_at === null ? html`<span class="soft">never</span>` : html`<time-ago at=${token.last_used_at}></time-ago>`}</td>
                <td role="cell" class="act right" data-label=""><button class="small quiet" aria-label="Take back ${token.name}" @click=${() => this.#remove(token)}><svg-icon .icon=${Trash2}></svg-icon>Take back</button></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    `;
  }

  #hide(): void {
    this.made = null;
  }

  #create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = String(new FormData(form).get('name')).trim();
    return this.#sending.run(async () => {
      this.made = await this.session.client.createToken(name);
      form.reset();
      this.#tokens.refresh();
    });
  }

  async #remove({ token_id, name }: TokenBody): Promise<void> {
    const answer = await ask(this, {
      heading: `Take back “${name}”?`,
      text: 'Whatever uses it is refused from then on.',
      confirm: 'Take it back',
      danger: true,
    });
    if (!answer) return;
    try {
      await this.session.client.deleteToken(token_id);
      if (this.made?.token_id === token_id) this.made = null;
      tell(this, `${name} was taken back`);
    } catch (error) {
      tellFault(this, `Could not take back ${name}`, error);
    }
    this.#tokens.refresh();
  }
}

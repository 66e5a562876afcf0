// For admins: takes a machine into the cluster on which a runner waits. Sends `registered` when there is news of it.

import { css, html, LitElement, nothing } from 'lit';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { Sending } from '../../data/sending.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

export class RegisterMachine extends LitElement {
  static override properties = {
    session: { attribute: false },
    said: { state: true },
  };
  declare session: Session;
  declare said: string;
  readonly #sending = new Sending(this);

  static override styles = [
    base,
    controls,
    css`
      .lead { margin: 0 0 var(--space-3); }
      form { display: grid; gap: var(--space-3); grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); align-items: start; }
      button { margin-top: 1.45rem; }
      .all { grid-column: 1 / -1; overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    this.said = '';
  }

  override render() {
    return html`
      <h2>Register a machine</h2>
      <p class="lead small soft">On the machine, <code>npm run worker</code> waits to be called. It gets its settings from the cluster and joins.</p>
        <form @submit=${this.#submit}>
          <div>
            <label for="id">Name</label>
            <input id="id" name="id" required autocapitalize="none" spellcheck="false" autocomplete="off" placeholder="worker-3" />
          </div>
          <div>
            <label for="address">Address</label>
            <input id="address" name="address" required autocapitalize="none" spellcheck="false" autocomplete="off" placeholder="192.168.1.102:50052" aria-describedby="where" />
            <p class="hint" id="where">Host and port where it waits</p>
          </div>
          <div><button class="primary" ?disabled=${this.#sending.busy}>${this.#sending.busy ? 'Calling it…' : 'Register'}</button></div>
          ${this.#sending.error ? html`<div class="all">${errorNotice(this.#sending.error)}</div>` : nothing}
          <p class="all" role="status">${this.said}</p>
        </form>
    `;
  }

  #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    const id = String(fields.get('id')).trim();
    const address = String(fields.get('address')).trim();
    return this.#sending.run(async () => {
      this.said = '';
      this.said = inWords(await this.session.client.registerWorker(id, address));
      form.reset();
      this.dispatchEvent(new Event('registered'));
    });
  }
}

function inWords({ worker_id, state, message }: WorkerBody): string {
  if (message === null) return `${worker_id} has joined and is ${state}.`;
  return `${worker_id} is ${state}: ${message}. It is called again and again until it joins.`;
}

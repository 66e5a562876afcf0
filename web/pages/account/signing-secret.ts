// The secret that webhooks are signed with: fetched when it is asked for, hidden until then.

import { css, html, LitElement, nothing } from 'lit';
import type { Session } from '../../data/session.ts';
import { ask } from '../../shell/asking.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';

export class SigningSecret extends LitElement {
  static override properties = {
    session: { attribute: false },
    secret: { state: true },
    busy: { state: true },
  };
  declare session: Session;
  declare secret: string;
  declare busy: boolean;

  static override styles = [base, controls, css`code { user-select: all; }`];

  constructor() {
    super();
    this.secret = '';
    this.busy = false;
  }

  override render() {
    return html`
      <div class="stack tight">
        <h3>Signing secret</h3>
        <p class="soft small">What is sent is signed with it after the Standard Webhooks specification, so that the other side can check that it comes from here.</p>
        <div class="row tight">
          ${this.secret === '' ? html`<button class="small" ?disabled=${this.busy} @click=${this.#show}>Show the secret</button>` : html`<code>${this.secret}</code><copy-button label="Copy the secret" .text=${this.secret}></copy-button><button class="small" @click=${this.#hide}>Hide</button>`}
          <button class="small" ?disabled=${this.busy} @click=${this.#rotate}>Make a new one</button>
          ${this.busy ? html`<span class="soft small" role="status">One moment…</span>` : nothing}
        </div>
      </div>
    `;
  }

  #hide(): void {
    this.secret = '';
  }

  async #show(): Promise<void> {
    await this.#take(() => this.session.client.signingSecret(), 'Could not fetch the secret');
  }

  async #rotate(): Promise<void> {
    const answer = await ask(this, {
      heading: 'Make a new signing secret?',
      text: 'What is sent from then on is signed with it. Whoever checks with the old one refuses it until told.',
      confirm: 'Make a new one',
      keep: 'Keep the old one',
      danger: true,
    });
    if (!answer) return;
    if (await this.#take(() => this.session.client.rotateSigningSecret(), 'Could not make a new secret')) {
      tell(this, 'There is a new signing secret');
    }
  }

  async #take(fetchSecret: () => Promise<string>, fault: string): Promise<boolean> {
    this.busy = true;
    try {
      this.secret = await fetchSecret();
      return true;
    } catch (error) {
      tellFault(this, fault, error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}

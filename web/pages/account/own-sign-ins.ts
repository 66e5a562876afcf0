// Where one is signed in, as far as it matters: everywhere at once it can be ended.

import { html, LitElement } from 'lit';
import type { Session } from '../../data/session.ts';
import { base, controls } from '../../styles/shared.ts';

export class OwnSignIns extends LitElement {
  static override properties = { session: { attribute: false } };
  declare session: Session;

  static override styles = [base, controls];

  override render() {
    return html`
      <section class="panel stack">
        <h2>Sign-ins</h2>
        <p class="soft">Signed in on a machine that is out of your hands? All sign-ins of this account end within seconds, this one too. “Sign out” below the navigation ends this one alone.</p>
        <end-sign-ins .session=${this.session} username=${this.session.user?.username ?? ''}></end-sign-ins>
      </section>
    `;
  }
}

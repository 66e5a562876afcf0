// Another password for oneself. All other sign-ins end with it; this one goes on with a fresh token.

import { css, html, LitElement } from 'lit';
import { formFaults } from '../../data/form-faults.ts';
import { Sending } from '../../data/sending.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { formField } from '../../elements/form-field.ts';
import { tell } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';

export class ChangePassword extends LitElement {
  static override properties = {
    session: { attribute: false },
  };
  declare session: Session;
  readonly #sending = new Sending(this);

  static override styles = [
    base,
    controls,
    css`form { display: grid; gap: var(--space-4); max-width: 24rem; }`,
  ];

  override render() {
    const faults = formFaults(this.#sending.error, ['current_password', 'new_password']);
    const username = this.session.user?.username ?? '';
    return html`
      <section class="panel stack">
        <h2>Change the password</h2>
        <p class="soft">You are signed out everywhere else. API tokens stay good.</p>
        <form @submit=${this.#submit}>
          <input class="unseen" type="text" name="username" autocomplete="username" .value=${username} tabindex="-1" aria-hidden="true" readonly />
          ${formField({ name: 'current_password', label: 'Current password', type: 'password', autocomplete: 'current-password', required: true }, faults)}
          ${formField({ name: 'new_password', label: 'New password', type: 'password', autocomplete: 'new-password', required: true, minLength: 8, hint: '8 characters or more' }, faults)}
          ${errorNotice(faults.rest)}
          <div><button class="primary" ?disabled=${this.#sending.busy}>${this.#sending.busy ? 'One moment…' : 'Change the password'}</button></div>
        </form>
      </section>
    `;
  }

  #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    return this.#sending.run(async () => {
      const reply = await this.session.client.changePassword({
        current_password: String(fields.get('current_password')),
        new_password: String(fields.get('new_password')),
      });
      form.reset();
      this.session.renew(reply);
      tell(this, 'The password is changed');
    });
  }
}

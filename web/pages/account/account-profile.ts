// Who one is, and what one uses of what one may have.

import { css, html, LitElement } from 'lit';
import type { Role } from '../../../shared/model/user.ts';
import { Poll } from '../../data/poll.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

const ROLE_WORDS: Readonly<Record<Role, string>> = {
  admin: 'Admin: sees and manages everything',
  user: 'User: sees own tasks and files',
  viewer: 'Viewer: sees all tasks, changes nothing',
};

export class AccountProfile extends LitElement {
  static override properties = { session: { attribute: false } };
  declare session: Session;
  readonly #me = new Poll(this, {
    load: (signal) => this.session.client.me({ signal }),
    everyMs: 15_000,
  });

  static override styles = [
    base,
    controls,
    css`
      dl { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: var(--space-2) var(--space-4); align-items: baseline; }
      dt { color: var(--ink-soft); font-size: var(--text-small); }
      dd { margin: 0; overflow-wrap: anywhere; }
      @media (max-width: 30rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: var(--space-3); } }
    `,
  ];

  override render() {
    const { data: me, error, loading } = this.#me;
    return html`
      <section class="panel stack">
        <h2>Profile</h2>
        ${errorNotice(error, () => this.#me.refresh())}
        ${loading ? html`<notice-box kind="loading"></notice-box>` : ''}
        ${
          me
            ? html`
                <dl>
                  <dt>Username</dt><dd>${me.username}</dd>
                  <dt>Role</dt><dd>${ROLE_WORDS[me.role]}</dd>
                  <dt>Since</dt><dd>${new Date(me.created_at).toLocaleDateString(undefined, { dateStyle: 'long' })}</dd>
                  <dt>In use</dt><dd><quota-bars .account=${me}></quota-bars></dd>
                </dl>
                <p class="hint">Limits are set by an admin. Unfinished tasks are those that wait or run; held is what your placed tasks have set aside. A task that would go beyond what you may hold is accepted and waits until others of yours have ended.</p>
              `
            : ''
        }
      </section>
    `;
  }
}

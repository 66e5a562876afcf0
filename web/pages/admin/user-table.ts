// Accounts in a table: role, state, what they use.

import { css, html, LitElement, nothing } from 'lit';
import { ListTodo, Pencil } from 'lucide';
import type { AccountBody } from '../../../shared/contracts/users.ts';
import { addressOf } from '../../data/routes.ts';
import { base, controls, tables } from '../../styles/shared.ts';

export class UserTable extends LitElement {
  static override properties = {
    users: { attribute: false },
    own: {},
    addressOf: { attribute: false },
  };
  declare users: readonly AccountBody[];
  /** Who is looking. */
  declare own: string;
  /** Where an account is changed. */
  declare addressOf: (username: string) => string;

  static override styles = [
    base,
    controls,
    tables,
    css`
      .name { font-weight: 600; }
      .chip { white-space: nowrap; }
      td.use { width: 38%; }
      td.word { white-space: nowrap; }
      td.act { width: 1%; white-space: nowrap; }
      .off { background: var(--bad-wash); color: var(--bad); }
      .admin { background: var(--accent-wash); color: var(--accent); }
      @media (max-width: 44rem) { td.use, td.act { width: auto; } }
    `,
  ];

  override render() {
    return html`
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">User</th><th role="columnheader">Role</th><th role="columnheader">State</th>
            <th role="columnheader">In use</th><th role="columnheader">Since</th><th role="columnheader"><span class="unseen">Actions</span></th>
          </tr>
        </thead>
        <tbody role="rowgroup">${this.users.map((user) => this.#row(user))}</tbody>
      </table>
    `;
  }

  #row(user: AccountBody) {
    const { username, role, disabled } = user;
    return html`
      <tr role="row">
        <td role="cell" data-label="User"><div><span class="name">${username}</span>${username === this.own ? html` <span class="soft small">you</span>` : nothing}</div></td>
        <td role="cell" data-label="Role"><div><span class="chip ${role}">${role}</span></div></td>
        <td role="cell" class="word" data-label="State"><div>${disabled ? html`<span class="chip off">disabled</span>` : html`<span class="soft small">active</span>`}</div></td>
        <td role="cell" class="use" data-label="In use"><quota-bars .account=${user}></quota-bars></td>
        <td role="cell" class="word" data-label="Since"><time-ago at=${user.created_at}></time-ago></td>
        <td role="cell" class="act right" data-label="">
          <div>
            <a class="button icon small quiet" href=${addressOf('/tasks', { user: username })} aria-label="Tasks of ${username}" title="Tasks"><svg-icon .icon=${ListTodo}></svg-icon></a>
            <a class="button small quiet" href=${this.addressOf(username)} aria-label="Change ${username}"><svg-icon .icon=${Pencil}></svg-icon>Change</a>
          </div>
        </td>
      </tr>
    `;
  }
}

// One's own account: who one is, the password, API tokens, webhooks. Which part is open stands in the address.

import { css, html, LitElement, nothing } from 'lit';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { base, controls, tabs } from '../../styles/shared.ts';

const PARTS = [
  ['profile', 'Profile'],
  ['password', 'Sign-in'],
  ['tokens', 'API tokens'],
  ['webhooks', 'Webhooks'],
] as const;
type Part = (typeof PARTS)[number][0];

export class AccountPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;

  static override styles = [
    base,
    controls,
    tabs,
    css`
      .stack { max-width: 56rem; }
    `,
  ];

  override render() {
    const open = PARTS.find(([part]) => part === this.route.query.get('view'))?.[0] ?? 'profile';
    return html`
      <div class="stack">
        <h1 tabindex="-1">Account</h1>
        <nav class="tabs" aria-label="Account">
          ${PARTS.map(([part, label]) => html`<a href=${addressOf('/account', { view: part === 'profile' ? null : part })} aria-current=${part === open ? 'page' : nothing}>${label}</a>`)}
        </nav>
        ${this.#part(open)}
      </div>
    `;
  }

  #part(part: Part) {
    const { session } = this;
    switch (part) {
      case 'profile':
        return html`<account-profile .session=${session}></account-profile>`;
      case 'password':
        return html`<change-password .session=${session}></change-password><own-sign-ins .session=${session}></own-sign-ins>`;
      case 'tokens':
        return html`<api-tokens .session=${session}></api-tokens>`;
      case 'webhooks':
        return html`<own-webhooks .session=${session}></own-webhooks><webhook-deliveries .session=${session}></webhook-deliveries>`;
    }
  }
}

// Files.

import { html, LitElement } from 'lit';
import type { Router } from '../../data/router.ts';
import type { Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { base, controls } from '../../styles/shared.ts';

export class FilesPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;

  static override styles = [base, controls];

  override render() {
    return html`<h1 tabindex="-1">Files</h1>`;
  }
}

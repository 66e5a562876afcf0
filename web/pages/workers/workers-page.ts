// The machines of the cluster.

import { html, LitElement, nothing } from 'lit';
import type { Router } from '../../data/router.ts';
import type { Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { TelemetryFeed } from '../../data/telemetry-feed.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

export class WorkersPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  readonly #telemetry = new TelemetryFeed(this, () => this.session);

  static override styles = [base, controls];

  override render() {
    const { data, error, loading } = this.#telemetry;
    return html`
      <div class="stack">
        <h1 tabindex="-1">Workers</h1>
        ${errorNotice(error, () => this.#telemetry.refresh())}
        <section class="panel">
          ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
          ${
            data?.workers.length === 0
              ? html`<notice-box kind="empty" heading="No machine has joined yet"><p>Start a runner on one: it registers by itself. Tasks wait until then.</p></notice-box>`
              : nothing
          }
          ${data && data.workers.length > 0 ? html`<worker-table .workers=${data.workers}></worker-table>` : nothing}
          ${this.session.user?.role === 'admin' ? html`<register-machine .session=${this.session} @registered=${() => this.#telemetry.refresh()}></register-machine>` : nothing}
        </section>
      </div>
    `;
  }
}

// Who did what, for admins, newest first. The filters and the place in the list stand in the address.

import { css, html, LitElement, nothing } from 'lit';
import type { AuditListReply } from '../../../shared/contracts/audit.ts';
import { AUDIT_ACTIONS } from '../../../shared/model/audit.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { refusalNotice } from '../../elements/refusal-notice.ts';
import { base, controls } from '../../styles/shared.ts';

const PAGE = 100;
const FILTERS = ['actor', 'action', 'target', 'from'] as const;
type Filter = (typeof FILTERS)[number];

const KINDS = [...new Set(AUDIT_ACTIONS.map((action) => action.split('.', 1)[0] ?? ''))];
const TIMES: readonly (readonly [string, string])[] = [
  ['', 'any time'],
  ['-1h', 'the last hour'],
  ['-24h', 'the last day'],
  ['-7d', 'the last 7 days'],
  ['-30d', 'the last 30 days'],
];

export class AuditPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  readonly #entries = new Poll<AuditListReply>(this, {
    load: (signal) => this.#load(signal),
    everyMs: 5_000,
  });
  #asked = '';

  static override styles = [
    base,
    controls,
    css`
      .filters { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: var(--space-3); margin-bottom: var(--space-4); align-items: end; }
      .filters label { display: grid; gap: var(--space-1); color: var(--ink-soft); font-size: var(--text-small); }
      .ways { margin-top: var(--space-3); }
    `,
  ];

  override willUpdate(): void {
    const asked = this.route.query.toString();
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#entries.restart();
  }

  override render() {
    if (!this.session.may('audit.see')) {
      return html`
        <div class="stack">
          <h1 tabindex="-1">Audit log</h1>
          <div class="panel">${refusalNotice(this.session, 'audit.see', 'This page is for admins')}</div>
        </div>
      `;
    }
    const { data, error, loading } = this.#entries;
    return html`
      <div class="stack">
        <h1 tabindex="-1">Audit log</h1>
        <section class="panel">
          ${this.#filters()}
          ${errorNotice(error, () => this.#entries.refresh())}
          ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing}
          ${data?.entries.length === 0 ? html`<notice-box kind="empty" heading="Nothing of that kind was done"><p><a href="/audit">Show all</a></p></notice-box>` : nothing}
          ${data && data.entries.length > 0 ? html`<audit-table .entries=${data.entries}></audit-table>` : nothing}
          ${data ? this.#ways(data) : nothing}
        </section>
      </div>
    `;
  }

  #filters() {
    const { query } = this.route;
    const action = query.get('action') ?? '';
    return html`
      <form class="filters" @submit=${this.#submit} @change=${this.#chosen}>
        <label>Done by<input name="actor" placeholder="username" .value=${query.get('actor') ?? ''} /></label>
        <label>Action<select name="action">
          <option value="" ?selected=${action === ''}>any</option>
          ${KINDS.map((kind) => html`<option value=${kind} ?selected=${action === kind}>${kind.replaceAll('_', ' ')}: all</option>`)}
          ${AUDIT_ACTIONS.map((one) => html`<option value=${one} ?selected=${action === one}>${one}</option>`)}
        </select></label>
        <label>Done to<input name="target" placeholder="task, user, worker, file" .value=${query.get('target') ?? ''} /></label>
        <label>When<select name="from">
          ${TIMES.map(([value, words]) => html`<option value=${value} ?selected=${(query.get('from') ?? '') === value}>${words}</option>`)}
        </select></label>
        <button type="submit">Filter</button>
      </form>
    `;
  }

  #ways({ next_cursor }: AuditListReply) {
    const isBack = this.route.query.has('cursor');
    return html`
      <div class="row tight ways">
        ${isBack ? html`<a class="button" href=${this.#address(null)}>Newest</a>` : nothing}
        ${next_cursor === null ? nothing : html`<a class="button" href=${this.#address(next_cursor)}>Older</a>`}
      </div>
    `;
  }

  #address(cursor: string | null): string {
    const kept = FILTERS.map((name): [Filter, string | null] => [name, this.route.query.get(name)]);
    return addressOf('/audit', { ...Object.fromEntries(kept), cursor });
  }

  #load(signal: AbortSignal): Promise<AuditListReply> {
    // Who is no admin sees why there is nothing here.
    if (!this.session.may('audit.see')) return Promise.resolve({ entries: [], next_cursor: null });
    const of = (name: string) => this.route.query.get(name) || undefined;
    const question = { actor: of('actor'), action: of('action'), target: of('target'), from: of('from') };
    return this.session.client.listAudit({ ...question, cursor: of('cursor'), limit: PAGE }, { signal });
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    this.#go(event.currentTarget as HTMLFormElement);
  }

  #chosen(event: Event): void {
    // What is typed counts when it is sent.
    if (event.target instanceof HTMLSelectElement) this.#go(event.currentTarget as HTMLFormElement);
  }

  #go(form: HTMLFormElement): void {
    const given = new FormData(form);
    const wanted = FILTERS.map((name) => [name, String(given.get(name) ?? '').trim()]);
    this.router.go(addressOf('/audit', Object.fromEntries(wanted)), { replace: true });
  }
}

// What an account uses of what it may have: a bar where there is a limit, the amount alone where there is none.

import { css, html, LitElement, nothing } from 'lit';
import { megabytes } from '../../client/words.ts';
import type { AccountBody } from '../../shared/contracts/users.ts';
import { base } from '../styles/shared.ts';

export class QuotaBars extends LitElement {
  static override properties = { account: { attribute: false }, only: {} };
  declare account: AccountBody;
  /** One of them alone. */
  declare only: keyof AccountBody['quota'] | undefined;

  static override styles = [
    base,
    css`
      :host { display: grid; gap: var(--space-2) var(--space-4); grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); }
      .free { font-size: var(--text-small); }
    `,
  ];

  override render() {
    const { only } = this;
    const { quota, used } = this.account;
    return html`
      ${only === 'upload_storage' ? nothing : bar('Unfinished tasks', used.unfinished_tasks, quota.unfinished_tasks, (count) => count.toLocaleString(), 'unfinished tasks')}
      ${only === 'unfinished_tasks' ? nothing : bar('Storage of uploads', used.upload_storage, quota.upload_storage, megabytes, 'uploads')}
    `;
  }
}

function bar(
  label: string,
  held: number,
  limit: number | null,
  words: (amount: number) => string,
  what: string,
) {
  if (limit === null)
    return html`<div class="free number">${words(held)} <span class="soft">${what}</span></div>`;
  return html`<usage-bar label=${label} .held=${held} .total=${limit} text="${words(held)} of ${words(limit)} ${what}"></usage-bar>`;
}

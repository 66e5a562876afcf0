// What an account uses of what it may have: a bar where there is a limit, the amount alone where there is none.

import { css, html, LitElement, nothing } from 'lit';
import { megabytes, trim } from '../../client/words.ts';
import type { AccountBody } from '../../shared/contracts/users.ts';
import { base } from '../styles/shared.ts';

type Part = keyof AccountBody['used'];

interface PartWords {
  readonly label: string;
  readonly words: (amount: number) => string;
  readonly what: string;
  /** Of one; the same where it is not counted. */
  readonly one: string;
  /** Told also while nothing is used. */
  readonly always: boolean;
}

const count = (amount: number) => amount.toLocaleString();
const PARTS: Readonly<Record<Part, PartWords>> = {
  unfinished_tasks: {
    label: 'Unfinished tasks',
    words: count,
    what: 'unfinished tasks',
    one: 'unfinished task',
    always: true,
  },
  cpu: { label: 'Cores held', words: (cores) => trim(cores, 2), what: 'cores', one: 'core', always: false },
  memory: { label: 'Memory held', words: megabytes, what: 'memory', one: 'memory', always: false },
  gpu: { label: 'GPUs held', words: count, what: 'GPUs', one: 'GPU', always: false },
  upload_storage: {
    label: 'Storage of uploads',
    words: megabytes,
    what: 'uploads',
    one: 'uploads',
    always: true,
  },
};

export class QuotaBars extends LitElement {
  static override properties = { account: { attribute: false }, only: {} };
  declare account: AccountBody;
  /** One of them alone. */
  declare only: Part | undefined;

  static override styles = [
    base,
    css`
      :host { display: grid; gap: var(--space-2) var(--space-4); grid-template-columns: repeat(auto-fit, minmax(min(100%, 9.75rem), 1fr)); }
      .free { font-size: var(--text-small); }
    `,
  ];

  override render() {
    const { only } = this;
    const names = only ? [only] : (Object.keys(PARTS) as Part[]);
    return names.map((name) => this.#part(name));
  }

  #part(name: Part) {
    const { quota, used } = this.account;
    const { label, words, what, one, always } = PARTS[name];
    // Nothing of what there is no limit of: no news.
    if (quota[name] === null && used[name] === 0 && !always && this.only !== name) return nothing;
    const noun = (quota[name] ?? used[name]) === 1 ? one : what;
    const isTold = always || quota[name] !== null;
    return bar(label, used[name], quota[name], words, isTold ? noun : `${noun} held`);
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

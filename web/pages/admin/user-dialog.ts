// A dialog to add an account, or to change one: role, limits, password, whether it may be used. Sends `changed` when the
// API has accepted, and `close` when it is over.

import { css, html, LitElement, nothing } from 'lit';
import { megabytes, trim } from '../../../client/words.ts';
import type { AccountBody } from '../../../shared/contracts/users.ts';
import { ROLES, type Role } from '../../../shared/model/user.ts';
import { formFaults } from '../../data/form-faults.ts';
import { Sending } from '../../data/sending.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { formField } from '../../elements/form-field.ts';
import { tell } from '../../shell/telling.ts';
import { base, controls, dialogs } from '../../styles/shared.ts';
import { changeOf, limitText, QUOTA_FIELDS } from './user-changes.ts';

const ROLE_WORDS: Readonly<Record<Role, string>> = {
  admin: 'admin: sees and manages everything',
  user: 'user: sees own tasks and files',
  viewer: 'viewer: sees all tasks, changes nothing',
};
const FIELDS = ['username', 'password', 'role', 'disabled', ...Object.values(QUOTA_FIELDS)];

export class UserDialog extends LitElement {
  static override properties = {
    session: { attribute: false },
    username: {},
    account: { state: true },
    loadError: { state: true },
  };
  declare session: Session;
  /** Whose account is changed; empty: a new one is added. */
  declare username: string;
  declare account: AccountBody | null;
  declare loadError: Error | null;
  readonly #sending = new Sending(this);

  static override styles = [
    base,
    controls,
    dialogs,
    css`
      dialog { width: 32rem; }
      form { display: grid; gap: var(--space-4); margin-top: var(--space-4); }
      .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: var(--space-3); align-items: start; }
      .three { grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); }
      .all { grid-column: 1 / -1; margin: 0; }
      legend { color: var(--ink-soft); margin-bottom: var(--space-2); }
      h2 { overflow-wrap: anywhere; }
      .ending { border-top: 1px solid var(--line); padding-top: var(--space-4); display: grid; gap: var(--space-2); }
    `,
  ];

  constructor() {
    super();
    this.username = '';
    this.account = null;
    this.loadError = null;
  }

  override firstUpdated(): void {
    this.#box?.showModal();
    void this.#load();
  }

  override updated(changed: Map<string, unknown>): void {
    // The form came after the dialog: keys go to its first field.
    if (changed.has('account') && this.account) {
      this.renderRoot.querySelector<HTMLElement>('select, input')?.focus();
    }
  }

  override render() {
    const isNew = this.username === '';
    return html`
      <dialog aria-labelledby="heading" @close=${this.#closed} @click=${this.#clicked}>
        <h2 id="heading">${isNew ? 'Add a user' : `Change ${this.username}`}</h2>
        ${errorNotice(this.loadError, () => void this.#load())}
        ${isNew || this.account ? this.#form(this.account) : this.loadError ? nothing : html`<notice-box kind="loading"></notice-box>`}
      </dialog>
    `;
  }

  #form(account: AccountBody | null) {
    const faults = formFaults(this.#sending.error, FIELDS);
    const isOwn = account !== null && account.username === this.session.user?.username;
    return html`
      <form @submit=${this.#submit}>
        ${isOwn ? html`<p class="soft small">This is your own account. Without the role of an admin, or disabled, you cannot change it back yourself.</p>` : nothing}
        ${account ? nothing : formField({ name: 'username', label: 'Username', required: true }, faults)}
        ${this.#role(account?.role ?? 'user', faults.of('role'))}
        ${formField(
          account
            ? {
                name: 'password',
                label: 'New password',
                type: 'password',
                autocomplete: 'new-password',
                minLength: 8,
                hint: 'Leave it empty to keep the old one. A new one signs the user out everywhere.',
              }
            : {
                name: 'password',
                label: 'Password',
                type: 'password',
                autocomplete: 'new-password',
                minLength: 8,
                required: true,
                hint: '8 characters or more',
              },
          faults,
        )}
        ${account ? this.#limits(account, faults) : nothing}
        ${account ? html`<label class="tick"><input type="checkbox" name="disabled" ?checked=${account.disabled} />Disabled: cannot sign in, and its tokens are refused</label>` : nothing}
        ${errorNotice(faults.rest)}
        ${
          account
            ? html`<section class="ending" aria-labelledby="ending"><h3 id="ending">Sign-ins</h3><p class="hint">Ended at once, without Save.</p><end-sign-ins .session=${this.session} username=${account.username}></end-sign-ins></section>`
            : nothing
        }
        <div class="row end">
          <button type="button" @click=${this.#shut}>Cancel</button>
          <button class="primary" ?disabled=${this.#sending.busy}>${this.#sending.busy ? 'One moment…' : account ? 'Save' : 'Add the user'}</button>
        </div>
      </form>
    `;
  }

  #role(role: Role, fault: string) {
    return html`
      <div>
        <label for="role">Role</label>
        <select id="role" name="role">${ROLES.toReversed().map((one) => html`<option value=${one} ?selected=${one === role}>${ROLE_WORDS[one]}</option>`)}</select>
        ${fault ? html`<p class="fault" role="alert">${fault}</p>` : nothing}
      </div>
    `;
  }

  #limits({ quota, used }: AccountBody, faults: ReturnType<typeof formFaults>) {
    const limit = (
      name: keyof typeof QUOTA_FIELDS,
      label: string,
      hint: string,
      step = '1',
      placeholder = 'no limit',
    ) =>
      formField(
        {
          name: QUOTA_FIELDS[name],
          label,
          type: 'number',
          min: 0,
          step,
          hint,
          value: limitText(quota[name] ?? null),
          placeholder,
        },
        faults,
      );
    const rate = (name: 'rate_limit_reads' | 'rate_limit_writes', label: string) =>
      limit(name, label, '', '1', 'as set for all');
    const count = used.unfinished_tasks.toLocaleString();
    return html`
      <fieldset class="pair">
        <legend>What it may have</legend>
        ${limit('unfinished_tasks', 'Unfinished tasks at most', `Has ${count} now`)}
        ${limit('upload_storage', 'Uploads at most (MB)', `Has ${megabytes(used.upload_storage)} now`)}
      </fieldset>
      <fieldset class="pair three">
        <legend>What its placed tasks may hold at a time, at most</legend>
        ${limit('cpu', 'Cores', `Holds ${trim(used.cpu, 3)} now`, 'any')}
        ${limit('memory', 'Memory (MB)', `Holds ${megabytes(used.memory)} now`)}
        ${limit('gpu', 'GPUs', `Holds ${used.gpu.toLocaleString()} now`)}
        <p class="hint all">What goes beyond that is accepted and waits until others of this user have ended.</p>
      </fieldset>
      <fieldset class="pair">
        <legend>Requests a second it may make, over 10 s</legend>
        ${rate('rate_limit_reads', 'Reads at most')}
        ${rate('rate_limit_writes', 'Writes at most')}
        <p class="hint all">Empty: what the settings of the API say. 0: any number.</p>
      </fieldset>
    `;
  }

  get #box(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  async #load(): Promise<void> {
    if (this.username === '') return;
    this.loadError = null;
    try {
      this.account = await this.session.client.getUser(this.username);
    } catch (error) {
      this.loadError = error as Error;
    }
  }

  #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    return this.#sending.run(async () => {
      tell(this, await this.#send(form));
      this.dispatchEvent(new Event('changed'));
      this.#shut();
    });
  }

  /** @returns what was done, in words */
  async #send(form: FormData): Promise<string> {
    const { client } = this.session;
    if (this.account) {
      const change = changeOf(form, this.account);
      if (Object.keys(change).length === 0) return `Nothing was changed for ${this.username}`;
      await client.updateUser(this.username, change);
      return `${this.username} is changed`;
    }
    const username = String(form.get('username')).trim();
    const role = ROLES.find((one) => one === form.get('role')) ?? 'user';
    await client.createUser({ username, password: String(form.get('password')), role });
    return `${username} is added`;
  }

  #shut(): void {
    this.#box?.close();
  }

  #clicked(event: MouseEvent): void {
    if (event.target === event.currentTarget) this.#shut();
  }

  #closed(): void {
    this.dispatchEvent(new Event('close'));
  }
}

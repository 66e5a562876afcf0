// Sign in, or make an account and sign in with it. Asks, never keeps a password.

import { css, html, LitElement, nothing } from 'lit';
import { Eye, EyeOff } from 'lucide';
import { ApiError } from '../../../client/client.ts';
import { Sending } from '../../data/sending.ts';
import type { Session, SignInEnd } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

const END_WORDS: Readonly<Record<SignInEnd, string>> = {
  refused: 'Your sign-in has ended. Please sign in again.',
  everywhere: 'You are signed out everywhere. Your API tokens are still good.',
  'everywhere with tokens': 'You are signed out everywhere, and your API tokens are taken back.',
};

export class SignInPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    register: { state: true },
    plain: { state: true },
  };
  declare session: Session;
  declare register: boolean;
  /** The password is shown as it is typed. */
  declare plain: boolean;
  readonly #sending = new Sending(this);

  static override styles = [
    base,
    controls,
    css`
      :host { max-width: 24rem; margin: min(14vh, 9rem) auto 0; }
      .panel { padding: var(--space-5); }
      .mark { width: 2.75rem; height: 2.75rem; display: block; margin-bottom: var(--space-4); }
      .secret { position: relative; }
      .secret input { padding-right: 2.75rem; }
      .secret button { position: absolute; right: 0; top: 0; }
      form { display: grid; gap: var(--space-4); }
      .lead { margin-bottom: var(--space-4); color: var(--ink-soft); }
      .other { margin-top: var(--space-4); }
      button.primary { width: 100%; }
    `,
  ];

  constructor() {
    super();
    this.register = false;
    this.plain = false;
  }

  override render() {
    const { register } = this;
    return html`
      <div class="panel">
        <img class="mark" src="/favicon.svg" alt="" />
        <h1 tabindex="-1" aria-describedby="lead">${register ? 'Create an account' : 'Sign in to CloudAI'}</h1>
        <p class="lead" id="lead">
          ${register ? 'The first account of a cluster is its admin.' : this.session.ended ? END_WORDS[this.session.ended] : 'Run containers on your cluster.'}
        </p>
        <form @submit=${this.#submit}>
          <div>
            <label for="username">Username</label>
            <input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required />
          </div>
          <div>
            <label for="password">Password</label>
            <div class="secret">
            <input
              id="password" name="password" type=${this.plain ? 'text' : 'password'} required minlength=${register ? 8 : nothing}
              autocomplete=${register ? 'new-password' : 'current-password'} aria-describedby=${register ? 'rule' : nothing}
            />
              <button class="icon quiet" type="button" aria-label="Show what is typed" aria-pressed=${this.plain} @click=${this.#show}><svg-icon .icon=${this.plain ? EyeOff : Eye}></svg-icon></button>
            </div>
            ${register ? html`<p class="hint" id="rule">8 characters or more</p>` : nothing}
          </div>
          ${this.#fault()}
          <button class="primary" ?disabled=${this.#sending.busy}>
            ${this.#sending.busy ? 'One moment…' : register ? 'Create account' : 'Sign in'}
          </button>
        </form>
        <p class="other soft small">
          ${register ? 'You have an account?' : 'No account yet?'}
          <button class="link" type="button" @click=${this.#switch}>${register ? 'Sign in' : 'Create one'}</button>
        </p>
      </div>
    `;
  }

  #fault() {
    const { error } = this.#sending;
    if (!(error instanceof ApiError) || error.details.length === 0) return errorNotice(error);
    return html`<div class="fault" role="alert">${error.details.map(({ message }) => html`<p>${message}</p>`)}</div>`;
  }

  #show(): void {
    this.plain = !this.plain;
  }

  #switch(): void {
    this.register = !this.register;
    this.#sending.forget();
  }

  #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const credentials = {
      username: String(fields.get('username')).trim(),
      password: String(fields.get('password')),
    };
    return this.#sending.run(() =>
      this.register ? this.session.register(credentials) : this.session.signIn(credentials),
    );
  }
}

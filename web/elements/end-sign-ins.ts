// Ends all sign-ins of an account: one's own, or for admins somebody else's. Asks first, and says what came of it beside the
// button, as it may stand in a dialog. One's own sign-in ends with the others, and the page with it.

import { css, html, LitElement, nothing } from 'lit';
import { LogOut } from 'lucide';
import { Sending } from '../data/sending.ts';
import type { Session } from '../data/session.ts';
import { ask, type Question } from '../shell/asking.ts';
import { base, controls } from '../styles/shared.ts';
import { errorNotice } from './error-notice.ts';

export class EndSignIns extends LitElement {
  static override properties = {
    session: { attribute: false },
    username: {},
    outcome: { state: true },
  };
  declare session: Session;
  declare username: string;
  declare outcome: string;
  readonly #sending = new Sending(this);

  static override styles = [base, controls, css`.good { color: var(--good); font-weight: 550; }`];

  constructor() {
    super();
    this.username = '';
    this.outcome = '';
  }

  override render() {
    return html`
      <div class="stack tight">
        <div><button type="button" class="danger" ?disabled=${this.#sending.busy} @click=${this.#end}><svg-icon .icon=${LogOut}></svg-icon>${this.#sending.busy ? 'One moment…' : 'Sign out everywhere'}</button></div>
        <p class="good small" role="status">${this.outcome}</p>
        ${this.#sending.error ? errorNotice(this.#sending.error) : nothing}
      </div>
    `;
  }

  get #isOwn(): boolean {
    return this.username === this.session.user?.username;
  }

  async #end(): Promise<void> {
    const answer = await ask(this, questionFor(this.username, this.#isOwn));
    if (!answer) return;
    const apiTokens = answer.ticked;
    this.outcome = '';
    await this.#sending.run(async () => {
      if (this.#isOwn) return this.session.signOutEverywhere({ apiTokens });
      await this.session.client.signOutUser(this.username, { apiTokens });
      this.outcome = `${this.username} is signed out everywhere. API tokens are ${apiTokens ? 'taken back' : 'still good'}.`;
    });
  }
}

function questionFor(username: string, isOwn: boolean): Question {
  return {
    heading: isOwn ? 'Sign out everywhere?' : `Sign out ${username} everywhere?`,
    text: isOwn
      ? 'All your sign-ins end, this one too: in browsers and on command lines. Tasks run on.'
      : 'All sign-ins of this user end, in browsers and on command lines. The password stays good, and tasks run on.',
    confirm: 'Sign out everywhere',
    keep: 'Stay signed in',
    danger: true,
    tick: isOwn ? 'Take back my API tokens, too' : 'Take back the API tokens, too',
  };
}

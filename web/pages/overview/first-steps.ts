// What to do in a cluster where nothing has run yet: from a machine to the first task.

import { css, html, LitElement, nothing } from 'lit';
import type { Session } from '../../data/session.ts';
import { base, controls } from '../../styles/shared.ts';

export class FirstSteps extends LitElement {
  static override properties = { session: { attribute: false }, workers: { type: Number } };
  declare session: Session;
  /** That are ready. */
  declare workers: number;

  static override styles = [
    base,
    controls,
    css`
      ol { display: grid; gap: var(--space-4) var(--space-5); grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); counter-reset: step; margin-top: var(--space-3); }
      li { counter-increment: step; display: grid; gap: var(--space-2); align-content: start; justify-items: start; }
      h3 { font-size: var(--text-body); color: var(--ink); display: flex; gap: var(--space-2); align-items: center; }
      h3::before { content: counter(step); width: 1.5rem; height: 1.5rem; border-radius: 50%; display: grid; place-items: center; font-size: var(--text-small); background: var(--accent-wash); color: var(--accent); flex: none; }
      pre { margin: 0; width: 100%; padding: var(--space-2) var(--space-3); background: var(--sunken); border: 1px solid var(--line); border-radius: var(--radius-small); white-space: pre-wrap; overflow-wrap: anywhere; }
      .done { color: var(--good); font-weight: 550; }
    `,
  ];

  constructor() {
    super();
    this.workers = 0;
  }

  override render() {
    const { workers, session } = this;
    const maySubmit = session.may('task.submit');
    return html`
      <section class="panel" aria-labelledby="first">
        <h2 id="first">First steps</h2>
        <p class="soft">Nothing has run here yet. Three steps to a result:</p>
        <ol>
          <li>
            <h3>Have a machine that runs tasks</h3>
            ${
              workers > 0
                ? html`<p class="small"><span class="done">Done:</span> ${workers === 1 ? html`1 worker is ready.` : html`${workers} workers are ready.`} More machines join with</p>`
                : html`<p class="small soft">On each machine, in a copy of CloudAI:</p>`
            }
            <pre><code>npm run worker</code></pre>
            ${session.may('worker.register') ? html`<p class="small soft">Then <a href="/cluster">register it under its address</a>.</p>` : html`<p class="small soft">An admin then registers it under its address.</p>`}
          </li>
          <li>
            <h3>Submit a task</h3>
            <p class="small soft">An image, a command, what it needs. ${workers > 0 ? nothing : 'It waits until a worker is ready.'}</p>
            ${maySubmit ? html`<a class="button" href="/submit">Submit a task</a>` : html`<p class="small soft">You will see it here: ${session.whyNot('task.submit')}.</p>`}
          </li>
          <li>
            <h3>Or do it from a terminal</h3>
            <pre><code>npx cloudai login
npx cloudai task ubuntu \\
  -cmd 'echo hello'</code></pre>
          </li>
        </ol>
      </section>
    `;
  }
}

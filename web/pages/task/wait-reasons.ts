// Why a task waits: the reason in words, its place, and for each worker what it lacks. Asks as long as it is shown.

import { css, html, LitElement, nothing } from 'lit';
import { ApiError } from '../../../client/client.ts';
import { megabytes, trim } from '../../../client/words.ts';
import type { ExplainReply, ShortfallBody, WorkerVerdictBody } from '../../../shared/contracts/workers.ts';
import { Poll } from '../../data/poll.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

const EXCLUDED: Readonly<Record<NonNullable<WorkerVerdictBody['excluded_by']>, string>> = {
  down: 'is down',
  cordoned: 'is cordoned',
  draining: 'is draining',
  other_worker_requested: 'is not the worker that was asked for',
};
const NAMES: Readonly<Record<ShortfallBody['dimension'], string>> = {
  cpu: 'cores',
  memory: 'memory',
  gpu: 'GPUs',
  storage: 'storage',
};
/** With a thousand workers the reason in words must do. */
const SHOWN = 20;

export class WaitReasons extends LitElement {
  static override properties = { session: { attribute: false }, taskId: {} };
  declare session: Session;
  declare taskId: string;
  readonly #explain = new Poll<ExplainReply>(this, {
    load: (signal) => this.session.client.explainTask(this.taskId, { signal }),
  });

  static override styles = [
    base,
    controls,
    css`
      .panel { border-left: 4px solid var(--queued); }
      h2 { margin-bottom: var(--space-2); }
      li { padding: var(--space-2) 0; border-top: 1px solid var(--line); }
      ul { margin-top: var(--space-3); }
      .name { font-weight: 600; }
    `,
  ];

  constructor() {
    super();
    this.taskId = '';
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.get('taskId')) this.#explain.restart();
  }

  override render() {
    const { data, error, loading } = this.#explain;
    // It may have gone since: the page shows that by itself.
    const told = error instanceof ApiError && error.status === 404 ? null : error;
    return html`
      <section class="panel" aria-labelledby="why">
        <h2 id="why">Why it waits</h2>
        ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing} ${errorNotice(told)}
        ${data ? this.#reasons(data) : nothing}
      </section>
    `;
  }

  #reasons({ summary, position, workers }: ExplainReply) {
    return html`
      <p>${summary}</p>
      ${position === null ? nothing : html`<p class="soft">Place in the queue: ${position.toLocaleString()}</p>`}
      ${workers.length === 0 ? nothing : html`<ul>${workers.slice(0, SHOWN).map(verdict)}</ul>`}
      ${workers.length > SHOWN ? html`<p class="soft small">and ${workers.length - SHOWN} more workers</p>` : nothing}
    `;
  }
}

function verdict({ worker_id, excluded_by, missing, fits_now }: WorkerVerdictBody) {
  const lacks = missing.map(({ dimension, required, available }) => {
    const size = (value: number) =>
      dimension === 'memory' || dimension === 'storage' ? megabytes(value) : trim(value, 2);
    return `${NAMES[dimension]}: needs ${size(required)}, ${size(Math.max(0, available))} free`;
  });
  const parts = [...(excluded_by ? [EXCLUDED[excluded_by]] : []), ...lacks];
  return html`<li><span class="name">${worker_id}</span> <span class="soft">${fits_now ? 'has room now' : parts.join('; ')}</span></li>`;
}

// For admins: cordon, uncordon, drain and remove a worker. Asks before what is not undone with one click, tells what
// came of it. Sends `changed` with the worker's id, and `removed` when it is gone.

import { css, html, LitElement, nothing } from 'lit';
import { CalendarClock, type IconNode, LogOut, Pause, Play, Trash2 } from 'lucide';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { Session } from '../../data/session.ts';
import { ask } from '../../shell/asking.ts';
import { tell, tellFault } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';
import type { DrainEvent } from './drain-dialog.ts';
import { type Act, doneWords, type Offer, offersFor, questionFor } from './maintenance.ts';

const ICONS: Readonly<Record<Act, IconNode>> = {
  cordon: Pause,
  uncordon: Play,
  drain: LogOut,
  remove: Trash2,
};

export class WorkerActions extends LitElement {
  static override properties = {
    session: { attribute: false },
    worker: { attribute: false },
    icons: { type: Boolean },
    busy: { state: true },
    draining: { state: true },
  };
  declare session: Session;
  declare worker: WorkerBody | null;
  /** Signs alone, with their words on hover: for rows of a table. */
  declare icons: boolean;
  declare busy: boolean;
  /** It is being asked until when. */
  declare draining: boolean;

  static override styles = [
    base,
    controls,
    css`
      .acts { display: flex; flex-wrap: wrap; gap: var(--space-2); }
      .acts.icons { gap: 0; flex-wrap: nowrap; justify-content: flex-end; }
      @media (max-width: 44rem) { .acts.icons { justify-content: flex-start; } }
    `,
  ];

  constructor() {
    super();
    this.worker = null;
    this.icons = false;
    this.busy = false;
    this.draining = false;
  }

  override render() {
    const { worker, icons } = this;
    if (!worker) return nothing;
    const offers = offersFor(worker).filter(({ act }) => this.session.may(`worker.${act}`));
    return html`
      <div class="acts ${icons ? 'icons' : ''}">${offers.map((offer) => this.#button(worker, offer))}</div>
      ${this.draining ? html`<drain-dialog .worker=${worker} @close=${this.#undecided} @drain=${(event: DrainEvent) => this.#do('drain', worker, event.deadlineSeconds)}></drain-dialog>` : nothing}
    `;
  }

  #button(worker: WorkerBody, { act, label, refusal }: Offer) {
    const { icons } = this;
    const isOn = act === 'drain' && worker.state === 'draining';
    const words = isOn ? `${label} of ${worker.worker_id}` : `${label} ${worker.worker_id}`;
    return html`
      <button
        type="button" class="small ${icons ? 'icon quiet' : act === 'remove' ? 'danger' : ''}" aria-label=${words}
        title=${refusal || (icons ? words : '')} ?disabled=${refusal !== ''} @click=${() => (act === 'drain' ? this.#askWhen() : this.#do(act, worker))}
      ><svg-icon .icon=${isOn ? CalendarClock : ICONS[act]}></svg-icon>${icons ? nothing : label}</button>
    `;
  }

  #askWhen(): void {
    this.draining = true;
  }

  #undecided(): void {
    this.draining = false;
  }

  async #do(act: Act, worker: WorkerBody, deadlineSeconds?: number): Promise<void> {
    // Not a disabled button meanwhile: that would lose the focus.
    if (this.busy) return;
    const question = questionFor(act, worker);
    if (question && !(await ask(this, question))) return;
    this.busy = true;
    try {
      const { client } = this.session;
      const id = worker.worker_id;
      let after = worker;
      if (act === 'cordon') after = await client.cordonWorker(id);
      else if (act === 'uncordon') after = await client.uncordonWorker(id);
      else if (act === 'drain') after = await client.drainWorker(id, { deadlineSeconds });
      else await client.removeWorker(id);
      tell(this, doneWords(act, after));
      this.dispatchEvent(
        new Event(act === 'remove' ? 'removed' : 'changed', { bubbles: true, composed: true }),
      );
    } catch (error) {
      tellFault(this, `Could not ${act} ${worker.worker_id}`, error);
    } finally {
      this.busy = false;
    }
  }
}

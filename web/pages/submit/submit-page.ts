// The form for a new task: what to run, what it needs, where and when; what the cluster would do with it, while it is being
// filled in. The API judges it; its faults are shown at their fields.

import { html, LitElement, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { Bookmark, RotateCcw } from 'lucide';
import { ApiError } from '../../../client/client.ts';
import type { ImageBody } from '../../../shared/contracts/images.ts';
import type { TaskSummaryBody } from '../../../shared/contracts/task-lists.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { newKey } from '../../data/new-key.ts';
import { Poll } from '../../data/poll.ts';
import type { Router } from '../../data/router.ts';
import { addressOf, type Route } from '../../data/routes.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { refusalNotice } from '../../elements/refusal-notice.ts';
import { tell } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';
import { faultsAfter, faultsElsewhere, ofOneTask } from './field-faults.ts';
import { fieldStyles } from './fields.ts';
import { focusFirstFault } from './focus-fault.ts';
import { type Fold, foldsOf, foldsWith } from './folds.ts';
import { formParts, type Known } from './form-parts.ts';
import { EMPTY_FORM, type FormState, formFaults, formOf, numberOf, requestOf, sizeOf } from './form-state.ts';
import { pageStyles } from './page-styles.ts';
import { loadPrefill, type Prefill } from './prefill.ts';
import type { PickEvent } from './preset-list.ts';
import type { Section } from './sections.ts';
import { MOST_COPIES, sendTasks } from './send-tasks.ts';
import { VerdictAsker } from './verdict-asker.ts';
import type { ChangesEvent } from './verdict-card.ts';

/** Newest tasks, for what was used before. */
const RECENT = 200;
const WORKERS_EVERY_MS = 15_000;
const IMAGES_EVERY_MS = 60_000;

export class SubmitPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    form: { state: true },
    copies: { state: true },
    faults: { state: true },
    busy: { state: true },
    error: { state: true },
    folds: { state: true },
    presetsOpen: { state: true },
    note: { state: true },
    prefilling: { state: true },
    prefillError: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  declare form: FormState;
  declare copies: string;
  declare faults: readonly ErrorDetail[];
  declare busy: boolean;
  /** Of a submission that has no fault of a field. */
  declare error: Error | null;
  declare folds: ReadonlySet<Fold>;
  declare presetsOpen: boolean;
  /** Where what stands in the form comes from. */
  declare note: Prefill | null;
  declare prefilling: boolean;
  declare prefillError: Error | null;
  /** One per filled-in form: a click repeated after a lost answer makes no second task. */
  #key = newKey();
  #filledFrom: string | null = null;
  readonly #workers = new Poll<WorkerBody[]>(this, {
    load: (signal) => this.session.client.listWorkers({ signal }),
    everyMs: WORKERS_EVERY_MS,
  });
  readonly #images = new Poll<readonly ImageBody[]>(this, {
    load: async (signal) => (await this.session.client.images({ signal })).images,
    everyMs: IMAGES_EVERY_MS,
  });
  readonly #recent = new Poll<readonly TaskSummaryBody[]>(this, {
    load: async (signal) =>
      (await this.session.client.listTaskSummaries({ limit: RECENT }, { signal })).tasks,
    done: () => true,
  });
  readonly #asker = new VerdictAsker(
    this,
    () => this.session.client,
    () => this.#workers.data ?? [],
  );

  static override styles = [base, controls, fieldStyles, pageStyles];

  constructor() {
    super();
    this.form = EMPTY_FORM;
    this.copies = '1';
    this.faults = [];
    this.busy = false;
    this.error = null;
    this.folds = new Set();
    this.presetsOpen = false;
    this.note = null;
    this.prefilling = false;
    this.prefillError = null;
  }

  override willUpdate(): void {
    const query = this.route.query.toString();
    if (query !== this.#filledFrom) {
      this.#filledFrom = query;
      void this.#fill();
    }
    const copies = this.#copies;
    const isReady = formFaults(this.form).every(({ field }) => field.startsWith('env')) && copies !== null;
    this.#asker.ask(isReady && copies !== null ? { body: requestOf(this.form), copies } : null);
  }

  override render() {
    if (!this.session.may('task.submit')) {
      return html`
        <div class="stack">
          <h1 tabindex="-1">Submit a task</h1>
          <div class="panel">${refusalNotice(this.session, 'task.submit', 'Tasks are submitted by others')}</div>
        </div>
      `;
    }
    return html`
      <div class="stack">
        <div class="head">
          <h1 tabindex="-1">Submit a task</h1>
          <div class="row tight">
            <button type="button" class="small" aria-expanded=${this.presetsOpen} @click=${() => {
              this.presetsOpen = !this.presetsOpen;
            }}><svg-icon .icon=${Bookmark}></svg-icon>Presets</button>
            <button type="button" class="small quiet" @click=${this.#clear}><svg-icon .icon=${RotateCcw}></svg-icon>Clear</button>
          </div>
        </div>
        ${this.presetsOpen ? html`<preset-list username=${this.session.user?.username ?? ''} .body=${requestOf(this.form)} @pick=${this.#picked}></preset-list>` : nothing}
        ${this.#noteBox()}
        ${this.prefilling ? html`<notice-box kind="loading" heading="Fetching the task to start from…"></notice-box>` : this.#form()}
      </div>
    `;
  }

  #noteBox() {
    if (this.prefillError) return errorNotice(this.prefillError, () => void this.#fill());
    if (!this.note) return nothing;
    const { from, href, faults } = this.note;
    const asked = this.form.env.filter((row) => row.asked).map(({ name }) => name);
    return html`
      <div class="note" role="status">
        <p>Filled in from ${href ? html`<a href=${href}>${from}</a>` : from}.</p>
        ${asked.length > 0 ? html`<p class="asked">Secrets are never handed out: type the value of ${asked.join(', ')} again.</p>` : nothing}
        ${faults.map((fault) => html`<p>Left out: ${fault}.</p>`)}
      </div>
    `;
  }

  #form() {
    const { form, faults } = this;
    const section: Section = { form, faults, edit: (change) => this.#edit(change) };
    const known: Known = {
      session: this.session,
      workers: this.#workers.data ?? [],
      images: this.#images.data,
      recent: this.#recent.data ?? [],
      folds: this.folds,
      toggled: (id, isOpen) => this.#toggled(id, isOpen),
    };
    return html`
      <form novalidate @submit=${this.#submit} @keydown=${this.#pressed}>
        ${formParts(section, known)}
        <aside aria-label="Verdict and submission">${this.#aside()}</aside>
      </form>
    `;
  }

  #aside() {
    const copies = this.#copies;
    const { verdict, faults, error, asking } = this.#asker;
    // Where it would go does not hang on its environment; what is missing there stands at its rows.
    const own = formFaults(this.form)
      .filter(({ field }) => !field.startsWith('env'))
      .map(({ message }) => message);
    const missing = [...own, ...(own.length === 0 ? faults.map(({ message }) => message) : [])];
    const isMany = copies !== null && copies > 1;
    const copiesFault =
      copies === null ? `Copies must be a whole number from 1 to ${MOST_COPIES.toLocaleString()}` : '';
    return html`
      <verdict-card .verdict=${verdict} .missing=${copiesFault ? [...missing, copiesFault] : missing} .error=${error} ?asking=${asking} @changes=${this.#takeChanges}></verdict-card>
      ${this.#general()}
      <div class="send">
        <div>
          <label for="copies">Copies</label>
          <input id="copies" inputmode="numeric" autocomplete="off" .value=${live(this.copies)} aria-invalid=${copies === null} @input=${(
            event: Event,
          ) => {
            this.copies = (event.target as HTMLInputElement).value;
            this.#key = newKey();
          }} />
        </div>
        <button class="primary" aria-disabled=${this.busy} title="Ctrl+Enter">${this.busy ? 'Submitting…' : isMany ? `Submit ${copies.toLocaleString()} tasks` : 'Submit'}</button>
      </div>
      <same-panel class="panel" .body=${this.form.image.trim() === '' ? null : requestOf(this.form)} .copies=${copies ?? 1}></same-panel>
    `;
  }

  #general() {
    if (this.error) return errorNotice(this.error);
    if (this.faults.length === 0) return nothing;
    const others = faultsElsewhere(this.faults);
    return html`<div class="fault" role="alert"><p>Not submitted: see the ${this.faults.length > 1 ? `${this.faults.length} fields` : 'field'} marked in red.</p>${others.map((fault) => html`<p>${fault}</p>`)}</div>`;
  }

  /** Null when it is no number of copies. */
  get #copies(): number | null {
    const count = numberOf(this.copies);
    return Number.isInteger(count) && count >= 1 && count <= MOST_COPIES ? count : null;
  }

  #toggled(id: Fold, isOpen: boolean): void {
    if (isOpen === this.folds.has(id)) return;
    this.folds = new Set(isOpen ? [...this.folds, id] : [...this.folds].filter((one) => one !== id));
  }

  #edit(change: Partial<FormState>): void {
    this.form = { ...this.form, ...change };
    this.faults = faultsAfter(this.faults, change);
    this.error = null;
    this.#key = newKey();
  }

  #take(form: FormState, note: Prefill | null): void {
    this.#edit(form);
    this.faults = [];
    this.note = note;
    this.folds = foldsOf(form);
  }

  #picked({ request, from }: PickEvent): void {
    this.#take(formOf(request), { request, from, href: '', faults: [] });
  }

  #clear(): void {
    this.copies = '1';
    this.prefillError = null;
    this.#take(EMPTY_FORM, null);
    if (this.route.query.size > 0) this.router.go('/submit', { replace: true });
  }

  #takeChanges({ changes }: ChangesEvent): void {
    for (const { field, amount } of changes) {
      if (field === 'memory' || field === 'storage') this.#edit({ [field]: sizeOf(amount) });
      else this.#edit({ [field]: String(amount) });
    }
  }

  async #fill(): Promise<void> {
    const { query } = this.route;
    const before = this.#filledFrom;
    this.prefillError = null;
    this.prefilling = query.has('from');
    try {
      const prefill = await loadPrefill(query, (id) => this.session.client.getTask(id));
      if (before !== this.#filledFrom) return;
      if (prefill) this.#take(formOf(prefill.request), prefill);
      // From a form that was filled in to the bare one, by the way between pages.
      else if (this.note) this.#take(EMPTY_FORM, null);
    } catch (error) {
      if (before === this.#filledFrom) this.prefillError = error as Error;
    } finally {
      if (before === this.#filledFrom) this.prefilling = false;
    }
  }

  #pressed(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    (event.currentTarget as HTMLFormElement).requestSubmit();
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const copies = this.#copies;
    if (this.busy || copies === null) return copies === null ? this.#showFaults([]) : undefined;
    const missing = formFaults(this.form);
    if (missing.length > 0) return this.#showFaults(missing);
    this.busy = true;
    this.error = null;
    try {
      const body = requestOf(this.form);
      const tasks = await sendTasks(this.session.client, body, copies, this.#key);
      if (copies > 1) tell(this, `${tasks.length.toLocaleString()} tasks are submitted`);
      this.router.go(copies > 1 ? addressOf('/tasks', { tag: body.tag }) : `/tasks/${tasks[0]?.task_id}`);
    } catch (error) {
      const isOfFields = error instanceof ApiError && error.details.length > 0;
      if (isOfFields) await this.#showFaults(ofOneTask(error.details));
      else this.error = error as Error;
    } finally {
      this.busy = false;
    }
  }

  async #showFaults(faults: readonly ErrorDetail[]): Promise<void> {
    this.faults = faults;
    this.folds = new Set([...this.folds, ...foldsWith(faults)]);
    await focusFirstFault(this);
  }
}

// The form for a new task. The API judges it; its faults are shown at their fields.

import { css, html, LitElement, nothing } from 'lit';
import { ApiError } from '../../../client/client.ts';
import type { SubmitRequest } from '../../../shared/contracts/http.ts';
import { NETWORKS, PULL_POLICIES, type PullPolicy, type TaskNetwork } from '../../../shared/model/task.ts';
import type { Router } from '../../data/router.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import { base, controls } from '../../styles/shared.ts';

interface Field {
  readonly name: keyof SubmitRequest;
  readonly label: string;
  readonly value?: string;
  readonly hint?: string;
  /** Present on a number. */
  readonly step?: string;
  readonly min?: string;
  readonly max?: string;
  readonly required?: boolean;
}

const NEEDS: readonly Field[] = [
  { name: 'cpu_required', label: 'Cores', value: '1', step: 'any', min: '0.01' },
  { name: 'memory_required', label: 'Memory (MB)', value: '512', step: '1', min: '6' },
  { name: 'gpu_required', label: 'GPUs', value: '0', step: '1', min: '0' },
];
const NAMES: readonly Field[] = [
  { name: 'name', label: 'Name', hint: 'What to call it; may stay empty.' },
  { name: 'tag', label: 'Tag', hint: 'Groups tasks of one kind.' },
];
const MORE: readonly Field[] = [
  { name: 'priority', label: 'Priority (0 to 9)', value: '5', step: '1', min: '0', max: '9' },
  { name: 'k_value', label: 'SLA multiplier k', value: '3', step: 'any', min: '1' },
  {
    name: 'timeout_seconds',
    label: 'Time limit (seconds)',
    value: '0',
    step: '1',
    min: '0',
    hint: '0 means none.',
  },
  {
    name: 'max_retries',
    label: 'Retries',
    value: '0',
    step: '1',
    min: '0',
    hint: 'After a failure of its own.',
  },
];

export class SubmitPage extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    busy: { state: true },
    error: { state: true },
  };
  declare session: Session;
  declare router: Router;
  declare busy: boolean;
  declare error: Error | null;
  /** One per filled-in form: a click repeated after a lost answer makes no second task. */
  #key = crypto.randomUUID();

  static override styles = [
    base,
    controls,
    css`
      :host { max-width: 44rem; }
      form { display: grid; gap: var(--space-4); grid-template-columns: minmax(0, 1fr); }
      .fields { display: grid; gap: var(--space-4); grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); align-items: start; }
      summary { cursor: pointer; color: var(--accent); padding: var(--space-2) 0; }
      details[open] summary { margin-bottom: var(--space-2); }
    `,
  ];

  constructor() {
    super();
    this.busy = false;
    this.error = null;
  }

  override render() {
    return html`
      <div class="stack">
        <h1 tabindex="-1">Submit a task</h1>
        <form class="panel" @submit=${this.#submit} @input=${this.#changed}>
          ${this.#field({ name: 'docker_image', label: 'Image', required: true, hint: 'For example python:3.9' })}
          <div>
            <label for="command">Command</label>
            <textarea id="command" name="command" rows="3" spellcheck="false" autocapitalize="none" aria-describedby="command-hint" aria-invalid=${this.#faults('command').length > 0}></textarea>
            <p class="hint" id="command-hint">Runs through /bin/sh. Empty: the image’s own command.</p>
            ${this.#faultList('command')}
          </div>
          <div class="fields">${NEEDS.map((field) => this.#field(field))}</div>
          <div class="fields">${NAMES.map((field) => this.#field(field))}</div>
          <details>
            <summary>More</summary>
            <div class="fields">
              ${MORE.map((field) => this.#field(field))} ${this.#choice('network', 'Network', NETWORKS, 'bridge')}
              ${this.#choice('pull_policy', 'Pull the image', PULL_POLICIES, 'if-missing')}
            </div>
          </details>
          ${this.#general()}
          <div class="row">
            <button class="primary" ?disabled=${this.busy}>${this.busy ? 'Submitting…' : 'Submit'}</button>
          </div>
        </form>
      </div>
    `;
  }

  #field({ name, label, value = '', hint, step, min, max, required }: Field) {
    const described = [hint ? `${name}-hint` : '', this.#faults(name).length > 0 ? `${name}-fault` : '']
      .join(' ')
      .trim();
    return html`
      <div>
        <label for=${name}>${label}</label>
        <input
          id=${name} name=${name} value=${value} type=${step ? 'number' : 'text'} step=${step ?? nothing} min=${min ?? nothing} max=${max ?? nothing}
          ?required=${required || step !== undefined} autocapitalize="none" spellcheck="false" autocomplete="off"
          aria-invalid=${this.#faults(name).length > 0} aria-describedby=${described || nothing}
        />
        ${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : nothing} ${this.#faultList(name)}
      </div>
    `;
  }

  #choice(name: string, label: string, values: readonly string[], chosen: string) {
    return html`
      <div>
        <label for=${name}>${label}</label>
        <select id=${name} name=${name}>
          ${values.map((value) => html`<option ?selected=${value === chosen}>${value}</option>`)}
        </select>
      </div>
    `;
  }

  /** Faults of one field; the API names it `env.A` or `command[2]` when it is a part. */
  #faults(name: string): readonly string[] {
    if (!(this.error instanceof ApiError)) return [];
    return this.error.details
      .filter(({ field }) => field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`))
      .map(({ message }) => message);
  }

  #faultList(name: string) {
    const faults = this.#faults(name);
    if (faults.length === 0) return nothing;
    return html`<div class="fault" id="${name}-fault">${faults.map((fault) => html`<p>${fault}</p>`)}</div>`;
  }

  #general() {
    const { error } = this;
    if (!(error instanceof ApiError) || error.details.length === 0) return errorNotice(error);
    return html`<p class="fault" role="alert">The task was not accepted: see the fields marked above.</p>`;
  }

  #changed(): void {
    this.#key = crypto.randomUUID();
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const form = event.target as HTMLFormElement;
    this.busy = true;
    this.error = null;
    try {
      const task = await this.session.client.submitTask(requestOf(new FormData(form)), {
        idempotencyKey: this.#key,
      });
      this.router.go(`/tasks/${task.task_id}`);
    } catch (error) {
      this.error = error as Error;
      await this.updateComplete;
      const wrong = [...this.renderRoot.querySelectorAll<HTMLElement>('[aria-invalid="true"]')];
      const folded = wrong.map((field) => field.closest('details')).find((details) => details !== null);
      if (folded) folded.open = true;
      wrong[0]?.focus();
    } finally {
      this.busy = false;
    }
  }
}

function requestOf(fields: FormData): SubmitRequest {
  const text = (name: string) => String(fields.get(name) ?? '').trim();
  const number = (name: string) => Number(text(name));
  return {
    docker_image: text('docker_image'),
    command: text('command') || null,
    cpu_required: number('cpu_required'),
    memory_required: number('memory_required'),
    gpu_required: number('gpu_required'),
    name: text('name'),
    tag: text('tag'),
    priority: number('priority'),
    k_value: number('k_value'),
    timeout_seconds: number('timeout_seconds'),
    max_retries: number('max_retries'),
    network: text('network') as TaskNetwork,
    pull_policy: text('pull_policy') as PullPolicy,
  };
}

// What was asked for: as facts to read, and as the body of POST /api/tasks to copy.

import { css, html, LitElement, nothing } from 'lit';
import { Download } from 'lucide';
import { amounts, chosenTime } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import { type LabelTermsBody, labelTerms } from '../../../shared/contracts/labels.ts';
import { cliText } from '../../data/same-commands.ts';
import { saveFile } from '../../data/save-file.ts';
import { briefRequest, hiddenSecrets, wholeRequest } from '../../data/task-request.ts';
import { base, controls } from '../../styles/shared.ts';
import { retryWords } from './outcome-words.ts';

export class TaskSpecView extends LitElement {
  static override properties = { task: { attribute: false }, whole: { state: true } };
  declare task: TaskBody | null;
  /** Shows defaults, too. */
  declare whole: boolean;

  static override styles = [
    base,
    controls,
    css`
      :host { container-type: inline-size; }
      .both { display: grid; gap: var(--space-5); grid-template-columns: minmax(0, 1fr); }
      @container (min-width: 48rem) { .both { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }
      .facts { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: var(--space-2) var(--space-3); align-items: baseline; }
      dt { font-size: var(--text-small); color: var(--ink-soft); }
      dd { overflow-wrap: anywhere; min-width: 0; }
      pre { margin: 0; padding: var(--space-3); font: 0.8125rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; background: var(--sunken); border: 1px solid var(--line); border-radius: var(--radius-small); max-height: 40rem; overflow: auto; }
      dd pre { padding: var(--space-2); max-height: 14rem; }
      .head { margin-bottom: var(--space-3); min-height: 2rem; }
      .line { margin-top: var(--space-4); }
      .hint { margin-top: var(--space-2); }
      .tick { font-size: var(--text-small); }
      .chips { display: flex; flex-wrap: wrap; gap: var(--space-1); }
    `,
  ];

  constructor() {
    super();
    this.task = null;
    this.whole = false;
  }

  override render() {
    const { task } = this;
    if (!task) return nothing;
    const hidden = hiddenSecrets(task);
    const command = cliText(wholeRequest(task));
    return html`
      <div class="both">
        <section aria-labelledby="asked"><div class="head"><h2 id="asked">What was asked for</h2></div>${facts(task)}</section>
        <section aria-labelledby="json">
          <div class="head">
            <h2 id="json">As JSON</h2>
            <div class="row tight">
              <label class="tick"><input type="checkbox" .checked=${this.whole} @change=${this.#toggle} />With defaults</label>
              <copy-button wide label="Copy" .text=${() => this.#json()}></copy-button>
              <button class="small" @click=${this.#save}><svg-icon .icon=${Download}></svg-icon>Save</button>
            </div>
          </div>
          <pre tabindex="0" role="region" aria-label="The spec as JSON">${this.#json()}</pre>
          <p class="hint">The body of <code>POST /api/tasks</code>.${hidden.length > 0 ? html` The ${hidden.length === 1 ? 'value' : 'values'} of ${hidden.join(', ')} ${hidden.length === 1 ? 'is' : 'are'} a secret and hidden here: put ${hidden.length === 1 ? 'it' : 'them'} in before you send it.` : nothing}</p>
          <div class="head line"><h2 id="line">On the command line</h2><copy-button wide label="Copy" .text=${command.text}></copy-button></div>
          <pre tabindex="0" role="region" aria-labelledby="line">${command.text}</pre>
          ${command.notes.map((note) => html`<p class="hint">${note}</p>`)}
        </section>
      </div>
    `;
  }

  #spec(task: TaskBody) {
    const request = wholeRequest(task);
    return this.whole ? request : briefRequest(request);
  }

  #json(): string {
    return this.task ? JSON.stringify(this.#spec(this.task), null, 2) : '';
  }

  #toggle(event: Event): void {
    this.whole = (event.target as HTMLInputElement).checked;
  }

  #save(): void {
    const body = new Blob([`${this.#json()}\n`]).stream();
    void saveFile(body, `${this.task?.name || this.task?.task_id}.json`, 'application/json');
  }
}

/** `disk=ssd or nvme`, each label by itself. */
function termWords(terms: LabelTermsBody): string[] {
  return Object.entries(labelTerms(terms)).map(([name, values]) => `${name}=${values.join(' or ')}`);
}

function chips(words: readonly string[]) {
  return html`<ul class="chips">${words.map((word) => html`<li class="chip">${word}</li>`)}</ul>`;
}

function facts(task: TaskBody) {
  const needs = {
    cpu: task.cpu_required,
    memory: task.memory_required,
    gpu: task.gpu_required,
    storage: task.storage_required,
  };
  const { command, webhook } = task;
  const typed =
    typeof command === 'string' ? command : command?.map((word) => JSON.stringify(word)).join(' ');
  const env = Object.entries(task.env);
  const must = termWords(task.constraints);
  const better = termWords(task.prefer);
  // An API of an earlier release knows of none.
  const mounts = (task.mounts ?? []).map(
    ({ source, target, read_only }) => `${source} at ${target}${read_only ? ', read-only' : ''}`,
  );
  const fact = (name: string, value: unknown) => html`<dt>${name}</dt><dd>${value}</dd>`;
  const factIf = (is: boolean, name: string, value: unknown) => (is ? fact(name, value) : nothing);
  return html`
    <dl class="facts">
      ${fact('Image', html`<code>${task.docker_image}</code>`)}
      ${fact('Command', typed === undefined ? 'the image’s own' : html`<pre tabindex="0" role="region" aria-label="Command">${typed}</pre>`)}
      ${factIf(Array.isArray(command), 'Run as', 'these words, without a shell')}
      ${fact('Needs', amounts(needs))}
      ${factIf(env.length > 0, 'Environment', html`<pre tabindex="0" role="region" aria-label="Environment">${env.map(([name, value]) => `${name}=${value}`).join('\n')}</pre>`)}
      ${factIf(task.secrets.length > 0, 'Secrets', task.secrets.join(', '))}
      ${factIf(mounts.length > 0, 'Folders', chips(mounts))}
      ${factIf(task.files.length > 0, 'Input files', task.files.join(', '))}
      ${fact('Priority', `${task.priority} of 9`)} ${fact('SLA multiplier', `k = ${task.k_value}`)}
      ${fact('Time limit', task.timeout_seconds > 0 ? chosenTime(task.timeout_seconds) : 'none')}
      ${fact('Wait limit', task.queue_timeout_seconds > 0 ? chosenTime(task.queue_timeout_seconds) : 'none')}
      ${fact('Retries', retryWords(task))}
      ${factIf(task.losses > 0, 'Lost to faults', `${task.losses} of at most ${task.max_losses}, at no cost`)}
      ${factIf(task.worker !== '', 'Only on', html`<a href="/cluster/${encodeURIComponent(task.worker)}">${task.worker}</a>`)}
      ${factIf(must.length > 0, 'Must have labels', chips(must))} ${factIf(better.length > 0, 'Better with labels', chips(better))}
      ${fact('Network', task.network)} ${fact('Pulls the image', task.pull_policy.replace('-', ' '))}
      ${webhook ? fact('Webhook', `${webhook.url} on ${webhook.events.join(', ')}`) : nothing}
    </dl>
  `;
}

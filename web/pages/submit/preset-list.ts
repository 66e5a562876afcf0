// Forms that were kept under a name, in this browser: to load, to keep, to delete; and tasks as JSON to take over. Sends
// PickEvent with what is to be filled in.

import { css, html, LitElement, nothing } from 'lit';
import { Trash2 } from 'lucide';
import type { SubmitBody, SubmitRequest } from '../../../shared/contracts/http.ts';
import { ask } from '../../shell/asking.ts';
import { tell } from '../../shell/telling.ts';
import { base, controls } from '../../styles/shared.ts';
import { textField } from './fields.ts';
import {
  NAME_MAX,
  type Preset,
  presetsKey,
  readPresets,
  withoutPreset,
  withPreset,
  writePresets,
} from './presets.ts';
import { parseRequest } from './read-request.ts';

export class PickEvent extends Event {
  readonly request: SubmitRequest;
  /** Where it comes from, in words. */
  readonly from: string;

  constructor(request: SubmitRequest, from: string) {
    super('pick');
    this.request = request;
    this.from = from;
  }
}

export class PresetList extends LitElement {
  static override properties = {
    username: {},
    body: { attribute: false },
    presets: { state: true },
    name: { state: true },
    fault: { state: true },
    json: { state: true },
    jsonFaults: { state: true },
  };
  declare username: string;
  /** What is in the form now. */
  declare body: SubmitBody;
  declare presets: readonly Preset[];
  declare name: string;
  declare fault: string;
  declare json: string;
  declare jsonFaults: readonly string[];
  /** Another tab of the same person. */
  readonly #onStorage = (event: StorageEvent) => {
    if (event.key === presetsKey(this.username)) this.#read();
  };

  static override styles = [
    base,
    controls,
    css`
      .parts { display: grid; gap: var(--space-5); grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); align-items: start; }
      li { display: flex; flex-wrap: wrap; gap: var(--space-2); align-items: center; padding: var(--space-2) 0; border-bottom: 1px solid var(--line); }
      li:last-child { border-bottom: 0; }
      li .what { flex: 1 1 9rem; min-width: 0; }
      li p { overflow-wrap: anywhere; }
      ul { margin-bottom: var(--space-3); max-height: 20rem; overflow-y: auto; }
      .save { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: var(--space-2); align-items: start; }
      .save button { margin-top: 1.6rem; }
      h2 { margin-bottom: var(--space-2); }
      .hint { margin-bottom: var(--space-3); }
      .take { margin-top: var(--space-2); }
    `,
  ];

  constructor() {
    super();
    this.username = '';
    this.presets = [];
    this.name = '';
    this.fault = '';
    this.json = '';
    this.jsonFaults = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('storage', this.#onStorage);
    this.#read();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('storage', this.#onStorage);
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('username')) this.#read();
  }

  override render() {
    return html`
      <section class="panel" aria-label="Presets">
        <div class="parts">
          <div>
            <h2>Presets</h2>
            ${this.presets.length === 0 ? html`<p class="hint">None yet. A preset is a filled-in form, kept in this browser for you; values of secrets are left out.</p>` : html`<ul>${this.presets.map((preset) => this.#row(preset))}</ul>`}
            <div class="save" @keydown=${this.#entered}>
              ${textField({
                id: 'name',
                label: 'Keep this form as',
                value: this.name,
                faults: this.fault === '' ? [] : [this.fault],
                changed: (name) => {
                  this.name = name.slice(0, NAME_MAX);
                  this.fault = '';
                },
              })}
              <button type="button" @click=${() => void this.#keep(this.name)}>Keep</button>
            </div>
          </div>
          <div>
            <h2>From JSON</h2>
            <label for="json">A task as POST /api/tasks takes it</label>
            <textarea id="json" rows="5" spellcheck="false" placeholder='{"docker_image":"python:3.9"}' .value=${this.json} aria-invalid=${this.jsonFaults.length > 0} aria-describedby=${this.jsonFaults.length > 0 ? 'json-fault' : nothing} @input=${(
              event: Event,
            ) => {
              this.json = (event.target as HTMLTextAreaElement).value;
              this.jsonFaults = [];
            }}></textarea>
            ${this.jsonFaults.length > 0 ? html`<div class="fault" id="json-fault" role="alert">${this.jsonFaults.map((fault) => html`<p>${fault}</p>`)}</div>` : nothing}
            <button type="button" class="take" @click=${this.#takeJson}>Fill the form</button>
          </div>
        </div>
      </section>
    `;
  }

  #row({ name, request }: Preset) {
    return html`
      <li>
        <div class="what"><p>${name}</p><p class="soft small">${request.docker_image || 'no image'}</p></div>
        <button type="button" class="small" aria-label="Load ${name}" @click=${() => this.dispatchEvent(new PickEvent(request, `the preset “${name}”`))}>Load</button>
        <button type="button" class="small" aria-label="Overwrite ${name}" @click=${() => void this.#keep(name)}>Overwrite</button>
        <button type="button" class="icon small quiet" aria-label="Delete ${name}" @click=${() => void this.#delete(name)}><svg-icon .icon=${Trash2}></svg-icon></button>
      </li>
    `;
  }

  #read(): void {
    this.presets = readPresets(localStorageOrNothing(), this.username);
  }

  #entered(event: KeyboardEvent): void {
    if (
      event.key !== 'Enter' ||
      event.ctrlKey ||
      event.metaKey ||
      !(event.target instanceof HTMLInputElement)
    )
      return;
    event.preventDefault();
    void this.#keep(this.name);
  }

  async #keep(given: string): Promise<void> {
    const name = given.trim();
    if (name === '') {
      this.fault = 'Give it a name';
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>('#name')?.focus();
      return;
    }
    if (this.presets.some((preset) => preset.name === name)) {
      const answer = await ask(this, {
        heading: `Overwrite “${name}”?`,
        text: 'What this preset holds is replaced by what is in the form now.',
        confirm: 'Overwrite',
        keep: 'Leave it',
      });
      if (!answer) return;
    }
    this.#write(() => withPreset(this.presets, name, this.body), `“${name}” is kept`);
  }

  async #delete(name: string): Promise<void> {
    const answer = await ask(this, {
      heading: `Delete “${name}”?`,
      text: 'The preset is gone for good. Tasks that were made of it stay.',
      confirm: 'Delete',
      danger: true,
    });
    if (answer) this.#write(() => withoutPreset(this.presets, name), `“${name}” is deleted`);
  }

  #write(change: () => readonly Preset[], done: string): void {
    try {
      const presets = change();
      if (!writePresets(localStorageOrNothing(), this.username, presets)) {
        throw new Error('This browser keeps nothing: copy the form as JSON instead');
      }
      this.presets = presets;
      this.name = '';
      this.fault = '';
      tell(this, done);
    } catch (error) {
      this.fault = (error as Error).message;
    }
  }

  #takeJson(): void {
    try {
      const { request, faults } = parseRequest(this.json);
      this.jsonFaults = faults.map((fault) => `Left out: ${fault}`);
      this.dispatchEvent(new PickEvent(request, 'JSON'));
    } catch (error) {
      this.jsonFaults = [(error as Error).message];
    }
  }
}

/** A browser may forbid it altogether. */
function localStorageOrNothing(): Pick<Storage, 'getItem' | 'setItem'> {
  try {
    return localStorage;
  } catch {
    return {
      getItem: () => null,
      setItem: () => {
        throw new Error('nothing is kept');
      },
    };
  }
}

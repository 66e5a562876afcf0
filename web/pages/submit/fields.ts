// Labelled fields with help and faults, as all parts of the form draw them. No state.

import { css, html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';

interface Field {
  readonly id: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly faults?: readonly string[];
}

export interface TextField extends Field {
  readonly value: string;
  readonly inputmode?: 'decimal' | 'numeric' | 'url' | 'text';
  readonly placeholder?: string;
  readonly changed: (value: string) => void;
}

export interface ChoiceField extends Field {
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly changed: (value: string) => void;
}

export const fieldStyles = css`
  .fields { display: grid; gap: var(--space-4); grid-template-columns: repeat(auto-fill, minmax(min(100%, 10.5rem), 1fr)); align-items: start; }
  .fields.two { grid-template-columns: repeat(auto-fill, minmax(min(100%, max(9rem, 40%)), 1fr)); }
  .fields.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); }
  .measure { display: grid; grid-template-columns: minmax(0, 1fr) auto; }
  .measure input { border-radius: var(--radius-small) 0 0 var(--radius-small); }
  .measure select { width: auto; border-left: 0; border-radius: 0 var(--radius-small) var(--radius-small) 0; background: var(--sunken); }
  .measure :focus-visible { position: relative; z-index: 1; }
  .fault p + p { margin-top: var(--space-1); }
`;

export function textField({
  id,
  label,
  value,
  hint,
  faults = [],
  inputmode,
  placeholder,
  changed,
}: TextField) {
  return html`
    <div>
      <label for=${id}>${label}</label>
      ${input({ id, value, faults, hint, inputmode, placeholder, changed })} ${below(id, hint, faults)}
    </div>
  `;
}

/** A number with its unit. */
export function measureField({
  unit,
  units,
  unitChanged,
  ...field
}: TextField & {
  readonly unit: string;
  readonly units: readonly string[];
  readonly unitChanged: (unit: string) => void;
}) {
  const { id, label, hint, faults = [] } = field;
  return html`
    <div>
      <label for=${id}>${label}</label>
      <div class="measure">
        ${input({ ...field, faults })}
        <select aria-label="Unit of ${label.toLowerCase()}" .value=${live(unit)} @change=${(event: Event) => unitChanged((event.target as HTMLSelectElement).value)}>
          ${units.map((one) => html`<option ?selected=${one === unit}>${one}</option>`)}
        </select>
      </div>
      ${below(id, hint, faults)}
    </div>
  `;
}

export function choiceField({ id, label, value, options, hint, faults = [], changed }: ChoiceField) {
  return html`
    <div>
      <label for=${id}>${label}</label>
      <select
        id=${id} aria-invalid=${faults.length > 0} aria-describedby=${describedBy(id, hint, faults)}
        @change=${(event: Event) => changed((event.target as HTMLSelectElement).value)}
      >
        ${options.map((one) => html`<option value=${one.value} .selected=${one.value === value}>${one.label}</option>`)}
      </select>
      ${below(id, hint, faults)}
    </div>
  `;
}

type Input = Pick<TextField, 'id' | 'value' | 'changed'> & {
  readonly hint?: string | undefined;
  readonly faults: readonly string[];
  readonly inputmode?: string | undefined;
  readonly placeholder?: string | undefined;
};

function input({ id, value, hint, faults, inputmode, placeholder, changed }: Input) {
  return html`<input
    id=${id} .value=${live(value)} inputmode=${inputmode ?? nothing} placeholder=${placeholder ?? nothing} autocomplete="off"
    autocapitalize="none" spellcheck="false" aria-invalid=${faults.length > 0} aria-describedby=${describedBy(id, hint, faults)}
    @input=${(event: Event) => changed((event.target as HTMLInputElement).value)}
  />`;
}

export function describedBy(id: string, hint: Field['hint'], faults: readonly string[]) {
  const ids = [hint ? `${id}-hint` : '', faults.length > 0 ? `${id}-fault` : ''];
  return ids.filter((one) => one !== '').join(' ') || nothing;
}

export function below(id: string, hint: Field['hint'], faults: readonly string[]) {
  return html`${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing}${faultList(id, faults)}`;
}

export function faultList(id: string, faults: readonly string[]) {
  if (faults.length === 0) return nothing;
  return html`<div class="fault" id="${id}-fault">${faults.map((fault) => html`<p>${fault}</p>`)}</div>`;
}

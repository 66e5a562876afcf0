// A field of a form with its label, a hint and what is wrong with it, tied together for readers. No state of its own.

import { html, nothing, type TemplateResult } from 'lit';
import type { FormFaults } from '../data/form-faults.ts';

export interface FieldOptions {
  /** As the API calls it, and so the form. */
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'password' | 'url' | 'number';
  readonly hint?: string;
  readonly value?: string;
  readonly placeholder?: string;
  readonly autocomplete?: string;
  readonly required?: boolean;
  readonly minLength?: number;
  readonly min?: number;
  /** Of a number; whole ones without it. */
  readonly step?: string;
}

export function formField(options: FieldOptions, faults: FormFaults): TemplateResult {
  const { name, label, type = 'text', hint = '', value, required = false } = options;
  const fault = faults.of(name);
  const described = [hint ? `${name}-hint` : '', fault ? `${name}-fault` : ''].filter(Boolean).join(' ');
  return html`
    <div>
      <label for=${name}>${label}</label>
      <input
        id=${name} name=${name} type=${type} .value=${value ?? ''} placeholder=${options.placeholder ?? nothing}
        ?required=${required} minlength=${options.minLength ?? nothing} min=${options.min ?? nothing} step=${type === 'number' ? (options.step ?? '1') : nothing}
        autocomplete=${(options.autocomplete ?? 'off') as 'off'} autocapitalize="none" spellcheck="false"
        aria-invalid=${fault ? 'true' : nothing} aria-describedby=${described || nothing}
      />
      ${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : nothing}
      ${fault ? html`<p class="fault" id="${name}-fault" role="alert">${fault}</p>` : nothing}
    </div>
  `;
}

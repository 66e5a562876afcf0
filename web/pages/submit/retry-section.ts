// After which failures a task is tried again, and how soon. No state: what is chosen goes to the page.

import { html, nothing } from 'lit';
import { RETRY_REASONS, type RetryReason } from '../../../shared/model/task.ts';
import { faultsAt } from './field-faults.ts';
import { faultList, measureField, textField } from './fields.ts';
import { numberOf, TIME_UNITS, type TimeUnit } from './form-state.ts';
import type { Section } from './sections.ts';

const NAMES: Readonly<Record<RetryReason, string>> = {
  exit_code: 'an exit code',
  oom_killed: 'too much memory',
  timed_out: 'its time limit',
  output_error: 'output that could not be kept',
  image_error: 'an image that cannot be had',
  start_error: 'a command that cannot start',
};

export function retrying({ form, faults, edit }: Section) {
  const isOff = numberOf(form.retries) === 0;
  const ofReasons = faultsAt(faults, 'retry_on');
  return html`
    <fieldset ?disabled=${isOff} aria-describedby=${ofReasons.length > 0 ? 'retry_on-fault' : nothing}>
      <legend>Tried again after</legend>
      <div class="row">
        ${RETRY_REASONS.map(
          (reason) =>
            html`<label class="tick"><input type="checkbox" aria-invalid=${ofReasons.length > 0} .checked=${form.retryOn.includes(reason)} @change=${(
              change: Event,
            ) => {
              const isOn = (change.target as HTMLInputElement).checked;
              edit({
                retryOn: RETRY_REASONS.filter((one) => (one === reason ? isOn : form.retryOn.includes(one))),
              });
            }} />${NAMES[reason]}</label>`,
        )}
      </div>
      ${faultList('retry_on', ofReasons)}
    </fieldset>
    ${
      isOff
        ? nothing
        : html`<div class="fields wide">
            ${
              form.retryOn.includes('exit_code')
                ? textField({
                    id: 'retry_on_exit_codes',
                    label: 'Only after the exit codes',
                    value: form.exitCodes,
                    hint: 'With commas, e.g. 75, 111. Empty: after any.',
                    faults: faultsAt(faults, 'retry_on_exit_codes'),
                    changed: (exitCodes) => edit({ exitCodes }),
                  })
                : nothing
            }
            ${measureField({
              id: 'retry_delay_seconds',
              label: 'Pause before the first retry',
              value: form.retryDelay.text,
              inputmode: 'decimal',
              unit: form.retryDelay.unit,
              units: TIME_UNITS,
              hint: 'Doubled with each further one, up to five minutes. 0: at once.',
              faults: faultsAt(faults, 'retry_delay_seconds'),
              changed: (text) => edit({ retryDelay: { ...form.retryDelay, text } }),
              unitChanged: (unit) => edit({ retryDelay: { ...form.retryDelay, unit: unit as TimeUnit } }),
            })}
          </div>`
    }
  `;
}

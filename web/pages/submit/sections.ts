// The groups of plain fields in the form for a new task. No state: what is typed goes to the page.

import { html, nothing } from 'lit';
import { amounts } from '../../../client/words.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';
import type { PullPolicy, TaskNetwork } from '../../../shared/model/task.ts';
import { WEBHOOK_EVENTS } from '../../../shared/model/webhook.ts';
import { faultsAt } from './field-faults.ts';
import { choiceField, faultList, measureField, textField } from './fields.ts';
import type { EditEvent } from './form-events.ts';
import { type FormState, SIZE_UNITS, type SizeUnit, TIME_UNITS, type TimeUnit } from './form-state.ts';
import { retrying } from './retry-section.ts';
import { largestOf } from './suggestions.ts';
import type { TermsField } from './term-rows.ts';

export interface Section {
  readonly form: FormState;
  readonly faults: readonly ErrorDetail[];
  readonly edit: (change: Partial<FormState>) => void;
}

/** More would make the list slow to open; whoever has more knows the name and may give it in the address. */
const WORKERS_LISTED = 2_000;

export function needs({ form, faults, edit }: Section, workers: readonly WorkerBody[]) {
  const largest = largestOf(workers);
  const most = (amount: string | undefined) => (amount === undefined ? '' : ` Largest worker: ${amount}.`);
  return html`
    <div class="fields two">
      ${textField({
        id: 'cpu_required',
        label: 'Cores',
        value: form.cpu,
        inputmode: 'decimal',
        hint: `Parts of one too, e.g. 0.5.${most(largest?.cpu)}`,
        faults: faultsAt(faults, 'cpu_required'),
        changed: (cpu) => edit({ cpu }),
      })}
      ${measureField({
        id: 'memory_required',
        label: 'Memory',
        value: form.memory.text,
        inputmode: 'decimal',
        unit: form.memory.unit,
        units: SIZE_UNITS,
        hint: `It is killed above that.${most(largest?.memory)}`,
        faults: faultsAt(faults, 'memory_required'),
        changed: (text) => edit({ memory: { ...form.memory, text } }),
        unitChanged: (unit) => edit({ memory: { ...form.memory, unit: unit as SizeUnit } }),
      })}
      ${textField({
        id: 'gpu_required',
        label: 'GPUs',
        value: form.gpu,
        inputmode: 'numeric',
        hint: `Whole devices, its own.${most(largest?.gpu)}`,
        faults: faultsAt(faults, 'gpu_required'),
        changed: (gpu) => edit({ gpu }),
      })}
      ${measureField({
        id: 'storage_required',
        label: 'Storage',
        value: form.storage.text,
        inputmode: 'decimal',
        unit: form.storage.unit,
        units: SIZE_UNITS,
        hint: `Disk set aside for it.${most(largest?.storage)}`,
        faults: faultsAt(faults, 'storage_required'),
        changed: (text) => edit({ storage: { ...form.storage, text } }),
        unitChanged: (unit) => edit({ storage: { ...form.storage, unit: unit as SizeUnit } }),
      })}
    </div>
  `;
}

export function placing({ form, faults, edit }: Section, workers: readonly WorkerBody[]) {
  return html`
    <div class="fields wide">
      ${choiceField({
        id: 'worker',
        label: 'Worker',
        value: form.worker,
        options: workerOptions(form.worker, workers),
        hint: 'One it is tied to, or any it fits on.',
        faults: faultsAt(faults, 'worker'),
        changed: (worker) => edit({ worker }),
      })}
      ${textField({
        id: 'priority',
        label: 'Priority',
        value: form.priority,
        inputmode: 'numeric',
        hint: '0 (whenever) to 9 (first).',
        faults: faultsAt(faults, 'priority'),
        changed: (priority) => edit({ priority }),
      })}
      ${measureField({
        id: 'timeout_seconds',
        label: 'Time limit',
        value: form.timeout.text,
        inputmode: 'decimal',
        unit: form.timeout.unit,
        units: TIME_UNITS,
        hint: 'It is stopped after that. 0: no limit.',
        faults: faultsAt(faults, 'timeout_seconds'),
        changed: (text) => edit({ timeout: { ...form.timeout, text } }),
        unitChanged: (unit) => edit({ timeout: { ...form.timeout, unit: unit as TimeUnit } }),
      })}
      ${textField({
        id: 'max_retries',
        label: 'Retries',
        value: form.retries,
        inputmode: 'numeric',
        hint: 'After a failure of its own. Faults of workers cost none.',
        faults: faultsAt(faults, 'max_retries'),
        changed: (retries) => edit({ retries }),
      })}
      ${measureField({
        id: 'queue_timeout_seconds',
        label: 'Wait limit',
        value: form.queueTimeout.text,
        inputmode: 'decimal',
        unit: form.queueTimeout.unit,
        units: TIME_UNITS,
        hint: 'It fails when it was not given to a worker by then. 0: it waits for ever.',
        faults: faultsAt(faults, 'queue_timeout_seconds'),
        changed: (text) => edit({ queueTimeout: { ...form.queueTimeout, text } }),
        unitChanged: (unit) => edit({ queueTimeout: { ...form.queueTimeout, unit: unit as TimeUnit } }),
      })}
      ${choiceField({
        id: 'network',
        label: 'Network',
        value: form.network,
        options: [
          { value: 'bridge', label: 'bridge: reaches the network' },
          { value: 'none', label: 'none: reaches nothing' },
        ],
        faults: faultsAt(faults, 'network'),
        changed: (network) => edit({ network: network as TaskNetwork }),
      })}
      ${choiceField({
        id: 'pull_policy',
        label: 'Pull the image',
        value: form.pullPolicy,
        options: [
          { value: 'if-missing', label: 'if the worker lacks it' },
          { value: 'always', label: 'always, for the newest' },
          { value: 'never', label: 'never' },
        ],
        faults: faultsAt(faults, 'pull_policy'),
        changed: (pullPolicy) => edit({ pullPolicy: pullPolicy as PullPolicy }),
      })}
      ${textField({
        id: 'k_value',
        label: 'SLA multiplier k',
        value: form.k,
        inputmode: 'decimal',
        hint: 'It should end within k times what tasks of its tag and image usually take. Smaller is stricter.',
        faults: faultsAt(faults, 'k_value'),
        changed: (k) => edit({ k }),
      })}
    </div>
    ${retrying({ form, faults, edit })}
    ${labelTermsOf({ form, faults, edit }, workers, 'constraints', 'Must have labels', 'Only a worker with one of the values of each gets it.')}
    ${labelTermsOf({ form, faults, edit }, workers, 'prefer', 'Better with labels', 'A worker that has them goes before others; without them it runs, too.')}
    <mounts-editor
      .rows=${form.mounts} .workers=${workers} .faults=${faults.filter(({ field }) => /^mounts\b/.test(field))}
      @edit=${(event: EditEvent) => edit(event.change)}
    ></mounts-editor>
  `;
}

export function notification({ form, faults, edit }: Section) {
  const eventFaults = faultsAt(faults, 'webhook.events');
  return html`
    ${textField({
      id: 'webhook_url',
      label: 'Webhook address',
      value: form.webhookUrl,
      inputmode: 'url',
      placeholder: 'https://',
      hint: 'Gets a signed request for each event of this task. Webhooks for all your tasks are set in your account.',
      faults: [
        ...faultsAt(faults, 'webhook.url'),
        ...faults.filter(({ field }) => field === 'webhook').map(({ message }) => message),
      ],
      changed: (webhookUrl) => edit({ webhookUrl }),
    })}
    <fieldset ?disabled=${form.webhookUrl.trim() === ''} aria-describedby=${eventFaults.length > 0 ? 'events-fault' : nothing}>
      <legend>Events</legend>
      <div class="row">
        ${WEBHOOK_EVENTS.map(
          (event) =>
            html`<label class="tick"><input type="checkbox" aria-invalid=${eventFaults.length > 0} .checked=${form.webhookEvents.includes(event)} @change=${(
              change: Event,
            ) => {
              const isOn = (change.target as HTMLInputElement).checked;
              edit({
                webhookEvents: WEBHOOK_EVENTS.filter((one) =>
                  one === event ? isOn : form.webhookEvents.includes(one),
                ),
              });
            }} />${event}</label>`,
        )}
      </div>
      ${faultList('events', eventFaults)}
    </fieldset>
  `;
}

function labelTermsOf(
  { form, faults, edit }: Section,
  workers: readonly WorkerBody[],
  field: TermsField,
  heading: string,
  hint: string,
) {
  return html`<terms-editor
    field=${field} heading=${heading} hint=${hint} .rows=${form[field]} .workers=${workers}
    .faults=${faults.filter((fault) => fault.field === field || fault.field.startsWith(`${field}.`))}
    @edit=${(event: EditEvent) => edit(event.change)}
  ></terms-editor>`;
}

function workerOptions(chosen: string, workers: readonly WorkerBody[]) {
  const listed = workers.slice(0, WORKERS_LISTED).map(({ worker_id: id, state, free }) => ({
    value: id,
    label: state === 'ready' ? `${id}: ${amounts({ ...free, storage: 0 })} free` : `${id} (${state})`,
  }));
  const isListed = chosen === '' || listed.some(({ value }) => value === chosen);
  return [
    { value: '', label: 'Any' },
    ...(isListed ? [] : [{ value: chosen, label: `${chosen} (not in the cluster)` }]),
    ...listed,
  ];
}

// The groups of the form that are folded while all in them is as usual. Pure.

import type { ErrorDetail } from '../../../shared/errors.ts';
import { describeTerms } from '../../../shared/model/labels.ts';
import { faultsAt } from './field-faults.ts';
import { EMPTY_FORM, type FormState } from './form-state.ts';
import { termsOf } from './term-rows.ts';

export type Fold = 'placing' | 'files' | 'notification';

const FIELDS: Readonly<Record<Fold, readonly string[]>> = {
  placing: [
    ...['worker', 'priority', 'timeout_seconds', 'max_retries'],
    ...['retry_on', 'retry_on_exit_codes', 'retry_delay_seconds', 'queue_timeout_seconds'],
    ...['network', 'pull_policy', 'k_value', 'constraints', 'prefer', 'mounts'],
  ],
  files: ['files'],
  notification: ['webhook'],
};
const FOLDS = Object.keys(FIELDS) as Fold[];

/** Those that hold something worth seeing. */
export function foldsOf(form: FormState): Set<Fold> {
  const isUsual: Readonly<Record<Fold, boolean>> = {
    placing: placingWords(form) === placingWords(EMPTY_FORM),
    files: form.files.length === 0,
    notification: form.webhookUrl === '',
  };
  return new Set(FOLDS.filter((fold) => !isUsual[fold]));
}

/** Those that hold a fault. */
export function foldsWith(faults: readonly ErrorDetail[]): Fold[] {
  return FOLDS.filter((fold) => faultsAt(faults, ...FIELDS[fold]).length > 0);
}

function labelWords(begin: string, rows: FormState['constraints']): string {
  const words = describeTerms(termsOf(rows));
  return words === '' ? '' : `${begin} ${words}`;
}

/** What of the folded group is not as usual, for its heading. */
export function placingWords(form: FormState): string {
  const usual = EMPTY_FORM;
  const words = [
    form.worker === '' ? '' : `on ${form.worker}`,
    labelWords('must have', form.constraints),
    labelWords('better with', form.prefer),
    form.mounts.length === 0 ? '' : `mounts ${form.mounts.map(({ source }) => source).join(', ')}`,
    form.priority === usual.priority ? '' : `priority ${form.priority}`,
    form.timeout.text === '0' ? '' : `${form.timeout.text} ${form.timeout.unit} at most`,
    form.retries === usual.retries ? '' : `${form.retries} ${form.retries === '1' ? 'retry' : 'retries'}`,
    form.retryOn.join() === usual.retryOn.join() ? '' : `tried again on ${form.retryOn.join(', ')}`,
    form.exitCodes.trim() === '' ? '' : `exit codes ${form.exitCodes}`,
    form.retryDelay.text === usual.retryDelay.text && form.retryDelay.unit === usual.retryDelay.unit
      ? ''
      : `pause ${form.retryDelay.text} ${form.retryDelay.unit}`,
    form.queueTimeout.text === '0' ? '' : `waits ${form.queueTimeout.text} ${form.queueTimeout.unit} at most`,
    form.network === usual.network ? '' : 'no network',
    form.pullPolicy === usual.pullPolicy ? '' : `pull ${form.pullPolicy}`,
    form.k === usual.k ? '' : `k ${form.k}`,
  ].filter((word) => word !== '');
  return words.length === 0 ? 'any worker, priority 5, no time limit' : words.join(', ');
}

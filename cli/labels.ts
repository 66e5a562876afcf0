// Labels as they are typed: `disk=ssd`, or `disk=ssd,nvme` where any of these will do. Pure.

import { InvalidArgumentError } from 'commander';
import type { LabelTermsBody } from '../shared/contracts/labels.ts';
import { LABEL_NAME_PATTERN, LABEL_VALUE_PATTERN } from '../shared/model/labels.ts';

const FORM = 'Write a label and its value, e.g. disk=ssd, or disk=ssd,nvme where any of these will do.';

/** As they would be typed: `disk=ssd,nvme zone=a`. */
export function typedLabels(terms: LabelTermsBody): string {
  return Object.entries(terms)
    .map(([name, values]) => `${name}=${typeof values === 'string' ? values : values.join(',')}`)
    .join(' ');
}

/** For an option that may be given several times, once for each label. */
export function labelTerm(text: string, before: LabelTermsBody = {}): LabelTermsBody {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  if (at < 1) throw new InvalidArgumentError(FORM);
  if (!LABEL_NAME_PATTERN.test(name)) {
    throw new InvalidArgumentError(
      `A name of a label has 1 to 63 letters, digits, ".", "_" and "-". ${FORM}`,
    );
  }
  if (Object.hasOwn(before, name)) {
    throw new InvalidArgumentError(
      `The label ${name} is given twice: put all values that will do into one, e.g. ${name}=a,b.`,
    );
  }
  const values = [...new Set(text.slice(at + 1).split(','))];
  if (values.length > 1 && values.includes('')) {
    throw new InvalidArgumentError(`One of its values is empty. ${FORM}`);
  }
  if (!values.every((value) => LABEL_VALUE_PATTERN.test(value))) {
    throw new InvalidArgumentError(`A value has up to 63 letters, digits, ".", "_" and "-". ${FORM}`);
  }
  const [only = '', ...more] = values;
  return { ...before, [name]: more.length === 0 ? only : values };
}

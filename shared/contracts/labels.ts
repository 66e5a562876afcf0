// What a task demands of labels, on the wire: `{"disk": "ssd", "zone": ["a", "b"]}`. One value is text, several of which
// any will do are a list. Like http.ts a browser may import this file.

import type { LabelTerms } from '../model/labels.ts';

export type LabelTermsBody = Record<string, string | string[]>;

/** Far above what anybody needs: it keeps what a scheduler has to hold of a task small. */
export const MAX_LABEL_TERMS = 16;
export const MAX_LABEL_VALUES = 16;

export function labelTerms(body: LabelTermsBody): LabelTerms {
  return Object.fromEntries(
    Object.entries(body).map(([name, values]) => [name, typeof values === 'string' ? [values] : values]),
  );
}

export function labelTermsBody(terms: LabelTerms): LabelTermsBody {
  return Object.fromEntries(
    Object.entries(terms).map(([name, values]) => {
      const [only = '', ...more] = values;
      return [name, more.length === 0 ? only : [...values]];
    }),
  );
}

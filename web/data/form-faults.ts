// Where the faults of a form are told: those that the API names by field stand at that field, the rest at the end. Pure.

import { ApiError } from '../../client/client.ts';

export interface FormFaults {
  /** What is wrong with a field, in words; nothing when it is fine. */
  of(field: string): string;
  /** What no field of the form tells. */
  readonly rest: Error | null;
}

/** @param fields of the form, as the API calls them */
export function formFaults(error: Error | null, fields: readonly string[]): FormFaults {
  const details = error instanceof ApiError ? error.details : [];
  const told = details.filter(({ field }) => fields.includes(field));
  const words = (field: string) =>
    told
      .filter((detail) => detail.field === field)
      .map(({ message }) => withoutName(message, field))
      .join('. ');
  return { of: words, rest: told.length > 0 && told.length === details.length ? null : error };
}

/** The API begins with the name of the field, which its label says already. */
function withoutName(message: string, field: string): string {
  const name = field.slice(field.lastIndexOf('.') + 1);
  const bare = [field, name]
    .map((begin) => `"${begin}" `)
    .reduce((text, begin) => (text.startsWith(begin) ? text.slice(begin.length) : text), message);
  return bare.charAt(0).toUpperCase() + bare.slice(1);
}

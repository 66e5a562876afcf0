// How schemas of replies are written: every field of the wire type is there and has a schema of its kind, or this does
// not compile. They describe what the API says (the document at /openapi.json) and check it in tests; at run time no
// reply is checked.

import Joi from 'joi';

type SchemaOf<V> = [V] extends [string]
  ? Joi.StringSchema
  : [V] extends [number]
    ? Joi.NumberSchema
    : [V] extends [boolean]
      ? Joi.BooleanSchema
      : [V] extends [readonly unknown[]]
        ? Joi.ArraySchema
        : [V] extends [object]
          ? Joi.ObjectSchema
          : Joi.Schema;

export type FieldsOf<T> = { readonly [K in keyof T]-?: SchemaOf<NonNullable<T[K]>> };

/** The fields of a reply. All are there unless their schema says `optional()`. */
export function fields<T>(of: FieldsOf<T>): Joi.ObjectSchema<T> {
  const entries = Object.entries<Joi.Schema>(of).map(([name, schema]) => [
    name,
    schema.$_getFlag('presence') === 'optional' ? schema : schema.required(),
  ]);
  return Joi.object(Object.fromEntries(entries));
}

/** A part of the document with a name of its own. */
export function named<S extends Joi.Schema>(name: string, schema: S): S {
  return schema.meta({ name }) as S;
}

/** A reply under a name. */
export function reply<T>(name: string, of: FieldsOf<T>): Joi.ObjectSchema<T> {
  return named(name, fields<T>(of));
}

/** Text that may be empty. */
export const text = Joi.string().allow('');
export const textOrNull = text.allow(null);
export const time = Joi.string().isoDate();
export const timeOrNull = time.allow(null);
export const amount = Joi.number();
export const whole = Joi.number().integer();
export const count = whole.min(0);
export const yes = Joi.boolean();
export const list = (items: Joi.Schema) => Joi.array().items(items);
export const oneOf = (values: readonly string[]) => Joi.string().valid(...values);
/** Text by names that are not known beforehand. */
export const byName = (values: Joi.Schema) => Joi.object().pattern(Joi.any(), values);
export const nextCursor = textOrNull.description('Pass as `cursor` for the next page; null at the end.');

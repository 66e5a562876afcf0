// How schemas are applied at the door: bodies as they stand ("1.0" is no number), paths and queries converted
// from text. Every fault is named in the caller's own spelling.

import type { Lifecycle, Request, RouteOptionsValidate } from '@hapi/hapi';
import Joi from 'joi';
import { idempotencyKeySchema } from '../shared/contracts/schemas.ts';
import { AppError } from '../shared/errors.ts';

export interface RouteSchemas {
  readonly payload?: Joi.ObjectSchema;
  readonly query?: Joi.ObjectSchema;
  readonly params?: Joi.ObjectSchema;
}

// Settled once per schema: Joi would compile messages that come with a call anew each time.
const TEXT_RULES: Joi.ValidationOptions = {
  abortEarly: false,
  messages: { 'object.unknown': '{{#label}} is not a known field' },
};
const BODY_RULES: Joi.ValidationOptions = { ...TEXT_RULES, convert: false };

/** hapi's `validate` option: the values that reach the handler are checked and have their defaults. */
export function checked({ payload, query, params }: RouteSchemas): RouteOptionsValidate {
  return {
    failAction: refuse,
    ...(payload ? { payload: payload.prefs(BODY_RULES).label('the body') } : {}),
    ...(query ? { query: query.prefs(TEXT_RULES).label('the query') } : {}),
    ...(params ? { params: params.prefs(TEXT_RULES) } : {}),
  };
}

/** @throws AppError `invalid_request` that names every fault */
const refuse: Lifecycle.Method = (_request, _h, error) => {
  throw Joi.isError(error) ? invalid(error) : error;
};

/**
 * The same for what does not come through hapi: the value as it stands, with its defaults.
 * @throws AppError `invalid_request` that names every fault
 */
export function accept<T>(schema: Joi.ObjectSchema<T>, value: unknown): T {
  return acceptor(schema)(value);
}

/** The same, prepared for many values. `asText`: as in paths and queries, numbers may come as text. */
export function acceptor<T>(schema: Joi.ObjectSchema<T>, how: 'as_it_stands' | 'as_text' = 'as_it_stands') {
  const ready = schema.prefs(how === 'as_text' ? TEXT_RULES : BODY_RULES);
  return (value: unknown): T => {
    const result = ready.validate(value);
    if (result.error) throw invalid(result.error);
    return result.value;
  };
}

/** The key of a submission, by which a repeat is known. @param name as the caller knows it, for what is wrong with it */
export function acceptIdempotencyKey(value: unknown, name: string, what: string): string | null {
  if (value === undefined) return null;
  const { error, value: key } = idempotencyKeySchema.label(name).validate(value);
  if (!error) return key;
  throw new AppError('invalid_request', `the ${what} ${error.message}`, {
    details: [{ field: name, message: error.message }],
  });
}

function invalid(error: Joi.ValidationError): AppError {
  const [first, ...more] = error.details;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more, see details)`;
  return new AppError('invalid_request', `${first?.message ?? error.message}${rest}`, {
    details: error.details.map(({ path, message }) => ({ field: path.join('.'), message })),
  });
}

// hapi's types cannot know what a schema lets through. These say so, and are used only in routes that are `checked`.

export function bodyOf<T>(request: Request): T {
  return request.payload as T;
}

export function queryOf<T>(request: Request): T {
  return request.query as T;
}

/** The `{id}` of the address. */
export function idOf(request: Request): string {
  return String(request.params.id);
}

/** The `{path*}` of the address, decoded once. */
export function pathOf(request: Request): string {
  return String(request.params.path);
}

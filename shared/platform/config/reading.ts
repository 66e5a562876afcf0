// How settings are read: a process does it once, at its start, by the `load…Config` of its file in this folder; all faults are
// reported at once. No other room reads the environment for settings.

import Joi from 'joi';
import { AppError } from '../../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

// Joi does not carry the types of single keys; each field of the config types above is checked by its schema.
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type Values = Record<string, any>;

/** @throws AppError `bad_config` that names every wrong setting */
export function readSettings(keys: Record<string, Joi.Schema>, env: Environment): Values {
  const known = Object.fromEntries(
    Object.keys(keys).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  );
  const { error, value } = Joi.object(keys).validate(known, {
    abortEarly: false,
    // For settings that depend on each other.
    context: known,
    errors: { label: false },
  });
  if (!error) return value;
  const details = error.details.map((fault) => ({ field: fault.path.join('.'), message: fault.message }));
  throw new AppError(
    'bad_config',
    `wrong settings:\n${details.map(({ field, message }) => `  ${field} ${message}`).join('\n')}`,
    { details },
  );
}

export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

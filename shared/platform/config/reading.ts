// How settings are read: a process does it once, at its start, by the `load…Config` of its file in this folder; all faults are
// reported at once. No other room reads the environment for settings.

import { readFileSync } from 'node:fs';
import Joi from 'joi';
import { AppError, messageOf } from '../../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

// Joi does not carry the types of single keys; each field of the config types above is checked by its schema.
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type Values = Record<string, any>;

interface Fault {
  readonly field: string;
  readonly message: string;
}

/** Of a setting `X_FILE` beside `X`: the name of a file that holds the value of `X`, as secrets are handed to containers. */
export const valueFile = Joi.string();
const OF_FILE = '_FILE';

/** @throws AppError `bad_config` that names every wrong setting, and of one that is in a file never the text */
export function readSettings(keys: Record<string, Joi.Schema>, env: Environment): Values {
  const given = Object.fromEntries(
    Object.keys(keys).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  );
  const { values: known, faults, fromFiles } = withFiles(fieldsOfFiles(keys), given);
  const { error, value } = Joi.object(keys).validate(known, {
    abortEarly: false,
    // For settings that depend on each other.
    context: known,
    errors: { label: false },
  });
  const unread = new Set(faults.map(({ field }) => field.slice(0, -OF_FILE.length)));
  const wrong = (error?.details ?? []).map(({ path, message }) => ({ field: path.join('.'), message }));
  const details = [
    // What could not be read is not also missing.
    ...wrong.filter(({ field }) => !unread.has(field)).map((fault) => ofFile(fault, fromFiles)),
    ...faults,
  ];
  if (details.length > 0) throw wrongSettings(details);
  return value;
}

function wrongSettings(details: readonly Fault[]): AppError {
  const lines = details.map(({ field, message }) => `  ${field} ${message}`);
  return new AppError('bad_config', `wrong settings:\n${lines.join('\n')}`, { details: [...details] });
}

/**
 * The environment with what `X_FILE` names as `X`, for whoever hands it on to other processes.
 * @throws AppError `bad_config` that names every file that cannot be read
 */
export function withValueFiles(env: Environment, names: readonly string[]): Environment {
  const fields = names.map((name) => `${name}${OF_FILE}`);
  const given = Object.fromEntries([...names, ...fields].map((name) => [name, env[name] || undefined]));
  const { values, faults } = withFiles(fields, given);
  if (faults.length > 0) throw wrongSettings(faults);
  const settled: Record<string, string | undefined> = { ...env, ...values };
  for (const field of fields) delete settled[field];
  return settled;
}

/** `X_FILE` beside `X`; a setting that merely ends so is one of its own. */
function fieldsOfFiles(keys: Record<string, Joi.Schema>): string[] {
  return Object.keys(keys).filter(
    (field) => field.endsWith(OF_FILE) && field.slice(0, -OF_FILE.length) in keys,
  );
}

/** Puts the texts of files in the places of the settings they hold. */
function withFiles(fields: readonly string[], given: Environment) {
  const values: Record<string, string | undefined> = { ...given };
  const faults: Fault[] = [];
  const fromFiles = new Set<string>();
  for (const field of fields) {
    const name = field.slice(0, -OF_FILE.length);
    const path = given[field];
    if (path === undefined) continue;
    if (given[name] !== undefined) {
      faults.push({ field, message: `cannot be set beside ${name}: set one of them` });
      continue;
    }
    try {
      const text = readFileSync(path, 'utf8').trim();
      if (text === '')
        faults.push({ field, message: `names an empty file: put the value of ${name} into it` });
      else {
        values[name] = text;
        fromFiles.add(name);
      }
    } catch (cause) {
      faults.push({ field, message: `cannot be read: ${messageOf(cause)}` });
    }
  }
  return { values, faults, fromFiles };
}

function ofFile({ field, message }: Fault, fromFiles: ReadonlySet<string>): Fault {
  if (!fromFiles.has(field)) return { field, message };
  return { field: `${field}${OF_FILE}`, message: `names a file whose text ${message}` };
}

export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

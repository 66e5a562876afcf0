// Filled-in forms under a name, kept in this browser for one user. Pure but for the storage it is handed. Values of
// secrets are never in it; what cannot be read counts as not there.

import type { SubmitBody, SubmitRequest } from '../../../shared/contracts/http.ts';
import { briefRequest, withoutSecrets } from '../../data/task-request.ts';
import { readRequest } from './read-request.ts';

export interface Preset {
  readonly name: string;
  readonly request: SubmitRequest;
}

const VERSION = 1;
export const MOST_PRESETS = 50;
export const NAME_MAX = 60;
/** Characters of all presets together; browsers give some five million to all of a site. */
const MOST_CHARS = 500_000;

type Kept = Pick<Storage, 'getItem' | 'setItem'>;

export function presetsKey(username: string): string {
  return `cloudai.presets.${username}`;
}

/** In order of name. */
export function readPresets(storage: Kept, username: string): Preset[] {
  let kept: unknown;
  try {
    kept = JSON.parse(storage.getItem(presetsKey(username)) ?? 'null');
  } catch {
    return [];
  }
  const { version, presets } = (kept ?? {}) as { version?: unknown; presets?: unknown };
  if (version !== VERSION || !Array.isArray(presets)) return [];
  const found = new Map<string, Preset>();
  for (const one of presets.slice(0, MOST_PRESETS)) {
    const { name, request } = (one ?? {}) as { name?: unknown; request?: unknown };
    const read = readRequest(request);
    if (typeof name === 'string' && name.trim() !== '' && read)
      found.set(name, { name, request: read.request });
  }
  return sorted([...found.values()]);
}

/** Over one of the same name. @throws {Error} in words when there is no room */
export function withPreset(presets: readonly Preset[], name: string, body: SubmitBody): Preset[] {
  const preset = { name: name.trim().slice(0, NAME_MAX), request: briefRequest(withoutSecrets(body)) };
  const next = sorted([...presets.filter((one) => one.name !== preset.name), preset]);
  if (next.length > MOST_PRESETS) {
    throw new Error(`There are ${MOST_PRESETS} presets already: delete one first`);
  }
  if (textOf(next).length > MOST_CHARS) {
    throw new Error('This form is too long to be kept here: copy it as JSON instead');
  }
  return next;
}

export function withoutPreset(presets: readonly Preset[], name: string): Preset[] {
  return presets.filter((one) => one.name !== name);
}

/** False when the browser keeps nothing. */
export function writePresets(storage: Kept, username: string, presets: readonly Preset[]): boolean {
  try {
    storage.setItem(presetsKey(username), textOf(presets));
    return true;
  } catch {
    return false;
  }
}

function textOf(presets: readonly Preset[]): string {
  return JSON.stringify({ version: VERSION, presets });
}

function sorted(presets: Preset[]): Preset[] {
  return presets.sort((one, other) => one.name.localeCompare(other.name));
}

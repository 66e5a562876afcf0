// How a person likes output to be shown: kept in this browser, not in the address.

import type { Times } from './log-row.ts';

export interface LogPrefs {
  readonly wrap: boolean;
  readonly times: Times;
}

const KEY = 'cloudai.log';
const TIMES: readonly Times[] = ['off', 'relative', 'absolute'];
const DEFAULTS: LogPrefs = { wrap: true, times: 'off' };

export function readPrefs(): LogPrefs {
  try {
    return prefsOf(localStorage.getItem(KEY));
  } catch {
    return DEFAULTS;
  }
}

export function keepPrefs(prefs: LogPrefs): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}

/** Whatever was kept: another release may have written it. */
function prefsOf(kept: string | null): LogPrefs {
  if (kept === null) return DEFAULTS;
  try {
    const { wrap, times } = (JSON.parse(kept) ?? {}) as Partial<Record<keyof LogPrefs, unknown>>;
    return {
      wrap: typeof wrap === 'boolean' ? wrap : DEFAULTS.wrap,
      times: TIMES.find((known) => known === times) ?? DEFAULTS.times,
    };
  } catch {
    return DEFAULTS;
  }
}

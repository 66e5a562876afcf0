// Light, dark, or as the system says: kept in this browser. `public/theme.js` sets it before the first paint.

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'cloudai.theme';

export function theme(): Theme {
  return THEMES.find((known) => known === document.documentElement.dataset.theme) ?? 'system';
}

/** Sends `cloudai-theme` to the window: what paints by hand has to do it anew. */
export function setTheme(next: Theme): void {
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
  dispatchEvent(new Event('cloudai-theme'));
}

export function nextTheme(): Theme {
  return THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length] ?? 'system';
}

// What the command palette offers, and in which order for what was typed. Pure.

import type { IconNode } from 'lucide';

export type PaletteAction = 'queue-board' | 'theme' | 'sign-out' | 'copy-address';

export interface PaletteEntry {
  /** Unique among what is offered. */
  readonly id: string;
  readonly group: 'Go to' | 'Do' | 'Tasks' | 'Workers';
  readonly label: string;
  /** Beside the label: what it is, or the state it is in. */
  readonly hint?: string | undefined;
  /** Other words that find it. */
  readonly words?: string | undefined;
  readonly icon: IconNode;
  readonly run: { readonly href: string } | { readonly action: PaletteAction };
}

/** Entries that hold every word of `query`, those that begin with it first; in the given order otherwise. */
export function matching(entries: readonly PaletteEntry[], query: string): readonly PaletteEntry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return entries;
  return entries
    .map((entry) => ({ entry, rank: rankOf(entry, words) }))
    .filter(({ rank }) => rank !== null)
    .sort((a, b) => Number(a.rank) - Number(b.rank))
    .map(({ entry }) => entry);
}

/** 0: the label begins with the first word · 1: a word of it does · 2: it is in there somewhere; null: it is not. */
function rankOf(
  { label, hint = '', words: other = '' }: PaletteEntry,
  words: readonly string[],
): number | null {
  const name = label.toLowerCase();
  const all = `${name} ${hint} ${other}`.toLowerCase();
  if (!words.every((word) => all.includes(word))) return null;
  const [first = ''] = words;
  if (name.startsWith(first)) return 0;
  return new RegExp(`(^|[^a-z0-9])${escaped(first)}`).test(name) ? 1 : 2;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

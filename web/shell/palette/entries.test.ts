import { Plus } from 'lucide';
import { describe, expect, it } from 'vitest';
import { matching, type PaletteEntry } from './entries.ts';

const entry = (label: string, words = ''): PaletteEntry => ({
  id: label,
  group: 'Go to',
  label,
  words,
  icon: Plus,
  run: { href: '/' },
});
const ALL = [
  entry('Overview'),
  entry('Failed tasks', 'errors'),
  entry('Tasks'),
  entry('Submit a task', 'new run'),
];
const found = (query: string) => matching(ALL, query).map(({ label }) => label);

describe('the command palette', () => {
  it('offers all when nothing is typed', () => {
    expect(found('  ')).toEqual(ALL.map(({ label }) => label));
  });

  it('puts what begins with the word first, then what has a word that does', () => {
    expect(found('task')).toEqual(['Tasks', 'Failed tasks', 'Submit a task']);
    expect(found('ERR')).toEqual(['Failed tasks']);
  });

  it('wants every word, and takes signs as signs', () => {
    expect(found('task fail')).toEqual(['Failed tasks']);
    expect(found('task xyz')).toEqual([]);
    expect(found('.*')).toEqual([]);
    expect(found('(')).toEqual([]);
  });
});

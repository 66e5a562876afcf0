import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HISTORY_LIMIT, mayBeKept, tidyHistory } from './history.ts';
import { HistoryFile } from './history-file.ts';

describe('a line', () => {
  it.each([
    'task a -secret TOKEN_VALUE',
    'task a --secret=A=b',
    'workers --token abc',
    'login --password hunter2',
    'login -password-stdin',
    'task a -env DB_PASSWORD=x',
    'task a -env "API_KEY=x y',
    'task a -- mysql --password=x',
    'task a "-sec"ret x',
    'task a --webhook https://user:pass@host/hook',
    ' workers',
    '   ',
    `task ${'a'.repeat(5_000)}`,
  ])('is not kept when it may hold a secret or is none: %s', (line) => {
    expect(mayBeKept(line)).toBe(false);
  });

  it.each(['workers', 'task a -env MODE=fast -- python train.py', 'webhooks secret', 'tokens create ci'])(
    'is kept: %s',
    (line) => {
      expect(mayBeKept(line)).toBe(true);
    },
  );
});

describe('history', () => {
  it('has the newest lines, none twice in a row, none that no prompt wrote', () => {
    expect(tidyHistory(['a', 'a', '', ' ', 'b', 'a', '\x1b[2J', 'a'])).toEqual(['a', 'b', 'a']);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 2_500 }), (lines) => {
        const tidy = tidyHistory(lines);
        expect(tidy.length).toBeLessThanOrEqual(HISTORY_LIMIT);
        expect(tidy.some((line, at) => line === tidy[at - 1])).toBe(false);
        expect(tidy.at(-1)).toBe(lines.at(-1));
        expect(tidyHistory(tidy)).toEqual(tidy);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cloudai-history-'));
    path = join(folder, 'cloudai', 'history');
  });
  afterEach(() => rm(folder, { recursive: true }));
  const text = () => readFile(path, 'utf8');
  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => `get ${from + at}`);

  it('is its owner’s, gives back what was added, and takes no line twice in a row', async () => {
    const file = new HistoryFile(path);
    expect(await file.load()).toEqual([]);
    for (const line of ['workers', 'workers', 'login --password x', 'queue', 'workers']) await file.add(line);
    expect(await text()).toBe('workers\nqueue\nworkers\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const later = new HistoryFile(path);
    expect(await later.load()).toEqual(['workers', 'queue', 'workers']);
    await later.add('workers');
    expect(await text()).toBe('workers\nqueue\nworkers\n');
    expect(later.fault).toBeNull();
  });

  it('stays bounded, and leaves nothing else behind', async () => {
    await mkdir(join(folder, 'cloudai'));
    await writeFile(path, numbered(0, 1_500).join('\n'), { mode: 0o644 });
    const file = new HistoryFile(path);
    expect((await file.load())[0]).toBe('get 500');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await file.add('one');
    await file.add('two');
    const lines = (await text()).trimEnd().split('\n');
    expect(lines).toHaveLength(HISTORY_LIMIT);
    expect(lines.slice(-2)).toEqual(['one', 'two']);
    expect(await readdir(join(folder, 'cloudai'))).toEqual(['history']);
  });

  it('keeps the lines of all prompts that use it at once, also while it is being shortened', async () => {
    await mkdir(join(folder, 'cloudai'));
    await writeFile(path, `${numbered(0, HISTORY_LIMIT - 5).join('\n')}\n`);
    const prompts = [1, 2, 3, 4].map(() => new HistoryFile(path));
    await Promise.all(prompts.map((prompt) => prompt.load()));
    await Promise.all(
      prompts.map(async (prompt, who) => {
        for (let at = 0; at < 40; at += 1) await prompt.add(`cancel ${who}-${at}`);
      }),
    );
    const kept = await new HistoryFile(path).load();
    expect(kept.length).toBeLessThanOrEqual(HISTORY_LIMIT);
    for (let who = 0; who < prompts.length; who += 1) {
      const own = kept.filter((line) => line.startsWith(`cancel ${who}-`));
      expect(new Set(own).size).toBe(40);
    }
  });

  it('is shortened again after a prompt that died at it', async () => {
    await mkdir(join(folder, 'cloudai'));
    await writeFile(path, `${numbered(0, HISTORY_LIMIT).join('\n')}\n`);
    await writeFile(`${path}.lock`, '');
    const file = new HistoryFile(path);
    await file.load();
    await file.add('one');
    expect((await text()).split('\n').length).toBe(HISTORY_LIMIT + 2);
    await utimes(`${path}.lock`, 0, 0);
    for (const line of ['two', 'three']) await file.add(line);
    expect((await text()).split('\n').length).toBe(HISTORY_LIMIT + 1);
  });

  it('tells that it cannot be used, and throws nothing', async () => {
    await mkdir(path, { recursive: true });
    const file = new HistoryFile(path);
    expect(await file.load()).toEqual([]);
    expect(file.fault).toContain(path);
    await file.add('workers');
    expect(file.fault).toContain(path);
  });
});

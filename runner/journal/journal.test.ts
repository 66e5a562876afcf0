import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FinishReport } from '../../shared/model/task-life.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { tempDir } from '../../test/support/servers.ts';
import { formatEntry, type JournalEntry, MAX_ENTRY_BYTES, parseEntry } from './entry-format.ts';
import { Journal } from './journal.ts';

const result: FinishReport = {
  attempt: 2,
  workerId: 'w',
  now: 1_000,
  dice: 0.25,
  outcome: { kind: 'failed', reason: 'exit_code', exitCode: 4, message: 'exit code 4' },
  progress: { at: 900, percent: 50, message: 'half' },
  usage: null,
  usageSeries: { startAt: 0, stepMs: 1_000, points: [[0, 1, 100, 10]] },
  outputs: { files: 1, bytes: 3, note: null },
};
const entry: JournalEntry = {
  taskId: 'task-a',
  attempt: 2,
  stop: { cause: 'fenced', killed: true },
  result,
};
const key = { taskId: 'task-a', attempt: 2 };

let dir: Awaited<ReturnType<typeof tempDir>>;
let folder: string;
beforeEach(async () => {
  dir = await tempDir();
  folder = `${dir.path}/journal`;
});
afterEach(() => dir.remove());
const open = () => Journal.open(folder, silentLog());

describe('an entry as text', () => {
  it('is read as it was written', () => expect(parseEntry(formatEntry(entry))).toEqual(entry));

  it('is refused whole when any byte of it is another, or missing', () => {
    const text = Buffer.from(formatEntry(entry));
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const other = Buffer.from(text);
        other[at] = (other[at] ?? 0) ^ change;
        expect(parseEntry(other.toString('latin1'))).toBeNull();
        expect(parseEntry(text.subarray(0, at).toString())).toBeNull();
      }),
    );
  });

  it('stays small: use over time is left out first', () => {
    const points = Array.from({ length: 60_000 }, (_, n) => [n, 1, 100.123, 10.123] as const);
    const large = { ...result, usageSeries: { startAt: 0, stepMs: 1, points } };
    const text = formatEntry({ ...entry, result: large });
    expect(text.length).toBeLessThan(MAX_ENTRY_BYTES);
    expect(parseEntry(text)?.result).toEqual({ ...result, usageSeries: null });
  });
});

describe('the journal', () => {
  it('is there for the next life, readable by nobody else, until it is dropped', async () => {
    const first = await open();
    await first.note(key, { stop: { cause: 'time_limit', killed: false } });
    await first.note(key, { result });
    const [file = ''] = await readdir(folder);
    expect((await stat(`${folder}/${file}`)).mode & 0o777).toBe(0o600);

    const second = await open();
    expect(second.of(key)).toEqual({ ...key, stop: { cause: 'time_limit', killed: false }, result });
    expect(second.keys()).toMatchObject([key]);
    expect(second.of({ ...key, attempt: 1 })).toBeNull();
    await second.drop(key);
    expect(await readdir(folder)).toEqual([]);
    expect((await open()).keys()).toEqual([]);
  });

  it('writes nothing for what is dropped before its turn, and nothing at all for most', async () => {
    const journal = await open();
    const noted = journal.note(key, { result });
    await Promise.all([noted, journal.drop(key), journal.drop({ ...key, attempt: 9 })]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('sets damaged entries and those of other attempts aside, keeps the rest, drops half-written drafts', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/task-a-2.json`, formatEntry(entry));
    await writeFile(`${folder}/task-b-1.json`, formatEntry(entry).replace('exit code 4', 'exit code 0'));
    await writeFile(`${folder}/task-c-1.json`, formatEntry(entry));
    await writeFile(`${folder}/task-d-1.json`, '');
    await writeFile(`${folder}/task-e-1.json`, Buffer.alloc(MAX_ENTRY_BYTES + 1));
    await writeFile(`${folder}/task-f-1.json.123.new`, 'half');
    const journal = await open();
    expect(journal.keys()).toMatchObject([key]);
    expect((await readdir(folder)).sort()).toEqual([
      'task-a-2.json',
      ...['b', 'c', 'd', 'e'].map((name) => `task-${name}-1.json.damaged`),
    ]);
    expect(await readFile(`${folder}/task-b-1.json.damaged`, 'utf8')).toContain('exit code 0');
  });

  it('keeps the latest of what was set aside', async () => {
    await mkdir(folder, { recursive: true });
    for (let n = 0; n < 25; n += 1) await writeFile(`${folder}/task-${n}-1.json`, 'no');
    await open();
    expect(await readdir(folder)).toHaveLength(20);
  });

  it('lets an attempt go on where the disk fails', async () => {
    await writeFile(folder, 'a file where the folder should be');
    const journal = await open();
    await journal.note(key, { result });
    expect(journal.of(key)?.result).toEqual(result);
    await journal.drop(key);
    await chmod(dir.path, 0o700);
  });
});

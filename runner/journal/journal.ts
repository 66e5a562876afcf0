// What this runner knows of attempts and nobody else could find out: what a container was signalled for, and results that
// cannot be committed yet. One small file for each attempt, so that the next life goes on from there, whether the
// container is still there or not. Most attempts end without one. A disk that fails costs what would be known, never the
// attempt: nothing here throws.

import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../shared/platform/log.ts';
import { writePrivateFile } from '../../shared/platform/private-file.ts';
import { formatEntry, type JournalEntry, MAX_ENTRY_BYTES, parseEntry } from './entry-format.ts';

const SUFFIX = '.json';
const DAMAGED = '.damaged';
/** Files that were set aside and are kept for a person to look at, the latest. */
const KEPT_DAMAGED = 20;
/** Far more than a machine runs at a time; what is beyond stays for the next life. */
const MOST_ENTRIES = 20_000;
/** Read at once. */
const READS = 16;

interface Key {
  readonly taskId: string;
  readonly attempt: number;
}

export class Journal {
  readonly #directory: string;
  readonly #log: Log;
  readonly #entries = new Map<string, JournalEntry>();
  /** What is done to one file is done in order. */
  readonly #doing = new Map<string, Promise<void>>();

  private constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /** With what an earlier life left. */
  static async open(directory: string, log: Log): Promise<Journal> {
    const journal = new Journal(directory, log);
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await journal.#load();
    } catch (error) {
      log.error(
        { err: error, directory },
        'the journal cannot be read: results of an earlier life may be lost',
      );
    }
    return journal;
  }

  /** Of all attempts that have an entry. */
  keys(): Key[] {
    return [...this.#entries.values()];
  }

  of(key: Key): JournalEntry | null {
    return this.#entries.get(nameOf(key)) ?? null;
  }

  /** Resolves when it is safe on disk, or cannot be. What was noted before and is not named stays. */
  note(key: Key, what: Partial<Pick<JournalEntry, 'stop' | 'result'>>): Promise<void> {
    const { taskId, attempt } = key;
    const name = nameOf(key);
    const entry = { taskId, attempt, stop: null, result: null, ...this.#entries.get(name), ...what };
    this.#entries.set(name, entry);
    return this.#after(name, 'written', async () => {
      // What came after it stands in its place, or it is not wanted any more.
      if (this.#entries.get(name) === entry) await this.#write(this.#pathOf(name), formatEntry(entry));
    });
  }

  /** Nothing more is to be known of the attempt. Costs nothing when there is no entry. */
  drop(key: Key): Promise<void> {
    const name = nameOf(key);
    if (!this.#entries.delete(name)) return Promise.resolve();
    return this.#after(name, 'removed', () => rm(this.#pathOf(name), { force: true }));
  }

  async #load(): Promise<void> {
    const names = await readdir(this.#directory);
    // Drafts of a life that died while it wrote: what they were to replace is still there.
    const drafts = names.filter((name) => name.endsWith('.new'));
    for (const name of drafts) await rm(join(this.#directory, name), { force: true });
    const files = names.filter((name) => name.endsWith(SUFFIX)).slice(0, MOST_ENTRIES);
    for (let at = 0; at < files.length; at += READS) {
      await Promise.all(files.slice(at, at + READS).map((file) => this.#read(file)));
    }
    if (this.#entries.size > 0) {
      this.#log.info({ entries: this.#entries.size }, 'the journal of an earlier life is taken up');
    }
    await this.#forgetDamaged();
  }

  async #read(file: string): Promise<void> {
    const path = join(this.#directory, file);
    try {
      const { size } = await stat(path);
      const entry = size > MAX_ENTRY_BYTES ? null : parseEntry(await readFile(path, 'utf8'));
      if (entry && file === `${nameOf(entry)}${SUFFIX}`) {
        this.#entries.set(nameOf(entry), entry);
        return;
      }
      await rename(path, `${path}${DAMAGED}`);
      this.#log.error({ file: `${path}${DAMAGED}` }, 'an entry of the journal is damaged and was set aside');
    } catch (error) {
      this.#log.error({ err: error, file: path }, 'an entry of the journal cannot be read');
    }
  }

  async #forgetDamaged(): Promise<void> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith(DAMAGED));
    if (names.length <= KEPT_DAMAGED) return;
    const aged = await Promise.all(
      names.map(async (name) => ({ name, at: (await stat(join(this.#directory, name))).mtimeMs })),
    );
    aged.sort((a, b) => b.at - a.at);
    for (const { name } of aged.slice(KEPT_DAMAGED)) await rm(join(this.#directory, name), { force: true });
  }

  async #write(path: string, text: string): Promise<void> {
    await writePrivateFile(path, text);
    // The new name itself must outlive a machine that goes down now.
    const folder = await open(this.#directory, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #after(name: string, how: string, act: () => Promise<void>): Promise<void> {
    const before = this.#doing.get(name) ?? Promise.resolve();
    const done = before.then(act).catch((error) => {
      this.#log.error(
        { err: error, file: this.#pathOf(name) },
        `an entry of the journal could not be ${how}`,
      );
    });
    this.#doing.set(name, done);
    void done.then(() => {
      if (this.#doing.get(name) === done) this.#doing.delete(name);
    });
    return done;
  }

  #pathOf(name: string): string {
    return join(this.#directory, `${name}${SUFFIX}`);
  }
}

function nameOf({ taskId, attempt }: Key): string {
  return `${taskId}-${attempt}`;
}

// The uploads of a session: what is sent, three at a time, what waits, what was begun before a reload. Goes on while
// other pages are open. Sends `change` when a list of them has to be drawn anew, `done` when a file is in its place.

import type { UploadBody } from '../../../shared/contracts/uploads.ts';
import type { Session } from '../session.ts';
import { forgetUpload, rememberedUpload, rememberUpload } from './upload-memory.ts';
import { otherFile, type PickedFile } from './upload-plan.ts';
import { runUpload, waitOnline } from './upload-run.ts';

/** `lost`: begun before a reload, the browser has to be given the file again. */
export type UploadItemState = 'queued' | 'sending' | 'waiting' | 'paused' | 'lost' | 'failed' | 'done';

export interface UploadItem {
  readonly path: string;
  readonly sizeBytes: number;
  readonly offset: number;
  readonly state: UploadItemState;
  /** What is waited out, or why it failed. */
  readonly fault: Error | null;
}

interface Entry {
  path: string;
  sizeBytes: number;
  offset: number;
  state: UploadItemState;
  fault: Error | null;
  id: string | null;
  file: (Blob & PickedFile) | null;
  running: AbortController | null;
}

const AT_A_TIME = 3;

export class UploadList extends EventTarget {
  readonly #session: Session;
  readonly #entries: Entry[] = [];
  readonly #onLeave = (event: BeforeUnloadEvent) => event.preventDefault();

  constructor(session: Session) {
    super();
    this.#session = session;
    session.addEventListener('change', () => {
      if (!session.user) this.#leave();
    });
  }

  get items(): readonly UploadItem[] {
    return this.#entries;
  }

  get isBusy(): boolean {
    return this.#entries.some(({ state }) => ['queued', 'sending', 'waiting'].includes(state));
  }

  /** What the cluster has of unfinished uploads; those of this page are known already. @throws ApiError */
  async recall(signal?: AbortSignal): Promise<void> {
    const known = await this.#session.client.listUploads({ signal });
    for (const upload of known) {
      if (!this.#entries.some(({ id }) => id === upload.upload_id)) this.#entries.push(lost(upload));
    }
    const gone = this.#entries.filter(
      ({ state, id }) => state === 'lost' && !known.some(({ upload_id }) => upload_id === id),
    );
    for (const entry of gone) this.#remove(entry);
    this.#tell();
  }

  /** Sends a file; one that was begun before goes on. */
  add(path: string, file: Blob & PickedFile): void {
    const begun = this.#entries.find((entry) => entry.path === path && entry.state === 'lost');
    if (begun && this.#fault(begun, file) === null) {
      this.#goOn(begun, file);
      return;
    }
    this.#entries.push({
      path,
      sizeBytes: file.size,
      offset: 0,
      state: 'queued',
      fault: null,
      id: null,
      file,
      running: null,
    });
    this.#startNext();
  }

  /** Gives a lost one its file again. @returns why it is another file, or null */
  giveAgain(item: UploadItem, file: Blob & PickedFile): string | null {
    const entry = this.#entryOf(item);
    if (entry?.state !== 'lost') return null;
    const fault = this.#fault(entry, file);
    if (fault === null) this.#goOn(entry, file);
    return fault;
  }

  pause(item: UploadItem): void {
    const entry = this.#entryOf(item);
    if (!entry || !['queued', 'sending', 'waiting'].includes(entry.state)) return;
    entry.state = 'paused';
    entry.fault = null;
    entry.running?.abort();
    this.#startNext();
  }

  /** Also tries again what failed. */
  resume(item: UploadItem): void {
    const entry = this.#entryOf(item);
    if (entry?.file && ['paused', 'failed'].includes(entry.state)) this.#goOn(entry, entry.file);
  }

  /** Gives it up, with what has come; a finished one only leaves the list. */
  async drop(item: UploadItem): Promise<void> {
    const entry = this.#entryOf(item);
    if (!entry) return;
    this.#remove(entry);
    entry.running?.abort();
    this.#startNext();
    if (entry.id === null || entry.state === 'done') return;
    forgetUpload(entry.id);
    // It expires by itself, too.
    await this.#session.client.deleteUpload(entry.id).catch(() => undefined);
  }

  #entryOf(item: UploadItem): Entry | undefined {
    return this.#entries.find((entry) => entry === item);
  }

  #fault(entry: Entry, file: PickedFile): string | null {
    const begun = { path: entry.path, size_bytes: entry.sizeBytes };
    return otherFile(begun, file, entry.id === null ? null : rememberedUpload(entry.id));
  }

  #goOn(entry: Entry, file: Blob & PickedFile): void {
    entry.file = file;
    entry.fault = null;
    entry.state = 'queued';
    this.#startNext();
  }

  #startNext(): void {
    const active = this.#entries.filter(({ running }) => running !== null).length;
    const next = this.#entries.filter(({ state, running }) => state === 'queued' && running === null);
    for (const entry of next.slice(0, Math.max(0, AT_A_TIME - active))) void this.#run(entry);
    this.#tell();
  }

  async #run(entry: Entry): Promise<void> {
    const { file } = entry;
    if (!file) return;
    const running = new AbortController();
    entry.running = running;
    entry.state = 'sending';
    const update = (change: Partial<Entry>) => {
      if (running.signal.aborted) return;
      Object.assign(entry, change);
      this.#tell();
    };
    try {
      await runUpload({
        client: () => this.#session.client,
        file,
        path: entry.path,
        id: entry.id,
        signal: running.signal,
        onBegun: (id) => {
          entry.id = id;
          rememberUpload(id, file.lastModified);
        },
        onOffset: (offset) => update({ offset }),
        onWaiting: (fault) => update({ fault, state: fault ? 'waiting' : 'sending' }),
        wait: waitOnline,
      });
      update({ state: 'done', offset: entry.sizeBytes, fault: null });
      if (entry.id !== null) forgetUpload(entry.id);
      this.dispatchEvent(new Event('done'));
    } catch (error) {
      update({ state: 'failed', fault: error as Error });
    } finally {
      entry.running = null;
      this.#startNext();
    }
  }

  #remove(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index >= 0) this.#entries.splice(index, 1);
  }

  /** Nothing goes on for somebody who has signed out. */
  #leave(): void {
    for (const { running } of this.#entries) running?.abort();
    this.#entries.length = 0;
    this.#tell();
  }

  #tell(): void {
    removeEventListener('beforeunload', this.#onLeave);
    if (this.isBusy) addEventListener('beforeunload', this.#onLeave);
    this.dispatchEvent(new Event('change'));
  }
}

function lost({ upload_id, path, size_bytes, offset }: UploadBody): Entry {
  return {
    path,
    sizeBytes: size_bytes,
    offset,
    state: 'lost',
    fault: null,
    id: upload_id,
    file: null,
    running: null,
  };
}

const lists = new WeakMap<Session, UploadList>();

/** One list for each session, however often the page of the files is opened. */
export function uploadsOf(session: Session): UploadList {
  const known = lists.get(session) ?? new UploadList(session);
  lists.set(session, known);
  return known;
}

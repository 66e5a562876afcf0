// Tar archives on their way to and from the engine, entry by entry and never whole in memory. Knows nothing of
// containers.

import { Readable } from 'node:stream';
import { type Extract, extract, type Header, type Pack, pack } from 'tar-stream';
import { AppError, messageOf } from '../../errors.ts';
import type { InputFile, OutputEntry } from '../../ports/container-runtime.ts';

type Entry = Extract extends AsyncIterable<infer E> ? E : never;

/** A connection on which nothing comes for so long is dead. */
const SILENCE_MS = 120_000;

const TYPES: Readonly<Record<string, OutputEntry['type']>> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'directory',
  symlink: 'symlink',
  link: 'hardlink',
};

/**
 * What an archive holds but its root, with paths relative to it. Destroys `source` in the end. The iteration and the
 * contents fail with AppError only: the one that `source` was destroyed with, or `runtime_unavailable` when it is cut
 * off.
 */
export async function* archiveEntries(source: Readable): AsyncGenerator<OutputEntry> {
  const extractor = extract();
  // Whoever asks for the next entry is told; without a listener it would end the process.
  extractor.on('error', () => undefined);
  const feeding = feed(source, extractor);
  feeding.catch(() => undefined);
  try {
    for await (const entry of extractor) {
      const output = outputEntry(entry);
      if (output) yield output;
      else entry.resume();
    }
    await feeding;
  } catch (error) {
    throw error instanceof AppError ? error : cutOff(messageOf(error), error);
  } finally {
    source.destroy();
    extractor.destroy();
  }
}

async function feed(source: Readable, extractor: Extract): Promise<void> {
  try {
    for await (const chunk of unlessSilent(source)) {
      if (extractor.destroyed) return;
      if (!extractor.write(chunk)) await room(extractor);
    }
    extractor.end(null);
  } catch (error) {
    const fault = error instanceof AppError ? error : cutOff(messageOf(error), error);
    extractor.destroy(fault);
    throw fault;
  }
}

async function* unlessSilent(source: Readable): AsyncGenerator<Buffer> {
  const fail = () => source.destroy(cutOff(`nothing came for ${SILENCE_MS / 1_000} s`));
  let timer = setTimeout(fail, SILENCE_MS);
  try {
    for await (const chunk of source) {
      clearTimeout(timer);
      yield chunk as Buffer;
      timer = setTimeout(fail, SILENCE_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}

function outputEntry(entry: Entry): OutputEntry | null {
  const { name, linkname, size = 0, ...header } = entry.header;
  const path = relativePath(name);
  if (path === '') return null;
  const type = TYPES[header.type ?? 'file'] ?? 'other';
  return {
    path,
    type,
    target: type === 'hardlink' ? relativePath(linkname ?? '') : null,
    sizeBytes: type === 'file' ? size : 0,
    content: contentOf(entry),
  };
}

/** `a/b` for `./a/b/`, and nothing for the root. */
function relativePath(name: string): string {
  return name.replace(/^\.(\/+|$)/, '').replace(/\/+$/, '');
}

/**
 * The entry as a stream of its own: destroying an entry would end the whole archive, while one that nobody wants is
 * only skipped.
 */
function contentOf(entry: Entry): Readable {
  let isWhole = false;
  const content = new Readable({
    read() {
      entry.resume();
    },
    destroy(error, done) {
      // What is left of it flows into nothing.
      entry.resume();
      done(error);
    },
  });
  // Its fault is told to whoever reads it, if anybody does.
  content.on('error', () => undefined);
  entry.on('data', (chunk) => {
    if (!content.destroyed && !content.push(chunk)) entry.pause();
  });
  entry.pause();
  entry.on('end', () => {
    isWhole = true;
    content.push(null);
  });
  entry.on('error', (error: Error) => {
    content.destroy(error instanceof AppError ? error : cutOff(messageOf(error), error));
  });
  entry.on('close', () => {
    if (!isWhole) content.destroy(cutOff('it ends in the middle of a file'));
  });
  return content;
}

function cutOff(why: string, cause?: unknown): AppError {
  return new AppError('runtime_unavailable', `the container engine cut an archive off: ${why}`, {
    retryable: true,
    cause,
  });
}

/** An archive of nothing but a folder. */
export async function folderArchive(name: string, mode: number): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: `${name}/`, type: 'directory', mode, mtime: new Date(0) });
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * The files as an archive, read-only for everybody, with the folders they are in. Fails with what `open` or a file's
 * content fails with.
 */
export function fileArchive(files: readonly InputFile[]): Readable {
  const archive = pack();
  archive.on('error', () => undefined);
  writeFiles(archive, files).then(
    () => archive.finalize(),
    (error) => archive.destroy(error),
  );
  return Readable.from(archive, { objectMode: false });
}

async function writeFiles(archive: Pack, files: readonly InputFile[]): Promise<void> {
  const folders = new Set<string>();
  for (const { path, sizeBytes, open } of files) {
    for (const folder of foldersOf(path)) {
      if (folders.has(folder)) continue;
      folders.add(folder);
      archive.entry({ name: `${folder}/`, type: 'directory', mode: 0o755 });
    }
    await writeFile(archive, { name: path, type: 'file', mode: 0o444, size: sizeBytes }, await open());
  }
}

async function writeFile(
  archive: Pack,
  header: Pick<Header, 'name' | 'type' | 'mode' | 'size'>,
  content: Readable,
): Promise<void> {
  let left = header.size;
  const fault = () =>
    new AppError('internal', `the input file "${header.name}" is not as large as its record says`);
  // Nobody waits for more of it when the archive has failed.
  const stop = () => content.destroy();
  archive.on('close', stop);
  try {
    let close: (error?: Error | null) => void = () => undefined;
    const closed = new Promise<void>((done, fail) => {
      close = (error) => (error ? fail(error) : done());
    });
    closed.catch(() => undefined);
    const sink = archive.entry(header, close);
    sink.on('error', () => undefined);
    for await (const chunk of content) {
      left -= (chunk as Buffer).length;
      if (left < 0) throw fault();
      if (!sink.write(chunk)) await room(sink);
    }
    if (left > 0) throw fault();
    sink.end(null);
    await closed;
  } finally {
    archive.off('close', stop);
    content.destroy();
  }
}

/** `a` and `a/b` of `a/b/c`. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, n) => parts.slice(0, n + 1).join('/'));
}

interface Sink {
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Resolves when it takes more, or never will. */
function room(sink: Sink): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      sink.off('drain', end);
      sink.off('close', end);
      done();
    };
    sink.on('drain', end);
    sink.on('close', end);
  });
}

// Many files as one stream, tar.gz or zip. One file is open at a time and only a few chunks are in memory; a file
// that cannot be read whole breaks the stream, so that no short archive ever looks complete.

import { once } from 'node:events';
import { type PassThrough, pipeline, type Readable } from 'node:stream';
import { pipeline as pipelineDone } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import type { ArchiveFormat } from '../../../shared/contracts/files.ts';
import type { FileRecord } from '../../../shared/model/file.ts';

export interface ArchiveSource {
  /** In the order they are to come. */
  readonly files: AsyncIterable<FileRecord>;
  /** All bytes of a file. */
  readonly open: (file: FileRecord) => Promise<Readable>;
}

/** Quick rather than small: the archive is made anew for each reader. */
const LEVEL = 1;
const FILE_MODE = 0o644;
const REGULAR_FILE = 0o100000;

/** Begins at once. Destroying the stream ends all reading. */
export function openArchive(format: ArchiveFormat, source: ArchiveSource): Readable {
  return format === 'zip' ? openZip(source) : openTarGz(source);
}

function openTarGz({ files, open }: ArchiveSource): Readable {
  const tar = pack();
  const body = createGzip({ level: LEVEL });
  const fill = async () => {
    for await (const file of files) {
      if (body.destroyed) return;
      const content = await open(file);
      if (body.destroyed) return void content.destroy();
      const header = {
        name: file.path,
        size: file.sizeBytes,
        mode: FILE_MODE,
        mtime: new Date(file.createdAt),
      };
      await pipelineDone(content, tar.entry(header));
    }
    tar.finalize();
  };
  // A failure travels along: from an entry to the pack, from the pack to the body and its reader.
  pipeline(tar, body, () => undefined);
  fill().catch((error: Error) => body.destroy(error));
  return body;
}

function openZip({ files, open }: ArchiveSource): Readable {
  const zip = new ZipFile();
  const body = zip.outputStream as PassThrough;
  zip.once('error', (error: Error) => body.destroy(error));
  const left = new AbortController();
  body.once('close', () => left.abort());
  const fill = async () => {
    for await (const file of files) {
      if (left.signal.aborted) return;
      const content = await open(file);
      if (left.signal.aborted) return void content.destroy();
      const stop = () => content.destroy();
      left.signal.addEventListener('abort', stop);
      try {
        const options = {
          size: file.sizeBytes,
          mtime: new Date(file.createdAt),
          mode: REGULAR_FILE | FILE_MODE,
          compressionLevel: LEVEL,
        };
        zip.addReadStream(content, zipName(file.path), options);
        // The next file is opened only when this one has been read.
        await once(content, 'end', { signal: left.signal });
      } finally {
        left.signal.removeEventListener('abort', stop);
      }
    }
    zip.end();
  };
  fill().catch((error: Error) => body.destroy(error));
  return body;
}

/** What the format takes for a drive or a folder on other systems is written as in an address. */
function zipName(path: string): string {
  return path.replaceAll('\\', '%5C').replace(/^([A-Za-z]):/, '$1%3A');
}

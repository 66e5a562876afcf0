import { describe, expect, it } from 'vitest';
import type { Client, FileDownload } from '../../client/client.ts';
import { IMAGE_BYTES, openFile, TEXT_BYTES } from './file-opening.ts';

/** A file that is given out in pieces; notes how much was taken of it and that the rest was given up. */
function served(path: string, contentType: string, piece: Uint8Array, pieces: number) {
  const seen = { bytes: 0, isCancelled: false };
  let left = pieces;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(sink) {
        if (left-- <= 0) return sink.close();
        seen.bytes += piece.length;
        sink.enqueue(piece);
      },
      cancel() {
        seen.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const download: FileDownload = {
    body,
    start: 0,
    sizeBytes: piece.length * pieces,
    sha256: 'a'.repeat(64),
    contentType,
  };
  const client = { downloadFile: async () => download } as unknown as Client;
  return { seen, open: () => openFile(client, { path }) };
}
const bytes = (text: string) => new TextEncoder().encode(text);

describe('opening a file', () => {
  it('reads no more of a large text than is shown, and says so', async () => {
    const piece = bytes('0123456789abcde\n'.repeat(4_096));
    const { seen, open } = served('train.log', 'text/plain', piece, 1_000);
    const { facts, shown } = await open();
    expect(shown).toMatchObject({ kind: 'text', bytes: TEXT_BYTES, isWhole: false, laidOut: null });
    expect(facts.sizeBytes).toBe(piece.length * 1_000);
    expect(seen.isCancelled).toBe(true);
    expect(seen.bytes).toBeLessThanOrEqual(TEXT_BYTES + piece.length);
  });

  it('shows a whole text, JSON over lines, a table', async () => {
    expect((await served('a.txt', 'text/plain', bytes('hi'), 1).open()).shown).toMatchObject({
      text: 'hi',
      isWhole: true,
      table: null,
    });
    expect((await served('a.json', '', bytes('[1]'), 1).open()).shown).toMatchObject({
      text: '[1]',
      laidOut: '[\n  1\n]',
    });
    expect((await served('a.json', '', bytes('[1'), 1).open()).shown).toMatchObject({
      text: '[1',
      laidOut: null,
    });
    expect((await served('a.csv', '', bytes('a;b\n1;2\n'), 1).open()).shown).toMatchObject({
      table: { head: ['a', 'b'], rows: [['1', '2']] },
    });
    // The limit itself is a whole file, not a part of one.
    expect(
      (await served('a.txt', 'text/plain', new Uint8Array(TEXT_BYTES).fill(97), 1).open()).shown,
    ).toMatchObject({ isWhole: true });
  });

  it('takes what has no telling name for text only when it is', async () => {
    expect((await served('notes', 'application/octet-stream', bytes('plain'), 1).open()).shown).toMatchObject(
      { kind: 'text' },
    );
    expect(
      (await served('blob', 'application/octet-stream', Uint8Array.of(1, 0, 2), 1).open()).shown.kind,
    ).toBe('none');
    expect((await served('claims.txt', 'text/plain', Uint8Array.of(1, 0, 2), 1).open()).shown.kind).toBe(
      'none',
    );
  });

  it('gives a picture the type of its name, never the claimed one, and leaves too large ones alone', async () => {
    const { shown } = await served('x.svg', 'text/html', bytes('<svg/>'), 1).open();
    expect(shown.kind === 'image' && shown.blob.type).toBe('image/svg+xml');
    const large = served('x.png', 'image/png', new Uint8Array(IMAGE_BYTES), 2);
    expect((await large.open()).shown.kind).toBe('none');
    expect(large.seen).toEqual({ bytes: 0, isCancelled: true });
  });

  it('fetches nothing of what it cannot show', async () => {
    const film = served('clip.mp4', 'video/mp4', new Uint8Array(9), 9);
    expect((await film.open()).shown.kind).toBe('none');
    expect(film.seen).toEqual({ bytes: 0, isCancelled: true });
    expect((await served('empty.txt', 'text/plain', new Uint8Array(0), 0).open()).shown.kind).toBe('empty');
  });
});

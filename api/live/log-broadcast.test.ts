import { describe, expect, it } from 'vitest';
import { OutputPage } from '../services/output/output-page.ts';
import type { LiveServer } from './live-server.ts';
import { LogBroadcast, type Recipient } from './log-broadcast.ts';

/** Keeps who was sent what. */
function stage() {
  const sent: { to: string[]; seqs: number[] }[] = [];
  const local = {
    to: (ids: string[]) => ({
      emit: (_event: string, { lines }: { lines: { seq: number }[] }) =>
        sent.push({ to: ids, seqs: lines.map(({ seq }) => seq) }),
    }),
  };
  const broadcast = new LogBroadcast({ local } as unknown as Pick<LiveServer, 'local'>);
  return { broadcast, sent };
}

const page = (from: number, to: number) =>
  new OutputPage(
    1,
    Array.from({ length: to - from + 1 }, (_, n) => ({
      seq: from + n,
      ts: 0,
      stream: 'stdout' as const,
      line: '',
    })),
  );
const reader = (socketId: string): Recipient & { isOpen: boolean } => ({ socketId, isOpen: true });

describe('a broadcast of output', () => {
  it('goes once to all who are at the same place in one turn', async () => {
    const { broadcast, sent } = stage();
    const shared = page(1, 3);
    const [piece] = broadcast.piecesOf('task-a', shared);
    if (!piece) throw new Error('no piece');
    expect(broadcast.piecesOf('task-a', shared)).toEqual([piece]);
    await Promise.all(['a', 'b', 'c'].map((id) => broadcast.send(piece, reader(id))));
    expect(sent).toEqual([{ to: ['a', 'b', 'c'], seqs: [1, 2, 3] }]);
    await broadcast.send(piece, reader('d'));
    expect(sent[1]).toEqual({ to: ['d'], seqs: [1, 2, 3] });
  });

  it('leaves out whoever is gone by then', async () => {
    const { broadcast, sent } = stage();
    const [piece] = broadcast.piecesOf('task-a', page(1, 1));
    if (!piece) throw new Error('no piece');
    const [gone, there] = [reader('gone'), reader('there')];
    const all = [broadcast.send(piece, gone), broadcast.send(piece, there)];
    gone.isOpen = false;
    await Promise.all(all);
    expect(sent).toEqual([{ to: ['there'], seqs: [1] }]);
    const last = broadcast.send(piece, there);
    there.isOpen = false;
    await last;
    expect(sent).toHaveLength(1);
  });

  it('keeps the order of each reader who waits for one before the next', async () => {
    const { broadcast, sent } = stage();
    const pages = [page(1, 2), page(3, 4), page(5, 6)];
    const read = async (id: string, from: number) => {
      for (const one of pages.slice(from)) {
        for (const piece of broadcast.piecesOf('task-a', one)) await broadcast.send(piece, reader(id));
      }
    };
    await Promise.all([read('ahead', 1), read('behind', 0), read('beside', 0)]);
    const of = (id: string) => sent.filter(({ to }) => to.includes(id)).flatMap(({ seqs }) => seqs);
    expect(of('behind')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(of('beside')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(of('ahead')).toEqual([3, 4, 5, 6]);
  });
});

// Every guarantee of shared/ports/log-store.ts, for any adapter. `open` gives another process's view of one place.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLine } from '../../../shared/model/log-line.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import type { LogStore } from '../../../shared/ports/log-store.ts';
import { ODD_TEXT } from '../store/records.ts';

export interface LogPlace {
  open(): Promise<LogStore>;
  remove(): Promise<void>;
}

/** Lines `from` to `to`, each third on stderr. */
export function makeLines(from: number, to: number, text = 'line'): LogLine[] {
  return Array.from({ length: to - from + 1 }, (_, n) => {
    const seq = from + n;
    const stream = seq % 3 === 0 ? 'stderr' : 'stdout';
    return { seq, ts: 1_700_000_000_000 + seq, stream, line: `${text} ${seq}` };
  });
}

export function logSuite(name: string, makePlace: () => Promise<LogPlace>): void {
  describe(name, () => {
    let place: LogPlace;
    let logs: LogStore;
    let reader: LogStore;
    let task: string;

    beforeEach(async () => {
      place = await makePlace();
      [logs, reader] = [await place.open(), await place.open()];
      task = newTaskId();
    });
    afterEach(() => place?.remove());

    it('has nothing of a task it never saw', async () => {
      expect(await logs.read(task, 1, 1, 10)).toEqual([]);
      expect(await logs.position(task, 1)).toEqual({ lastSeq: 0, stdoutLines: 0, stderrLines: 0 });
      await logs.remove(task);
    });

    it('gives lines back as they came, to other processes too', async () => {
      const lines = [
        '',
        ODD_TEXT,
        '\r',
        '\u001b[31mred\u001b[0m',
        'x'.repeat(100_000),
        ' ',
        '\ufeff',
        '[1,2]',
      ].map((line, n): LogLine => ({ seq: n + 1, ts: n, stream: n % 2 ? 'stderr' : 'stdout', line }));
      await logs.append(task, 1, lines);
      expect(await logs.read(task, 1, 1, 100)).toStrictEqual(lines);
      expect(await reader.read(task, 1, 1, 100)).toStrictEqual(lines);
    });

    it('knows which lines go on in the next', async () => {
      const lines: LogLine[] = [
        { seq: 1, ts: 1, stream: 'stdout', line: 'long', more: true },
        { seq: 2, ts: 1, stream: 'stderr', line: 'between' },
        { seq: 3, ts: 1, stream: 'stdout', line: '', more: true },
        { seq: 4, ts: 1, stream: 'stdout', line: 'end' },
      ];
      await logs.append(task, 1, lines.slice(0, 3));
      await (await place.open()).append(task, 1, lines);
      expect(await logs.read(task, 1, 1, 100)).toStrictEqual(lines);
      expect(await reader.read(task, 1, 3, 1)).toStrictEqual(lines.slice(2, 3));
    });

    it('reads from any line, as many as asked for', async () => {
      const lines = makeLines(1, 10_000);
      for (let at = 0; at < lines.length; at += 700) await logs.append(task, 1, lines.slice(at, at + 700));
      for (const from of [1, 2, 699, 700, 701, 4095, 4096, 4097, 8192, 8193, 9999, 10_000, 10_001, 50_000]) {
        for (const limit of [0, 1, 3, 5000]) {
          const expected = lines.slice(from - 1, from - 1 + limit);
          expect(await reader.read(task, 1, from, limit), `${limit} from ${from}`).toStrictEqual(expected);
        }
      }
      expect(await reader.read(task, 1, 0, 2)).toStrictEqual(lines.slice(0, 2));
    });

    it('is followed by a reader while it grows', async () => {
      const lines = makeLines(1, 9000);
      const seen: LogLine[] = [];
      const follow = async () => {
        const more = await reader.read(task, 1, seen.length + 1, 500);
        seen.push(...more);
        return more.length;
      };
      const sizes = [1, 2, 900, 3193, 1, 4000, 903];
      let at = 0;
      for (const size of sizes) {
        const [, read] = await Promise.all([logs.append(task, 1, lines.slice(at, at + size)), follow()]);
        expect(read).toBeLessThanOrEqual(500);
        at += size;
      }
      expect(at).toBe(lines.length);
      while ((await follow()) > 0);
      expect(seen).toStrictEqual(lines);
    });

    it('drops what it has, so that a repeat is harmless', async () => {
      const lines = makeLines(1, 5000);
      await logs.append(task, 1, lines.slice(0, 3000));
      await logs.append(task, 1, lines.slice(0, 3000));
      await logs.append(task, 1, lines.slice(1000, 5000));
      await logs.append(task, 1, []);
      expect(await reader.read(task, 1, 1, 10_000)).toStrictEqual(lines);
      expect(await logs.position(task, 1)).toEqual({ lastSeq: 5000, stdoutLines: 3334, stderrLines: 1666 });
    });

    it('refuses a gap and keeps what it had', async () => {
      await logs.append(task, 1, makeLines(1, 10));
      await expect(logs.append(task, 1, makeLines(12, 14))).rejects.toMatchObject({ code: 'internal' });
      const holed = makeLines(11, 14).filter(({ seq }) => seq !== 12);
      await expect(logs.append(task, 1, holed)).rejects.toMatchObject({ code: 'internal' });
      const { lastSeq } = await logs.position(task, 1);
      await logs.append(task, 1, makeLines(lastSeq + 1, 20));
      expect(await reader.read(task, 1, 1, 100)).toStrictEqual(makeLines(1, 20));
    });

    it('keeps appends of one moment in order', async () => {
      const lines = makeLines(1, 4500);
      const parts = Array.from({ length: 45 }, (_, n) => lines.slice(n * 100, n * 100 + 100));
      await Promise.all(parts.map((part) => logs.append(task, 1, part)));
      expect(await reader.read(task, 1, 1, 10_000)).toStrictEqual(lines);
    });

    it('tells a restarted writer where to go on', async () => {
      const lines = makeLines(1, 9000);
      await logs.append(task, 1, lines.slice(0, 4096));
      const second = await place.open();
      expect(await second.position(task, 1)).toEqual({ lastSeq: 4096, stdoutLines: 2731, stderrLines: 1365 });
      await second.append(task, 1, lines.slice(4000, 8191));
      const third = await place.open();
      expect(await third.position(task, 1)).toEqual({ lastSeq: 8191, stdoutLines: 5461, stderrLines: 2730 });
      await third.append(task, 1, lines.slice(8191));
      expect(await reader.read(task, 1, 1, 10_000)).toStrictEqual(lines);
      expect(await reader.position(task, 1)).toEqual({ lastSeq: 9000, stdoutLines: 6000, stderrLines: 3000 });
    });

    it('keeps attempts and tasks apart, and removes all of a task', async () => {
      const other = newTaskId();
      await logs.append(task, 1, makeLines(1, 3, 'first'));
      await logs.append(task, 2, makeLines(1, 2, 'second'));
      await logs.append(other, 1, makeLines(1, 1, 'other'));
      expect(await reader.read(task, 2, 1, 10)).toStrictEqual(makeLines(1, 2, 'second'));
      await logs.remove(task);
      expect(await reader.read(task, 1, 1, 10)).toEqual([]);
      expect(await reader.read(task, 2, 1, 10)).toEqual([]);
      expect(await reader.read(other, 1, 1, 10)).toHaveLength(1);
      await logs.append(task, 1, makeLines(1, 1, 'again'));
      expect(await reader.read(task, 1, 1, 10)).toStrictEqual(makeLines(1, 1, 'again'));
    });
  });
}

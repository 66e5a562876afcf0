import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../shared/model/log-line.ts';
import { OutputPage } from './output-page.ts';
import { OutputRing } from './output-ring.ts';

const line = (seq: number, over: Partial<LogLine> = {}): LogLine => ({
  seq,
  ts: 1_700_000_000_000,
  stream: 'stdout',
  line: `line ${seq}`,
  ...over,
});
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => line(from + n));
const page = (from: number, to: number) => new OutputPage(1, lines(from, to));
const seqs = (one: OutputPage | null) => one?.lines.map(({ seq }) => seq);

describe('a page', () => {
  it('is JSON lines with the attempt, and with the mark of a line that goes on', () => {
    const text = new OutputPage(3, [
      line(1, { line: 'grüße "€"\u0000', ts: 1_700_000_000_001 }),
      line(2, { stream: 'stderr', more: true }),
    ]).ndjson();
    expect(text.toString()).toBe(
      '{"seq":1,"ts":"2023-11-14T22:13:20.001Z","stream":"stdout","line":"grüße \\"€\\"\\u0000","attempt":3}\n' +
        '{"seq":2,"ts":"2023-11-14T22:13:20.000Z","stream":"stderr","line":"line 2","attempt":3,"more":true}\n',
    );
  });

  it('joins the pieces of a cut line in text, unless another stream comes between', () => {
    const one = new OutputPage(1, [
      line(1, { line: 'a', more: true }),
      line(2, { line: 'b', more: true }),
      line(3, { line: 'c' }),
      line(4, { line: 'd', more: true }),
      line(5, { line: 'error', stream: 'stderr' }),
      line(6, { line: 'e' }),
      line(7, { line: 'f', more: true }),
    ]);
    expect(one.text().toString()).toBe('abc\nd\nerror\ne\nf');
    expect(one.unended).toBe('stdout');
    expect(page(1, 2).unended).toBeNull();
    expect(one.only('stdout')?.text().toString()).toBe('abc\nde\nf');
  });

  it('makes each form once', () => {
    const one = new OutputPage(1, [line(1), line(2, { stream: 'stderr' })]);
    expect(one.ndjson()).toBe(one.ndjson());
    expect(one.text()).toBe(one.text());
    expect(one.bodies()).toBe(one.bodies());
    expect(one.only('stderr')).toBe(one.only('stderr'));
    expect(one.only('stderr')?.lines).toEqual([line(2, { stream: 'stderr' })]);
    const plain = page(1, 2);
    expect(plain.only('stdout')).toBe(plain);
    expect(plain.only('stderr')).toBeNull();
  });

  it('begins further on when asked', () => {
    const one = page(5, 8);
    expect(one.from(5)).toBe(one);
    expect(seqs(one.from(7))).toEqual([7, 8]);
    expect(one.from(9)).toBeNull();
  });
});

describe('the ring', () => {
  it('holds what follows, once', () => {
    const ring = new OutputRing(4);
    expect(seqs(ring.append(page(4, 6), 10_000))).toEqual([4, 5, 6]);
    expect(ring.append(page(1, 6), 10_000)).toBeNull();
    expect(seqs(ring.append(page(5, 8), 10_000))).toEqual([7, 8]);
    expect(ring.next).toBe(9);
    expect(() => ring.append(page(10, 10), 10_000)).toThrow(RangeError);
    expect(seqs(ring.pageFrom(5))).toEqual([5, 6]);
    expect(seqs(ring.pageFrom(8))).toEqual([8]);
    expect(ring.pageFrom(9)).toBeNull();
    expect(ring.pageFrom(3)).toBeNull();
  });

  it('forgets the oldest, never the newest', () => {
    const ring = new OutputRing(1);
    const size = page(1, 10).chars;
    for (const first of [1, 11, 21, 31]) ring.append(page(first, first + 9), size * 2 + 50);
    expect(ring.pageFrom(20)).toBeNull();
    expect(seqs(ring.pageFrom(21))?.length).toBe(10);
    expect(ring.chars).toBeLessThanOrEqual(size * 2 + 50);
    ring.append(new OutputPage(1, [line(41, { line: 'x'.repeat(100_000) })]), size * 2 + 50);
    expect(seqs(ring.pageFrom(41))).toEqual([41]);
    expect(ring.pageFrom(40)).toBeNull();
  });

  it('begins anew elsewhere', () => {
    const ring = new OutputRing(1);
    ring.append(page(1, 3), 10_000);
    ring.restart(100);
    expect([ring.next, ring.chars, ring.pageFrom(2)]).toEqual([100, 0, null]);
    expect(seqs(ring.append(page(99, 101), 10_000))).toEqual([100, 101]);
  });
});

import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../shared/model/log-line.ts';
import { line, page, seqs } from '../../../test/support/log-lines.ts';
import { OutputPage, OutputText } from './output-page.ts';

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

  it('joins them over the end of a page, unless another stream or attempt comes between', () => {
    const cut = (attempt: number, seq: number, over: Partial<LogLine> = {}) =>
      new OutputPage(attempt, [line(seq, { line: `${attempt}.${seq}`, ...over })]);
    const text = new OutputText();
    const pages = [
      cut(1, 1, { more: true }),
      cut(1, 2, { more: true }),
      cut(1, 3, { stream: 'stderr' }),
      cut(1, 4),
      cut(1, 5, { more: true }),
      cut(2, 1),
    ];
    expect(Buffer.concat(pages.flatMap((one) => text.take(one))).toString()).toBe(
      '1.11.2\n1.3\n1.4\n1.5\n2.1\n',
    );
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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogLineBody } from '../../../shared/contracts/log-lines.ts';
import { LogLines, type Stream } from './log-lines.ts';
import { LogSearch, patternOf } from './log-search.ts';

const TEXTS = ['plain', '\u001b[31mred', 'off\u001b[0m', '\u001b[1mbold\u001b[m', 'aXbX'];

/** Output of three attempts, with styles that go on from line to line. */
const output = fc.array(
  fc.array(
    fc.record({ stream: fc.constantFrom<Stream>('stdout', 'stderr'), line: fc.constantFrom(...TEXTS) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  ),
  { minLength: 3, maxLength: 3 },
);
const step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('prepend' as const), count: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('dropFirst' as const), count: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('dropLast' as const), count: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    kind: fc.constant('show' as const),
    stream: fc.constantFrom<Stream | null>(null, 'stdout', 'stderr'),
  }),
);

function bodies(attempt: { stream: Stream; line: string }[]): LogLineBody[] {
  return attempt.map((one, at) => ({ ...one, seq: at + 1, ts: new Date(at).toISOString() }));
}

/** What is held of one output, with what was asked of it done in whole lines of one attempt. */
class Played {
  readonly lines = new LogLines();
  readonly #attempts: LogLineBody[][];
  /** Places of all lines, with headings. */
  readonly places: string[];

  constructor(attempts: LogLineBody[][]) {
    this.#attempts = attempts;
    this.places = attempts.flatMap((list, at) => [
      ...(at > 0 ? [`${at + 1}/0`] : []),
      ...list.map(({ seq }) => `${at + 1}/${seq}`),
    ]);
  }

  do(one: { kind: string; count?: number; stream?: Stream | null }): void {
    const { lines } = this;
    const count = one.count ?? 0;
    if (one.kind === 'show') lines.show(one.stream ?? null);
    if (one.kind === 'dropFirst') lines.dropFirst(count);
    if (one.kind === 'dropLast') lines.dropLast(count);
    // A heading that is left alone at an end goes with its line.
    if (lines.last?.kind === 'attempt') lines.dropLast(1);
    if (lines.first?.kind === 'attempt' && lines.all.length === 1) lines.dropFirst(1);
    if (one.kind === 'append') {
      const { last } = lines;
      let attempt = last?.attempt ?? 2;
      let from = last?.seq ?? 0;
      if (last && from === this.#attempts[attempt - 1]!.length) [attempt, from] = [attempt + 1, 0];
      const found = this.#attempts[attempt - 1]?.slice(from, from + count) ?? [];
      if (found.length > 0) lines.append(attempt, found);
    }
    if (one.kind === 'prepend') {
      const { first } = lines;
      if (!first) return;
      let { attempt, seq } = first;
      if (seq === 0 || (seq === 1 && attempt > 1)) {
        // Its heading was let go with what came before it.
        if (seq === 1) return;
        attempt -= 1;
        seq = this.#attempts[attempt - 1]!.length + 1;
      }
      const found = this.#attempts[attempt - 1]!.slice(Math.max(0, seq - 1 - count), seq - 1);
      if (found.length > 0) lines.prepend(attempt, found);
    }
  }
}

describe('lines that are held', () => {
  it('are one stretch of the output, whatever grows and goes, and keep their ids', () => {
    fc.assert(
      fc.property(output, fc.array(step, { maxLength: 40 }), (attempts, steps) => {
        const played = new Played(attempts.map(bodies));
        const { lines } = played;
        let stream: Stream | null = null;
        const ids = new Map<number, string>();
        for (const one of steps) {
          if (one.kind === 'show') stream = one.stream;
          const isNew = lines.all.length === 0;
          played.do(one);
          if (isNew) ids.clear();
          const places = lines.all.map(({ attempt, seq }) => `${attempt}/${seq}`);
          const begin = played.places.indexOf(places[0] ?? '');
          expect(places).toEqual(begin < 0 ? [] : played.places.slice(begin, begin + places.length));
          for (const { id, attempt, seq } of lines.all) {
            expect(ids.get(id) ?? `${attempt}/${seq}`).toBe(`${attempt}/${seq}`);
            ids.set(id, `${attempt}/${seq}`);
          }
          expect(lines.all.every(({ id }, at) => at === 0 || id === lines.all[at - 1]!.id + 1)).toBe(true);
          const wanted = lines.all.filter(({ kind }) => !stream || kind === stream || kind === 'attempt');
          expect(lines.shown).toEqual(wanted);
          for (const [at, line] of lines.shown.entries()) expect(lines.find(line)).toBe(at);
        }
      }),
    );
  });

  it('begin with the styles that are on there, once all before them were read', () => {
    fc.assert(
      fc.property(output, fc.nat(30), fc.integer({ min: 1, max: 7 }), ([attempt], from, page) => {
        const all = bodies(attempt!);
        const whole = new LogLines();
        whole.append(1, all);
        const pieces = new LogLines();
        let begin = Math.min(from, all.length - 1);
        pieces.append(1, all.slice(begin, begin + 1));
        for (; begin > 0; begin = Math.max(0, begin - page)) {
          pieces.prepend(1, all.slice(Math.max(0, begin - page), begin));
        }
        pieces.append(1, all.slice(pieces.last!.seq));
        expect(pieces.all.map(({ carry }) => carry)).toEqual(whole.all.map(({ carry }) => carry));
      }),
    );
  });

  it('know which places they hold', () => {
    const lines = new LogLines();
    expect(lines.holds({ attempt: 1, seq: 1 })).toBe(false);
    lines.append(2, bodies([{ stream: 'stdout', line: 'a' }]));
    expect(lines.all.map(({ kind }) => kind)).toEqual(['attempt', 'stdout']);
    expect(lines.holds({ attempt: 2, seq: 1 })).toBe(true);
    expect(lines.holds({ attempt: 2, seq: 2 })).toBe(false);
    expect(lines.holds({ attempt: 1, seq: 1 })).toBe(false);
  });
});

describe('a search', () => {
  const find = (text: string) => new LogSearch(patternOf({ text, isPattern: false, matchCase: false })!);

  it('finds all there is, however lines come and go and however little it reads at a time', () => {
    fc.assert(
      fc.property(
        output,
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        (attempts, steps, limit) => {
          const played = new Played(attempts.map(bodies));
          const search = find('x');
          for (const one of steps) {
            // As the page does it: what is shown changes, the search begins anew.
            if (one.kind === 'show') continue;
            const wasHeld = played.lines.all.length > 0;
            played.do(one);
            if (wasHeld && played.lines.all.length === 0) search.advance(played.lines.shown, limit);
            search.advance(played.lines.shown, limit);
          }
          for (let reads = 0; reads < 100 && !search.advance(played.lines.shown, limit); reads += 1);
          const all = played.lines.shown
            .filter(({ text }) => text === 'aXbX')
            .flatMap(({ id }) => [
              { id, nth: 0 },
              { id, nth: 1 },
            ]);
          expect(search.count).toBe(all.length);
          let hit = search.step(null, 0, 1);
          const walked = all.map(() => {
            const here = hit;
            hit = search.step(hit, 0, 1);
            return here;
          });
          expect(walked.map((one) => search.placeOf(one!)).sort((a, b) => a - b)).toEqual(
            all.map((_one, at) => at + 1),
          );
          for (const one of all) expect(search.step(search.step(one, 0, 1), 0, -1)).toEqual(one);
        },
      ),
    );
  });

  it('takes plain text as it is, and patterns as patterns', () => {
    const ranges = (text: string, isPattern: boolean, matchCase: boolean, line: string) =>
      new LogSearch(patternOf({ text, isPattern, matchCase })!).ranges({ text: line, kind: 'stdout' });
    expect(ranges('a.c', false, false, 'abc A.C')).toEqual([[4, 7]]);
    expect(ranges('a.c', true, false, 'abc A.C')).toEqual([
      [0, 3],
      [4, 7],
    ]);
    expect(ranges('a.c', true, true, 'abc A.C')).toEqual([[0, 3]]);
    expect(ranges('b*', true, false, 'abb')).toEqual([[1, 3]]);
    expect(ranges('ed', false, false, '\u001b[31mr\u001b[1med')).toEqual([[1, 3]]);
    expect(patternOf({ text: '', isPattern: true, matchCase: false })).toBeNull();
    expect(() => patternOf({ text: '(', isPattern: true, matchCase: false })).toThrow(SyntaxError);
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, around) => {
        fc.pre(text !== '' && text === text.replaceAll(/\s/g, ''));
        expect(ranges(text, false, true, around + text + around).length).toBeGreaterThan(0);
      }),
    );
  });
});

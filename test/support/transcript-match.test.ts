import { describe, expect, it } from 'vitest';
import { Names } from './transcript-match.ts';

const SHOWN = 'task-01m8agkt7qp3w9zj5x2rdt6h0v';
const OTHER = 'task-01m8agn4c2e7n0b8kvqy3s9fp4';
const HERE = 'task-01zzzzzzzzzzzzzzzzzzzzzz1a';
const ALSO = 'task-01zzzzzzzzzzzzzzzzzzzzzz2b';

describe('an answer and what a document shows', () => {
  const same = (shown: string, seen: string, options = {}) =>
    new Names([]).compare(shown.split('\n'), seen.split('\n'), options).same;

  it('are the same but for times, dates and the width of gaps', () => {
    expect(same('failed after 3.2s: exit code 1', 'failed after 1m 4s: exit code 1')).toBe(true);
    expect(same('at 2026-01-02T03:04:05.678Z', 'at 2027-11-12T13:14:15.006Z')).toBe(true);
    expect(same('TASK   RAN  AGE\nx     9.9s   4s', 'TASK  RAN  AGE\nx     10s  14s')).toBe(true);
  });

  it.each([
    ['exit code 1', 'exit code 2'],
    ['1 file', '2 files'],
    ['a b', 'a  b'],
    ['one\ntwo', 'one'],
    ['one', 'one\ntwo'],
    ['one\ntwo', 'two\none'],
    ['3.2s', '3.2'],
    ['in use 5%', 'in use 6%'],
  ])('are not the same: %j and %j', (shown, seen) => {
    expect(same(shown, seen)).toBe(false);
  });

  it('may differ in figures and bars where that is said', () => {
    const figures = { figures: false };
    expect(same('cpu 5% ██░░ 3.7 GB', 'cpu 100% ████████ 512 MB', figures)).toBe(true);
    expect(same('cpu 5% of 2 cores', 'cpu 5% of 2 GPUs', figures)).toBe(false);
  });

  it('may have any lines where the document skips some', () => {
    expect(same('a\n…\nd', 'a\nb\nc\nd')).toBe(true);
    expect(same('a\n…\nd', 'a\nd')).toBe(true);
    expect(same('…', '')).toBe(true);
    expect(same('a\n…\nd', 'a\nb\nc')).toBe(false);
  });

  it('are shown beside each other with what is alike in both', () => {
    const names = new Names([]);
    const compared = names.compare(['ran 3.2s', 'two', 'three'], ['ran 1.0s', 'three', 'four']);
    expect(compared).toEqual({
      same: false,
      shown: ['ran 3.2s', 'two', 'three'],
      seen: ['ran 3.2s', 'three', 'four'],
    });
  });
});

describe('ids', () => {
  it('stand for the same ids in all that follows', () => {
    const names = new Names([]);
    expect(names.compare([`${SHOWN} is queued`], [`${HERE} is queued`]).same).toBe(true);
    expect(names.compare([`${OTHER} is queued`], [`${HERE} is queued`]).same).toBe(false);
    expect(names.compare([`${OTHER} is queued`], [`${ALSO} is queued`]).same).toBe(true);
    expect(names.compare([SHOWN, OTHER], [ALSO, HERE]).same).toBe(false);
    expect(names.compare([SHOWN, OTHER], [HERE, ALSO]).same).toBe(true);
  });

  it('are typed as they are in this run, also by their ends', () => {
    const names = new Names([]);
    names.compare([SHOWN], [HERE]);
    expect(names.typed(`logs ${SHOWN}`)).toBe(`logs ${HERE}`);
    expect(names.typed('logs 6h0v && echo dt6h0v')).toBe('logs zz1a && echo zzzz1a');
    expect(names.typed('sleep 600; echo done')).toBe('sleep 600; echo done');
    expect(() => names.typed(`logs ${OTHER}`)).toThrow('no answer above it shows it');
  });

  it('are not bound by an answer that is not the same', () => {
    const names = new Names([]);
    expect(names.compare([SHOWN, 'a'], [HERE, 'b']).same).toBe(false);
    expect(names.compare([SHOWN], [ALSO]).same).toBe(true);
  });

  it('of an answer that takes the place of another are those of the other', () => {
    const names = new Names([]);
    names.adopt([`${SHOWN} is queued`], [`${HERE} is assigned`, `watch ${HERE}`]);
    expect(names.asShown(`${HERE} is assigned`)).toBe(`${SHOWN} is assigned`);
    names.adopt(['nothing'], [ALSO]);
    expect(names.asShown(ALSO)).toBe(ALSO);
    expect(names.typed(ALSO)).toBe(ALSO);
  });
});

describe('places of this run', () => {
  const names = new Names([
    { shown: 'worker-1', here: 'wab1-1' },
    { shown: 'http://localhost:8080', here: 'http://localhost:41235' },
  ]);

  it('have the names of the document in answers and their own in what is typed', () => {
    expect(names.typed('cordon worker-1 --url http://localhost:8080')).toBe(
      'cordon wab1-1 --url http://localhost:41235',
    );
    expect(
      names.compare(['worker-1 at http://localhost:8080.'], ['wab1-1 at http://localhost:41235.']).same,
    ).toBe(true);
  });

  it('are not found within longer names', () => {
    expect(names.typed('worker-11 my-worker-1')).toBe('worker-11 my-worker-1');
  });
});

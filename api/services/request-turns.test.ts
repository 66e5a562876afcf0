import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { arrivalsOf, RequestTurns, type RequestTurnsLimits, type Turn } from './request-turns.ts';

const LIMITS: RequestTurnsLimits = {
  atOnce: 2,
  inAll: null,
  waitingOfOne: 3,
  waitingInAll: 5,
  patienceMs: 1_000,
  heldMs: 100,
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function stage(over: Partial<RequestTurnsLimits> = {}) {
  const turns = new RequestTurns({ ...LIMITS, ...over });
  const began: string[] = [];
  const refused: string[] = [];
  const take = (caller: string, name = caller): Turn => {
    const turn = turns.take(caller);
    turn.began.then(
      () => began.push(name),
      () => refused.push(name),
    );
    return turn;
  };
  /** What is due now; `ms` later. */
  const pass = async (ms = 0) => {
    await vi.advanceTimersByTimeAsync(ms);
    // One begins per round of the event loop.
    for (let round = 0; round < 10; round += 1) await new Promise((done) => setImmediate(done));
  };
  return { turns, began, refused, take, pass };
}

describe('requests of one caller', () => {
  it('begin in order, so many at once, and others are not held up by them', async () => {
    const { take, began, pass } = stage();
    const a = ['a1', 'a2', 'a3', 'a4'].map((name) => take('a', name));
    take('b');
    await pass();
    expect(began).toEqual(['a1', 'a2', 'b']);
    a[1]?.over();
    await pass();
    expect(began).toEqual(['a1', 'a2', 'b', 'a3']);
    a[1]?.over();
    await pass();
    expect(began).toHaveLength(4);
  });

  it('take turns with those of others that wait, too', async () => {
    const { take, began, pass } = stage({ heldMs: 1e6 });
    const first = ['a', 'a', 'b', 'b'].map((caller) => take(caller, 'first'));
    for (const name of ['a1', 'a2']) take('a', name);
    for (const name of ['b1', 'b2']) take('b', name);
    for (const turn of first) turn.over();
    await pass();
    expect(began.slice(4)).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  it('are refused when the line is full, of one and of all', async () => {
    const { take, refused, pass } = stage();
    for (let n = 1; n <= 6; n += 1) take('a', `a${n}`);
    for (let n = 1; n <= 5; n += 1) take('b', `b${n}`);
    take('c');
    await pass();
    expect(refused).toEqual(['a6', 'b5']);
  });

  it('are refused when they have waited too long, and say when to come back', async () => {
    const { turns, take, refused, pass } = stage({ heldMs: 1e6 });
    take('a');
    take('a');
    const late = take('a', 'late');
    await pass(LIMITS.patienceMs);
    expect(refused).toEqual(['late']);
    expect(turns.waiting).toBe(0);
    await expect(late.began).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterSeconds: 1,
      details: [{ field: 'requests' }],
    });
  });

  it('let the next one begin when they take long', async () => {
    const { take, began, pass } = stage();
    for (const name of ['follow 1', 'follow 2', 'short']) take('a', name);
    await pass(99);
    expect(began).not.toContain('short');
    await pass(1);
    expect(began).toContain('short');
  });

  it('leave the line when nobody waits for them, and count on when they had begun', async () => {
    const { turns, take, began, refused, pass } = stage({ heldMs: 1e6 });
    const held = [take('a', 'one'), take('a', 'two')];
    const waits = take('a', 'three');
    take('a', 'four');
    waits.abandoned();
    held[0]?.abandoned();
    await pass();
    expect([began, refused]).toEqual([['one', 'two'], ['three']]);
    held[0]?.over();
    await pass();
    expect(began).toEqual(['one', 'two', 'four']);
    expect(turns.waiting).toBe(0);
  });

  it('have no limit at 0', async () => {
    const { take, began, pass } = stage({ atOnce: 0 });
    for (let n = 0; n < 50; n += 1) take('a');
    await pass();
    expect(began).toHaveLength(50);
  });

  it.each([null, 3])('never are more than allowed, and none is forgotten; of all: %s', async (inAll) => {
    const act = fc.record({ caller: fc.constantFrom('a', 'b', 'c'), ends: fc.nat(9), how: fc.nat(9) });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const { turns, pass } = stage({ heldMs: 1e6, inAll });
        const open: { caller: string; turn: Turn; state: 'waits' | 'works' }[] = [];
        for (const { caller, ends, how } of acts) {
          const one: (typeof open)[number] = { caller, turn: turns.take(caller), state: 'waits' };
          const out = () => void open.splice(open.indexOf(one), 1);
          one.turn.began.then(() => (one.state = 'works'), out);
          open.push(one);
          await pass();
          const ended = open[ends];
          if (ended && how < 5) {
            if (ended.state === 'works') open.splice(ends, 1);
            ended.turn.over();
          } else ended?.turn.abandoned();
          await pass();
          const works = (who: string) =>
            open.filter((other) => other.caller === who && other.state === 'works').length;
          const may = (who: string) =>
            Math.min(LIMITS.atOnce, open.filter((other) => other.caller === who).length);
          const all = ['a', 'b', 'c'];
          const sum = (of: (who: string) => number) => all.reduce((total, who) => total + of(who), 0);
          if (inAll === null) expect(all.map(works)).toEqual(all.map(may));
          expect(all.filter((who) => works(who) > may(who))).toEqual([]);
          expect(sum(works)).toBe(Math.min(inAll ?? Number.POSITIVE_INFINITY, sum(may)));
          expect([turns.inProgress, turns.waiting]).toEqual([sum(works), open.length - sum(works)]);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('places that all callers share', () => {
  it('go round among those who wait, and a newcomer does not come before them', async () => {
    const { take, began, pass } = stage({ inAll: 2, heldMs: null });
    const first = ['a', 'a'].map((caller) => take(caller, 'first'));
    for (const name of ['b1', 'b2']) take('b', name);
    take('c');
    await pass();
    expect(began).toEqual(['first', 'first']);
    first[0]?.over();
    take('d');
    await pass();
    expect(began.slice(2)).toEqual(['b1']);
    first[1]?.over();
    await pass();
    expect(began.slice(3)).toEqual(['c']);
  });

  it('are held for as long as it takes, where nothing else is said', async () => {
    const turns = new RequestTurns(arrivalsOf(1, 1));
    const held = turns.take('a');
    const late = turns.take('b').began.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(19_999);
    expect([turns.inProgress, turns.waiting]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await late).toMatchObject({ code: 'rate_limited' });
    held.over();
    expect([turns.inProgress, turns.waiting]).toEqual([0, 0]);
  });

  it('are not given twice when who was next goes and a newcomer has come', async () => {
    const { turns, take, began, pass } = stage({ inAll: 1, heldMs: null });
    const held = take('a');
    const next = take('b');
    held.over();
    next.abandoned();
    take('c');
    take('d');
    await pass();
    expect([began, turns.inProgress]).toEqual([['a', 'c'], 1]);
  });

  it('are left by who waits for them and goes', async () => {
    const { turns, take, began, refused, pass } = stage({ inAll: 1, heldMs: null });
    const held = take('a');
    take('b').abandoned();
    take('c');
    held.over();
    await pass();
    expect([began, refused, turns.waiting]).toEqual([['a', 'c'], ['b'], 0]);
  });
});

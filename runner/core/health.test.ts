import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TROUBLE_CODES } from '../../shared/model/worker-health.ts';
import {
  HEALTH_LIMITS,
  type HealthLook,
  type HealthMemory,
  judgeHealth,
  NOTHING_WRONG,
  troublesOf,
} from './health.ts';

const LIMITS = { ...HEALTH_LIMITS, reserveMb: 100 };
const WELL = { answered: true, tookMs: 3, freeMb: 1_000, networkFault: null } as const;
const AWAY = { answered: false, why: 'the connection was refused' } as const;
const lookAt = (now: number, over: Partial<HealthLook> = {}): HealthLook => ({
  now,
  engineName: 'Docker',
  engine: WELL,
  dataFreeMb: 1_000,
  fullAt: null,
  failing: null,
  stuck: [],
  logsHeldSince: null,
  filesHeldSince: null,
  ...over,
});

/** What is wrong after each of these looks, a second apart. */
function played(looks: readonly Partial<HealthLook>[]): string[][] {
  let memory: HealthMemory = NOTHING_WRONG;
  return looks.map((over, n) => {
    const judged = judgeHealth(memory, lookAt(n * 1_000, over), LIMITS);
    memory = judged.memory;
    return [...judged.codes];
  });
}
const times = <T>(count: number, of: T): T[] => Array.from({ length: count }, () => of);

function wordsOf(over: Partial<HealthLook>): string[] {
  const first = judgeHealth(NOTHING_WRONG, lookAt(100_000, over), LIMITS);
  const { memory } = judgeHealth(first.memory, lookAt(200_000, over), LIMITS);
  return troublesOf(memory, 200_000, 1_000_000).map(({ message }) => message);
}

describe('the health of a worker', () => {
  it('is good where nothing is wrong', () => {
    expect(played(times(20, {})).flat()).toEqual([]);
  });

  it('does not change for an engine that is away for a moment', () => {
    expect(played([{}, ...times(4, { engine: AWAY }), ...times(5, {})]).flat()).toEqual([]);
  });

  it('is bad once the engine has been away for a while, and good once it has answered for a while', () => {
    const codes = played([...times(7, { engine: AWAY }), ...times(15, {})]);
    expect(codes.slice(0, 5).flat()).toEqual([]);
    expect(codes[5]).toEqual(['engine_away']);
    expect(codes[16]).toEqual(['engine_away']);
    expect(codes[17]).toEqual([]);
  });

  it('stays bad while the engine comes and goes', () => {
    const codes = played([...times(6, { engine: AWAY }), ...times(12, [{}, {}, { engine: AWAY }]).flat()]);
    expect(codes.slice(5).every((now) => now.includes('engine_away'))).toBe(true);
  });

  it('is bad from the first look below the reserve on, and needs some more room to be good', () => {
    const room = (freeMb: number) => ({ engine: { ...WELL, freeMb }, dataFreeMb: freeMb });
    const codes = played([room(101), room(99), ...times(20, room(110)), ...times(12, room(130))]);
    expect(codes[0]).toEqual([]);
    expect(codes[1]).toEqual(['engine_disk_full', 'data_disk_full']);
    expect(codes[21]).toEqual(['engine_disk_full', 'data_disk_full']);
    expect(codes.at(-1)).toEqual([]);
  });

  it('knows nothing of the disk of an engine elsewhere, but believes what that says itself', () => {
    const elsewhere = { engine: { ...WELL, freeMb: null } };
    expect(wordsOf(elsewhere)).toEqual([]);
    expect(wordsOf({ ...elsewhere, fullAt: 199_000 })).toEqual(['the disk of its Docker is full']);
  });

  it('keeps what is known of a disk while the engine is away', () => {
    const full = { engine: { ...WELL, freeMb: 1 } };
    const codes = played([full, ...times(30, { engine: AWAY })]);
    expect(codes.at(-1)).toEqual(['engine_away', 'engine_disk_full']);
  });

  it('is bad after several containers in a row that did not start, and is tried again after a rest', () => {
    const failing = (count: number) => ({ failing: { count, lastAt: 0, why: 'no space for shims' } });
    expect(played(times(3, failing(2))).flat()).toEqual([]);
    const codes = played(times(80, failing(3)));
    expect(codes[0]).toEqual(['engine_failing']);
    expect(codes.at(-1)).toEqual([]);
  });

  it('is told in words that go on behind a colon', () => {
    const stuck = { containerId: 'c0ffee'.repeat(10), since: 0, why: null };
    expect(wordsOf({ engine: AWAY })).toEqual(['its Docker does not answer (the connection was refused)']);
    expect(wordsOf({ engine: { ...WELL, tookMs: 7_400 } })).toEqual(['its Docker takes 7 s to answer']);
    expect(wordsOf({ engine: { ...WELL, freeMb: 12.7 } })).toEqual([
      'the disk of its Docker is full (12 MB left, of which 100 MB are kept free)',
    ]);
    expect(wordsOf({ dataFreeMb: 0 })).toEqual([
      'the disk of its runner is full (0 MB left, of which 100 MB are kept free)',
    ]);
    expect(wordsOf({ stuck: [{ ...stuck, doing: 'kill' }] })).toEqual([
      'container c0ffeec0ffee of its Docker does not end',
    ]);
    expect(
      wordsOf({
        stuck: [
          { ...stuck, doing: 'kill', since: 9 },
          { ...stuck, doing: 'remove', why: 'device busy' },
        ],
      }),
    ).toEqual(['container c0ffeec0ffee of its Docker cannot be removed (device busy), and 1 more']);
    expect(wordsOf({ engine: { ...WELL, networkFault: { since: 0, why: 'no more addresses' } } })).toEqual([
      'its Docker makes no networks for containers (no more addresses)',
    ]);
    expect(wordsOf({ logsHeldSince: 0, filesHeldSince: 0 })).toEqual([
      'output of its tasks cannot be kept',
      'files of its tasks cannot be kept',
    ]);
  });

  it('does not mind a container that is on its way out, nor output that is held for a moment', () => {
    const stuck = [{ containerId: 'c', since: 190_000, doing: 'remove', why: null }] as const;
    expect(wordsOf({ stuck, logsHeldSince: 190_000 })).toEqual([]);
  });

  it('tells since when by the wall clock', () => {
    const { memory } = judgeHealth(NOTHING_WRONG, lookAt(5_000, { dataFreeMb: 0 }), LIMITS);
    expect(troublesOf(memory, 7_000, 1_000_000)).toMatchObject([{ code: 'data_disk_full', since: 998_000 }]);
  });

  it('never changes twice within the calm, whatever is seen', () => {
    const seen = fc.record({
      engine: fc.constantFrom<HealthLook['engine']>(
        WELL,
        AWAY,
        { ...WELL, freeMb: 1 },
        { ...WELL, tookMs: 9_000 },
      ),
      dataFreeMb: fc.constantFrom(0, 110, 1_000),
    });
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 60 }), (looks) => {
        const codes = played(looks);
        for (const code of TROUBLE_CODES) {
          const begins = codes.map((now) => now.includes(code));
          const ended = begins.flatMap((is, n) => (!is && begins[n - 1] ? [n] : []));
          for (const at of ended) {
            // The last bad sign was at least the calm ago.
            expect(begins.slice(Math.max(0, at - 10), at).every(Boolean)).toBe(true);
          }
        }
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { silentLog } from '../../shared/platform/log.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { Gauge } from './gauge.ts';

function gaugeOf(read: () => Promise<number>, everyMs?: number) {
  const parts = { what: 'a test', initial: 0, log: silentLog(), read };
  return new Gauge(everyMs === undefined ? parts : { ...parts, everyMs });
}

describe('a gauge', () => {
  it('gives what it reads', async () => {
    let n = 0;
    const gauge = gaugeOf(async () => ++n);
    expect([await gauge.value(), await gauge.value()]).toEqual([1, 2]);
  });

  it('does not read again what is young', async () => {
    let n = 0;
    const gauge = gaugeOf(async () => ++n, 60_000);
    expect([await gauge.value(), await gauge.value()]).toEqual([1, 1]);
  });

  it('keeps the last value over a fault', async () => {
    const answers = [async () => 7, () => Promise.reject(new Error('no such tool')), async () => 9];
    const gauge = gaugeOf(() => (answers.shift() as () => Promise<number>)());
    expect([await gauge.value(), await gauge.value(), await gauge.value()]).toEqual([7, 7, 9]);
  });

  it('waits for what hangs once and not for long, asks nobody twice, and takes a late answer', async () => {
    let asked = 0;
    let answer: (value: number) => void = () => undefined;
    const gauge = gaugeOf(() => {
      asked += 1;
      return asked === 1
        ? Promise.resolve(1)
        : new Promise((done) => {
            answer = done;
          });
    });
    expect(await gauge.value()).toBe(1);
    expect(await gauge.value()).toBe(1);
    let isLate = true;
    const again = gauge.value().then((value) => {
      isLate = false;
      return value;
    });
    // Without a wait it is there before any timer can be.
    await Promise.resolve().then(() => undefined);
    await new Promise(setImmediate);
    expect(isLate).toBe(false);
    expect(await again).toBe(1);
    expect(asked).toBe(2);
    answer(5);
    await waitFor(async () => (await gauge.value()) === 5, { what: 'the late answer' });
  });
});

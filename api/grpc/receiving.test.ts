import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Receiving } from './receiving.ts';

const never = new AbortController().signal;
const noLate = () => {
  throw new Error('late');
};

describe('requests on their way in', () => {
  it('wait when their user has enough of them, and go on as others end', async () => {
    const receiving = new Receiving();
    const ends = await Promise.all(Array.from({ length: 20 }, () => receiving.begin('a', noLate, never)));
    let begun = false;
    const waiting = receiving.begin('a', noLate, never).then((end) => {
      begun = true;
      return end;
    });
    const other = await receiving.begin('b', noLate, never);
    await turn();
    expect([begun, receiving.waiting]).toEqual([false, 1]);
    ends[0]?.();
    (await waiting)();
    expect(receiving.waiting).toBe(0);
    for (const end of [...ends, other]) end();
    expect(receiving.size).toBe(0);
  });

  it('leave when their caller is gone, waiting or not', async () => {
    const receiving = new Receiving();
    const gone = new AbortController();
    await Promise.all(Array.from({ length: 20 }, () => receiving.begin('a', noLate, gone.signal)));
    const waiting = receiving.begin('a', noLate, gone.signal);
    gone.abort();
    await waiting;
    expect([receiving.size, receiving.waiting]).toEqual([0, 0]);
  });

  it('are told when they did not come in time', async () => {
    const receiving = new Receiving(1);
    const late = await new Promise((told) => void receiving.begin('a', told, never));
    expect(late).toMatchObject({ code: 'timed_out', retryable: true });
    expect(receiving.size).toBe(0);
  });
});

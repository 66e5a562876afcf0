import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

/** Work that ends when it is told to. */
function held() {
  let end!: (value: string) => void;
  let fail!: (error: Error) => void;
  let began = false;
  const done = new Promise<string>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return {
    end,
    fail,
    get began() {
      return began;
    },
    work: () => {
      began = true;
      return done;
    },
  };
}
const settled = () => new Promise<void>((done) => setImmediate(done));

describe('a line', () => {
  it('lets one work at a time, first come first', async () => {
    const turns = new Turns({ most: 9, mostOfOne: 9 });
    const [a, b] = [held(), held()];
    const first = turns.take('alice', a.work);
    const second = turns.take('bob', b.work);
    await settled();
    expect([a.began, b.began]).toEqual([true, false]);
    a.end('a');
    expect(await first).toBe('a');
    await settled();
    expect(b.began).toBe(true);
    b.end('b');
    expect(await second).toBe('b');
  });

  it('goes on after work that failed', async () => {
    const turns = new Turns({ most: 9, mostOfOne: 9 });
    const [a, b] = [held(), held()];
    const first = turns.take('alice', a.work);
    const second = turns.take('alice', b.work);
    a.fail(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    b.end('b');
    expect(await second).toBe('b');
  });

  it('is only so long, in all and for one owner, and has room again afterwards', async () => {
    const turns = new Turns({ most: 3, mostOfOne: 2 });
    const works = [held(), held(), held()];
    const taken = works.map(({ work }, index) => turns.take(index < 2 ? 'alice' : 'bob', work));
    const refused = { code: 'rate_limited', retryAfterSeconds: 1 };
    await expect(turns.take('alice', async () => 0)).rejects.toMatchObject(refused);
    await expect(turns.take('carol', async () => 0)).rejects.toMatchObject(refused);
    for (const { end } of works) end('');
    await Promise.all(taken);
    expect(await turns.take('alice', async () => 7)).toBe(7);
  });
});

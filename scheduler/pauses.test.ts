import { describe, expect, it } from 'vitest';
import { Rest } from './pauses.ts';

const LONG = 60_000;

describe('a rest', () => {
  it('ends with a call', async () => {
    const rest = new Rest();
    const done = rest.rest(LONG);
    rest.wake();
    await done;
  });

  it('does not begin when a call came before it', async () => {
    const rest = new Rest();
    rest.wake();
    await rest.rest(LONG);
  });

  it('forgets a call that has ended one', async () => {
    const rest = new Rest();
    rest.wake();
    await rest.rest(LONG);
    const before = performance.now();
    await rest.rest(30);
    expect(performance.now() - before).toBeGreaterThan(20);
  });
});

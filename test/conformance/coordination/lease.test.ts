import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let a: RedisParts;
let b: RedisParts;

beforeAll(async () => {
  a = await cluster.open();
  b = await cluster.open();
});
beforeEach(() => cluster.dropKeys());
afterAll(() => cluster.close());

describe('the lease of the leader', () => {
  it('goes to one and not to another', async () => {
    expect(await a.lease.holder()).toBeNull();
    expect(await a.lease.hold('a', 60_000)).toBe(true);
    expect(await b.lease.hold('b', 60_000)).toBe(false);
    expect(await b.lease.holder()).toBe('a');
  });

  it('goes to exactly one of many who race', async () => {
    const racers = Array.from({ length: 40 }, (_, at) => `racer-${at}`);
    const held = await Promise.all(racers.map((name, at) => (at % 2 === 0 ? a : b).lease.hold(name, 60_000)));
    expect(held.filter(Boolean)).toHaveLength(1);
    expect(await a.lease.holder()).toBe(racers[held.indexOf(true)]);
  });

  it('is renewed by its holder for the whole time', async () => {
    await a.lease.hold('a', 1_000);
    expect(await a.lease.hold('a', 60_000)).toBe(true);
    expect(Number(await cluster.command('PTTL', `${cluster.prefix}:leader`))).toBeGreaterThan(50_000);
  });

  it('passes on when it expires, and the old holder does not get it back', async () => {
    await a.lease.hold('a', 150);
    await waitFor(() => b.lease.hold('b', 60_000), { what: 'the lease to expire' });
    expect(await a.lease.hold('a', 60_000)).toBe(false);
    await a.lease.release('a');
    expect(await a.lease.holder()).toBe('b');
  });

  it('passes on at once when it is released', async () => {
    await a.lease.hold('a', 60_000);
    await b.lease.release('b');
    expect(await b.lease.hold('b', 60_000)).toBe(false);
    await a.lease.release('a');
    expect(await a.lease.holder()).toBeNull();
    expect(await b.lease.hold('b', 60_000)).toBe(true);
  });
});

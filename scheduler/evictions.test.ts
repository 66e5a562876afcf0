import { expect, it } from 'vitest';
import type { Holding } from './core/snapshot.ts';
import { type EvictionParts, Evictions } from './evictions.ts';

it('of more that do not leave than are nudged in a round, all have their turn', async () => {
  const holdings = Array.from(
    { length: 1_200 },
    (_, n) => ({ taskId: `task-${n}`, isLeaving: n !== 7, state: 'running' }) as Holding,
  );
  const asked: string[][] = [];
  const evictions = new Evictions({
    index: { ledger: { holdings: () => holdings } },
    store: {
      tasks: {
        getMany: async (ids: string[]) => {
          asked.push(ids);
          return [];
        },
      },
    },
  } as unknown as EvictionParts);
  for (let round = 0; round < 3; round += 1) await evictions.repeat();
  const leaving = holdings.filter(({ isLeaving }) => isLeaving).map(({ taskId }) => taskId);
  expect(asked.flat()).toEqual(leaving);
  expect(asked[0]).toHaveLength(500);
  await evictions.repeat();
  expect(asked[3]).toEqual(asked[0]);
});

// What holds between real processes, and after one was killed.

import { describe, expect, it } from 'vitest';
import type { Store } from '../../../shared/ports/store.ts';
import { makeTask } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openStore, startProcess } from './place.ts';
import { assigned } from './records.ts';

export function processes(stores: () => [Store, Store], url: () => string): void {
  describe('several processes', () => {
    it('lose no update to each other', async () => {
      const [store] = stores();
      const task = assigned(makeTask());
      await store.tasks.insert([task]);
      const times = 40;
      const others = [1, 2, 3].map(() => startProcess('raise', url(), task.id, String(times)));
      expect(await Promise.all(others.map((other) => other.ended()))).toEqual([0, 0, 0]);
      expect((await store.tasks.get(task.id))?.revision).toBe(task.revision + 3 * times);
    });

    it('never get the same term', async () => {
      const others = [1, 2].map(() => startProcess('terms', url(), '25'));
      expect(await Promise.all(others.map((other) => other.ended()))).toEqual([0, 0]);
      const terms = others.flatMap(({ told }) => told);
      expect(new Set(terms).size).toBe(50);
    });

    it('leave whole batches when they are killed', async () => {
      const size = 25;
      const writer = startProcess('batches', url(), String(size));
      await waitFor(() => writer.told.length >= 4, { what: 'four batches', deadlineMs: 30_000 });
      await writer.kill();
      const store = await openStore(url());
      const { queued } = await store.tasks.countByState();
      expect(queued % size).toBe(0);
      expect(queued).toBeGreaterThanOrEqual(4 * size);
      expect(await store.tasks.getMany(writer.told)).toHaveLength(writer.told.length);
      await store.close();
    });
  });
}

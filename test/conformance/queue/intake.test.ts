import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import type { IntakeEntry } from '../../../shared/ports/queue.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from './parts.ts';

const cluster = new TestCluster();
let here: RedisParts;
let there: RedisParts;

beforeAll(async () => {
  here = await cluster.open();
  there = await cluster.open({ patience: 'fail-fast' });
});
afterEach(async () => {
  await here.intake.remove(await here.intake.page(0, 10_000));
});
afterAll(() => cluster.close());

const entry = (over: Partial<IntakeEntry> = {}): IntakeEntry => ({
  taskId: newTaskId(),
  priority: 5,
  shape: 'c1000m512g0s0',
  ...over,
});

describe('the intake queue', () => {
  it('shows what was added to every process', async () => {
    const entries = [entry(), entry(), entry()];
    await here.intake.add(entries);
    expect(await there.intake.size()).toBe(3);
    expect(await there.intake.page(0, 10)).toEqual(entries.map(({ taskId }) => taskId));
  });

  it('takes no entry twice, neither again nor in one call', async () => {
    const one = entry();
    await here.intake.add([one, one]);
    await there.intake.add([{ ...one, priority: 9 }]);
    expect(await here.intake.page(0, 10)).toEqual([one.taskId]);
    expect(await here.intake.size()).toBe(1);
  });

  it('puts the most urgent first and equals in the order they came', async () => {
    const entries = [3, 9, 0, 9, 5].map((priority) => entry({ priority }));
    await here.intake.add(entries);
    const byRank = [1, 3, 4, 0, 2].map((at) => entries[at]!.taskId);
    expect(await here.intake.page(0, 10)).toEqual(byRank);
  });

  it('pages without gap or repeat', async () => {
    const entries = Array.from({ length: 2_500 }, (_, at) => entry({ priority: at % 10 }));
    await here.intake.add(entries);
    const seen: string[] = [];
    for (let offset = 0; offset < 2_500; offset += 700) {
      seen.push(...(await there.intake.page(offset, 700)));
    }
    expect(seen).toHaveLength(2_500);
    expect(new Set(seen)).toEqual(new Set(entries.map(({ taskId }) => taskId)));
    expect(await there.intake.page(2_500, 10)).toEqual([]);
    expect(await there.intake.page(0, 0)).toEqual([]);
  });

  it('removes what is there and minds nothing that is not', async () => {
    const [kept, gone] = [entry(), entry()];
    await here.intake.add([kept, gone]);
    await there.intake.remove([gone.taskId, newTaskId(), gone.taskId]);
    expect(await here.intake.page(0, 10)).toEqual([kept.taskId]);
    expect(await cluster.keys(`intake:${gone.taskId}*`)).toEqual([]);
  });

  it('takes an entry again after it was removed', async () => {
    const one = entry();
    await here.intake.add([one]);
    await here.intake.remove([one.taskId]);
    await here.intake.add([one]);
    expect(await here.intake.page(0, 10)).toEqual([one.taskId]);
  });

  it('does nothing with nothing', async () => {
    await here.intake.add([]);
    await here.intake.remove([]);
    expect(await here.intake.size()).toBe(0);
  });

  it('tells of tasks that another process added, each once', async () => {
    const calls: string[][] = [];
    const stop = await here.intake.onAdded((ids) => calls.push([...ids]));
    const entries = Array.from({ length: 300 }, () => entry());
    await there.intake.add(entries);
    const ids = entries.map(({ taskId }) => taskId);
    await waitFor(() => calls.flat().length >= 300, { what: 'news of 300 tasks' });
    expect(calls.flat()).toEqual(ids);
    expect(calls.length).toBeLessThan(300);
    await stop();
  });

  it('tells nothing more once stopped, and goes on for other listeners', async () => {
    const stopped: string[] = [];
    const listening: string[] = [];
    const stop = await here.intake.onAdded((ids) => stopped.push(...ids));
    const stopOther = await here.intake.onAdded((ids) => listening.push(...ids));
    await stop();
    const one = entry();
    await there.intake.add([one]);
    await waitFor(() => listening.includes(one.taskId), { what: 'news for the other listener' });
    expect(stopped).toEqual([]);
    await stopOther();
    const again: string[] = [];
    const stopAgain = await here.intake.onAdded((ids) => again.push(...ids));
    const late = entry();
    await there.intake.add([late]);
    await waitFor(() => again.includes(late.taskId), { what: 'news after listening anew' });
    expect(again).toEqual([late.taskId]);
    await stopAgain();
  });

  it('survives a listener that throws', async () => {
    const heard: string[] = [];
    const stopBad = await here.intake.onAdded(() => {
      throw new Error('listener is broken');
    });
    const stop = await here.intake.onAdded((ids) => heard.push(...ids));
    const [first, second] = [entry(), entry()];
    await there.intake.add([first]);
    await waitFor(() => heard.includes(first.taskId), { what: 'the first task' });
    await there.intake.add([second]);
    await waitFor(() => heard.includes(second.taskId), { what: 'the second task' });
    await stopBad();
    await stop();
  });
});

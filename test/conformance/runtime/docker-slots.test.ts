// Network slots: who shares a namespace with whom, and what becomes of the pause containers.

import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import type { ContainerRuntime, ContainerSpec } from '../../../shared/ports/container-runtime.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { shell } from './dialects.ts';
import { docker, namespaceOf, type Slot, slotsOf } from './engine.ts';
import { Ear, launch, makeContainerSpec, removeAll, runToEnd } from './runs.ts';

const opened: { runtime: ContainerRuntime; workerId: string }[] = [];

async function openWith(networkSlots: number, workerId = uniqueName('w-'), sweepGraceMs = 60_000) {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const runtime = await openDockerRuntime({ dockerHost: '', log, networkSlots, workerId, sweepGraceMs });
  opened.push({ runtime, workerId });
  // A runner looks for its containers first; from then on slots are warmed.
  await runtime.list(workerId);
  const spec = (ownerId: string, over: Partial<ContainerSpec> = {}) =>
    makeContainerSpec(workerId, { network: 'bridge', ownerId, ...over });
  /** Resolves with the pause containers once there are so many and the runtime knows them all. */
  const warm = async (count = networkSlots, network = 'bridge') => {
    const slots = await waitFor(
      async () => {
        const found = (await slotsOf(workerId)).filter((slot) => slot.network === network);
        return found.length === count && found.every(({ state }) => state === 'running') ? found : null;
      },
      { what: `${count} warm slots`, deadlineMs: 30_000 },
    );
    // The runtime hands a slot out once it has looked at its files, which it logs.
    await waitFor(() => slots.every(({ name }) => lines.some((line) => line.includes(name))), {
      what: 'the runtime to know its slots',
      deadlineMs: 30_000,
    });
    return slots;
  };
  return { runtime, workerId, spec, warm };
}

afterEach(async () => {
  for (const { runtime, workerId } of opened.splice(0)) {
    await removeAll(runtime, workerId).catch(() => undefined);
    await runtime.close();
    // Another life of the same worker may be removing them at this moment.
    for (const { id } of await slotsOf(workerId))
      await docker
        .getContainer(id)
        .remove({ force: true })
        .catch(() => undefined);
  }
});

const ids = (slots: readonly Slot[]) => slots.map(({ id }) => id).sort();

describe('network slots', () => {
  it('are warmed up to their number, and all gone after close', async () => {
    const { runtime, workerId, warm } = await openWith(2);
    await warm();
    await runtime.close();
    expect(await slotsOf(workerId)).toEqual([]);
  });

  it('are off when their number is 0', async () => {
    const { runtime, workerId, spec } = await openWith(0);
    const { id } = await runToEnd(runtime, spec('alice'));
    expect(await namespaceOf(id)).toBe('bridge');
    expect(await slotsOf(workerId)).toEqual([]);
  });

  it('serve one container at a time; what finds none free gets the plain network', async () => {
    const { runtime, spec, warm } = await openWith(2);
    const slots = await warm();
    const running = [];
    for (let n = 0; n < 3; n += 1)
      running.push(await launch(runtime, spec('alice', { command: shell.ignoreTerm() })));
    const used = await Promise.all(running.map(({ id }) => namespaceOf(id)));
    expect(used.slice(0, 2).sort()).toEqual(ids(slots));
    expect(used[2]).toBe('bridge');
  });

  it('serve the same owner again at once', async () => {
    const { runtime, spec, warm } = await openWith(2);
    await warm();
    const first = await runToEnd(runtime, spec('alice'));
    const slot = await namespaceOf(first.id);
    await runtime.remove(first.id);
    const second = await runtime.create(spec('alice'));
    expect(await namespaceOf(second)).toBe(slot);
  });

  it('never serve two owners, whatever the order', async () => {
    const { runtime, spec, warm } = await openWith(3);
    await warm();
    const owners = ['alice', 'bob', 'carol'];
    const servedBy = new Map<string, Set<string>>();
    // Two lanes, owners in turn: slots are wanted by others all the time.
    const lane = async (from: number) => {
      for (let n = from; n < from + 15; n += 1) {
        const owner = owners[n % 3] ?? '';
        const { id } = await runToEnd(runtime, spec(owner));
        const namespace = await namespaceOf(id);
        await runtime.remove(id);
        if (namespace !== 'bridge')
          servedBy.set(namespace, (servedBy.get(namespace) ?? new Set()).add(owner));
      }
    };
    await Promise.all([lane(0), lane(1)]);
    const served = [...servedBy.values()];
    expect(new Set(served.flatMap((one) => [...one])).size).toBeGreaterThan(1);
    expect(served.filter((one) => one.size > 1)).toEqual([]);
  });

  it('come also when there is no idle moment', async () => {
    const { runtime, spec } = await openWith(3);
    let inSlots = 0;
    let runs = 0;
    const lane = async () => {
      while (inSlots < 6 && runs < 90) {
        runs += 1;
        const { id } = await runToEnd(runtime, spec('alice'));
        if ((await namespaceOf(id)) !== 'bridge') inSlots += 1;
        await runtime.remove(id);
      }
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    expect(inSlots).toBeGreaterThanOrEqual(6);
  });

  it('are replaced in idle time when others need them', async () => {
    const { runtime, workerId, spec, warm } = await openWith(1);
    const [old] = await warm();
    const { id } = await runToEnd(runtime, spec('alice'));
    expect(await namespaceOf(id)).toBe(old?.id);
    await runtime.remove(id);
    const [fresh] = await waitFor(
      async () => {
        const slots = await slotsOf(workerId);
        return slots.length === 1 && slots[0]?.id !== old?.id && slots[0]?.state === 'running' ? slots : null;
      },
      { what: 'a new slot', deadlineMs: 30_000 },
    );
    const bobs = await waitFor(
      async () => {
        const one = await runtime.create(spec('bob'));
        return (await namespaceOf(one)) === fresh?.id ? one : null;
      },
      { what: 'bob to get the new slot' },
    );
    expect(bobs).not.toBe('');
  });

  it('that a task has written to are thrown away', async () => {
    const { runtime, workerId, spec, warm } = await openWith(2);
    await warm();
    const command = 'echo 6.6.6.6 registry.example >> /etc/hosts';
    const dirty = await runToEnd(runtime, spec('alice', { command }));
    const slot = await namespaceOf(dirty.id);
    await runtime.remove(dirty.id);
    const { ear } = await runToEnd(runtime, spec('alice', { command: 'cat /etc/hosts' }));
    expect(ear.stdout).not.toContain('6.6.6.6');
    await waitFor(async () => !(await slotsOf(workerId)).some(({ id }) => id === slot), {
      what: 'the written slot to be gone',
      deadlineMs: 30_000,
    });
  });

  it('come without a network for tasks that want none', async () => {
    const { runtime, spec, warm } = await openWith(2);
    await warm();
    const first = await runToEnd(runtime, spec('alice', { network: 'none' }));
    expect(await namespaceOf(first.id)).toBe('none');
    const [slot] = await warm(1, 'none');
    const second = await waitFor(
      async () => {
        const run = await runToEnd(
          runtime,
          spec('alice', { network: 'none', command: 'ip route; ip -o link' }),
        );
        return (await namespaceOf(run.id)) === slot?.id ? run : null;
      },
      { what: 'a task in the slot without a network', deadlineMs: 20_000 },
    );
    expect(second.ear.stdout).toMatch(/^\d+: lo/);
    expect(second.ear.stdout).not.toContain('eth0');
  });

  it.each(['killed', 'removed'])('whose pause container was %s are revived', async (how) => {
    const { runtime, spec, warm } = await openWith(1);
    const [slot] = await warm();
    const pause = docker.getContainer(slot?.id ?? '');
    if (how === 'killed') await pause.kill();
    else await pause.remove({ force: true });
    const { id, ear } = await runToEnd(runtime, spec('alice', { command: 'ip route; echo end' }));
    expect([slot?.id, slot?.name]).toContain(await namespaceOf(id));
    expect(ear.stdout).toContain('default via');
    expect(ear.stdout).toContain('end');
  });

  it('that are gone between creation and start cost the attempt a retry, not the worker', async () => {
    const { runtime, spec, warm } = await openWith(1);
    const [slot] = await warm();
    const id = await runtime.create(spec('alice'));
    await docker.getContainer(slot?.id ?? '').remove({ force: true });
    await expect(runtime.start(id)).rejects.toMatchObject({ code: 'runtime_unavailable', retryable: true });
    await runtime.remove(id);
    expect((await runToEnd(runtime, spec('alice', { command: 'exit 4' }))).status.exitCode).toBe(4);
  });

  it('of an earlier life are swept, but for those a running task is in', async () => {
    const first = await openWith(2);
    const slots = await first.warm();
    const command = 'sleep 1; ip route; echo done';
    const { id } = await launch(first.runtime, first.spec('alice', { command }));
    const kept = await namespaceOf(id);
    // The first life dies without closing; its timers are all that is left of it.
    const second = await openWith(2, first.workerId);
    await waitFor(
      async () => {
        const now = ids(await slotsOf(first.workerId));
        return now.includes(kept) && !slots.some((slot) => slot.id !== kept && now.includes(slot.id));
      },
      { what: 'the unused slot to be swept', deadlineMs: 30_000 },
    );
    const ear = new Ear();
    await (await second.runtime.replay(id, ear.sink)).done;
    expect(ear.stdout).toContain('default via');
    await second.runtime.remove(id);
    await waitFor(async () => !ids(await slotsOf(first.workerId)).includes(kept), {
      what: 'the adopted slot to be retired',
      deadlineMs: 30_000,
    });
  });

  it('of an earlier life that appear only after that are swept too', async () => {
    const { runtime, workerId, spec } = await openWith(0, undefined, 100);
    const { id } = await launch(runtime, spec('alice', { command: shell.ignoreTerm() }));
    const late = await openWith(2, workerId);
    await late.warm();
    await waitFor(
      async () => {
        await runtime.list(workerId);
        return (await slotsOf(workerId)).length === 0;
      },
      { what: 'no slot', deadlineMs: 30_000 },
    );
    expect(await runtime.inspect(id)).toMatchObject({ state: 'running' });
  });

  it('stay when their runner is closed while a task runs in them', async () => {
    const { runtime, workerId, spec, warm } = await openWith(2);
    await warm();
    const { id } = await launch(runtime, spec('alice', { command: shell.ignoreTerm() }));
    const slot = await namespaceOf(id);
    await runtime.close();
    expect(ids(await slotsOf(workerId))).toEqual([slot]);
    await docker.getContainer(id).remove({ force: true, v: true });
  });
});

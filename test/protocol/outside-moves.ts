// What happens to the cluster from outside: programs end, users cancel, processes die, leases run out, Redis is emptied,
// a write that was under way arrives.

import type { Rules } from './rules.ts';
import { type Budget, type Move, nameOf, replaced, type Tables, type World, workerName } from './world.ts';
import { applied } from './writing.ts';

const NOW = 1;

export function outsideMoves(
  world: World,
  rules: Rules,
  tables: Tables,
  exitCodes: readonly number[],
): Move[] {
  const { left } = world;
  const moves: Move[] = [];
  const quiet = (what: string, change: Partial<World>) =>
    moves.push({ what, to: { ...world, ...change }, isFault: false });
  const fault = (what: string, of: keyof Budget, change: Partial<World>) => {
    if (left[of] === 0) return;
    moves.push({ what, to: { ...world, ...change, left: { ...left, [of]: left[of] - 1 } }, isFault: true });
  };

  world.engines.forEach((engine, worker) => {
    engine.forEach((container, at) => {
      if (container.state !== 'running') return;
      for (const exitCode of exitCodes) {
        const ended = replaced(engine, at, { ...container, state: 'exited' as const, exitCode });
        quiet(`the program of ${nameOf(container)} ends with ${exitCode}`, {
          engines: replaced(world.engines, worker, ended),
        });
      }
    });
  });

  world.runners.forEach(({ isAlive }, worker) => {
    const who = workerName(worker);
    const present = replaced(world.present, worker, false);
    if (isAlive) {
      const dead = { isAlive: false, isFenced: false, runs: [] };
      fault(`${who} dies`, 'crashes', { runners: replaced(world.runners, worker, dead) });
      if (world.present[worker]) fault(`the lease of ${who} runs out`, 'leases', { present });
    } else if (world.present[worker]) quiet(`the lease of ${who}, which is dead, runs out`, { present });
  });

  world.schedulers.forEach(({ isAlive }, n) => {
    const who = `s${n + 1}`;
    const isHolder = world.holder === n;
    if (isAlive) {
      const dead = { isAlive: false, stage: 'standby', term: 0, picture: null, toDeliver: null } as const;
      fault(`${who} dies`, 'crashes', { schedulers: replaced(world.schedulers, n, dead) });
      if (isHolder) fault(`the lease of ${who} runs out`, 'leases', { holder: null });
      const { stage } = world.schedulers[n] ?? dead;
      // It died and came back before its lease, which it held under another name, was over.
      if (isHolder && stage === 'standby')
        quiet(`the lease of the last life of ${who} runs out`, { holder: null });
    } else if (isHolder) quiet(`the lease of ${who}, which is dead, runs out`, { holder: null });
  });

  fault('Redis is emptied', 'flushes', {
    holder: null,
    present: world.present.map(() => false),
    queues: world.queues.map(() => []),
  });

  world.store.forEach((number, task) => {
    const known = tables.records.get(number);
    const next = tables.records.made(`${number} cancel`, () => {
      const step = rules.requestCancel(known, { force: false, requestedBy: 'alice', now: NOW });
      return step.ok && known.cancel === null ? step.task : null;
    });
    if (next === null) return;
    const write = { by: { kind: 'user' } as const, task, next };
    const after = applied(world, write, rules, tables);
    if (after) fault(`alice cancels task ${task + 1}`, 'cancels', { store: after.store });
  });

  if (world.late) {
    const after = applied(world, world.late, rules, tables) ?? world;
    quiet('the write that was under way arrives', { store: after.store, late: null });
  }
  return moves;
}

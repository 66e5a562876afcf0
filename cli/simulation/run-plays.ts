// Plays a trace under each policy in turn, says how far it is, and heeds Ctrl-C. The play itself is pure; here is the clock.

import { setImmediate as othersTurn } from 'node:timers/promises';
import { duration } from '../../client/words.ts';
import { plan } from '../../scheduler/core/plan.ts';
import type { PlayReport } from '../../scheduler/core/simulation/outcomes.ts';
import { Play, type PlayInput } from '../../scheduler/core/simulation/play.ts';
import type { PlanRules, PolicyName } from '../../shared/model/scheduling.ts';
import { CliError, EXIT } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { StatusLine } from '../status-line.ts';

export interface PolicyPlay extends PlayReport {
  /** By this machine's clock, so never the same twice. */
  readonly planningMs: number;
  readonly longestPassMs: number;
}

/** As often as a terminal is worth being written, and a key being heeded. */
const PAUSE_EVERY_MS = 100;
const LOOK_EVERY_STEPS = 32;

/** @throws {CliError} on Ctrl-C */
export async function runPlays(
  io: CliIo,
  input: Omit<PlayInput, 'rules' | 'plan'> & { readonly rules: Omit<PlanRules, 'policy'> },
  policies: readonly PolicyName[],
  shown: boolean,
): Promise<PolicyPlay[]> {
  const line = new StatusLine(io, shown);
  const plays: PolicyPlay[] = [];
  try {
    for (const policy of policies) {
      plays.push(await playOne(io, { ...input, rules: { ...input.rules, policy } }, line));
    }
  } finally {
    await line.clear();
  }
  return plays;
}

async function playOne(io: CliIo, input: PlayInput, line: StatusLine): Promise<PolicyPlay> {
  let [planningMs, longestPassMs, steps] = [0, 0, 0];
  const play = new Play({
    ...input,
    plan: (...given) => {
      const began = performance.now();
      const made = plan(...given);
      const tookMs = performance.now() - began;
      planningMs += tookMs;
      longestPassMs = Math.max(longestPassMs, tookMs);
      return made;
    },
  });
  let pausedAt = performance.now();
  while (play.step()) {
    steps += 1;
    if (steps % LOOK_EVERY_STEPS !== 0 || performance.now() - pausedAt < PAUSE_EVERY_MS) continue;
    const { now, waiting, running } = play;
    const done = Math.floor(play.done * 100);
    await line.draw(
      `${input.rules.policy}: ${done}%, ${duration(now)} simulated, ${waiting} waiting, ${running} running`,
    );
    await othersTurn();
    if (io.signal.aborted) throw new CliError(EXIT.interrupted, 'interrupted');
    pausedAt = performance.now();
  }
  return { ...play.report(), planningMs, longestPassMs };
}

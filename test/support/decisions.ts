// Many lines of a decision log at once, and many decisions: what the command line does one by one.

import { type Decision, DecisionReader, type Gap } from '../../scheduler/core/decision-reader.ts';
import { type Difference, replayDecision } from '../../scheduler/core/replay.ts';

export function* readDecisions(lines: Iterable<string>): IterableIterator<Decision | Gap> {
  const reader = new DecisionReader();
  for (const line of lines) {
    const read = reader.take(line);
    if (read) yield read;
  }
}

/** The first pass that is decided otherwise today; null when all are alike. */
export function replayDecisions(decisions: Iterable<Decision>): Difference | null {
  for (const decision of decisions) {
    const { verdict } = replayDecision(decision);
    if (typeof verdict === 'object') return verdict;
  }
  return null;
}

// By which rules tasks are placed now, in words. Pure.

import { duration } from '../../client/words.ts';
import type { SchedulerBody } from '../../shared/contracts/workers.ts';
import type { PolicyName } from '../../shared/model/scheduling.ts';

const POLICIES: Readonly<Record<PolicyName, string>> = {
  'round-robin': 'the next one in turn gets it',
  'best-fit': 'the fullest of them gets it, so that others stay free for large tasks',
  spread: 'the emptiest of them gets it, so that all have about as much to do',
};

type Rules = Pick<
  SchedulerBody,
  'policy' | 'preemption' | 'reservations' | 'leading' | 'ageing_seconds' | 'reserve_after_seconds'
>;

/** In one line, e.g. `spread, no preemption, 2 workers kept free`. */
export function schedulerLine({ policy, preemption, reservations, leading }: Rules): string {
  if (!leading) return 'no scheduler has spoken for a while';
  const kept = reservations.length;
  return [
    policy,
    preemption ? 'with preemption' : 'no preemption',
    ...(kept > 0 ? [`${kept.toLocaleString('en')} ${kept === 1 ? 'worker' : 'workers'} kept free`] : []),
  ].join(', ');
}

/** `10m`, not `10m 0s`. */
function span(seconds: number): string {
  return duration(seconds * 1_000).replace(/ 0[smh]$/, '');
}

/** What that means for a task, a sentence or two for each rule. */
export function schedulerHelp(rules: Rules): { heading: string; text: string }[] {
  const ageing = span(rules.ageing_seconds);
  const patience = span(rules.reserve_after_seconds);
  return [
    ...(rules.leading
      ? []
      : [{ heading: 'No leader', text: 'Nothing new is placed until a scheduler leads again.' }]),
    {
      heading: `Policy: ${rules.policy}`,
      text: `Of the workers where a task fits and that meet most of its wishes, ${POLICIES[rules.policy]}.`,
    },
    {
      heading: 'Order',
      text: `Higher priority first; each ${ageing} at the head of its line count as one priority more. Then who could miss a deadline, then who holds least of the cluster.`,
    },
    {
      heading: rules.preemption ? 'Preemption: on' : 'Preemption: off',
      text: rules.preemption
        ? 'A task that fits nowhere may stop running ones of lower priority. They run again and pay no retry.'
        : 'No running task is stopped for another one.',
    },
    {
      heading: 'Kept free',
      text: `A task that has waited for ${patience} at the head of its line and would fit an empty worker gets one kept free until it fits.`,
    },
  ];
}

// What would become of tasks, in words, alike in the CLI and the dashboard. Pure.

import type { WhatIfReply } from '../shared/contracts/what-if.ts';

/** In a sentence or two: `3 of 5 tasks would be placed now, 2 would wait. 1 that waits already goes first …`. */
export function whatIfWords({ placed, waiting, never, behind, more }: WhatIfReply): string {
  const total = placed + waiting + never;
  const fate = total === 1 ? fateOfOne(placed, never) : fateOfMany(total, placed, waiting, never);
  const before =
    behind === 0
      ? ''
      : behind === 1
        ? ' 1 that waits already goes first and is counted in.'
        : ` ${behind} that wait already go first and are counted in.`;
  const left = more ? ' More wait than could be looked at: it may turn out worse.' : '';
  return `${fate}.${before}${left}`;
}

function fateOfOne(placed: number, never: number): string {
  if (placed === 1) return 'The task would be placed now';
  return never === 1 ? 'The task could never run here' : 'The task would wait';
}

function fateOfMany(total: number, placed: number, waiting: number, never: number): string {
  if (placed === total) return `All ${total} tasks would be placed now`;
  return [
    `${placed} of ${total} tasks would be placed now`,
    ...(waiting > 0 ? [`${waiting} would wait`] : []),
    ...(never > 0 ? [`${never} could never run here`] : []),
  ].join(', ');
}

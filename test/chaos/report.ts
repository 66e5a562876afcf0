// The report of a fault run as text. Pure.

import type { ChaosReport } from './chaos.ts';
import { recoveryTable } from './recovery.ts';

const SHOWN = 40;

export function tellReport(report: ChaosReport): string {
  const faults = Object.entries(report.faults);
  const total = faults.reduce((sum, [, count]) => sum + count, 0);
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  const lines = [
    `seed ${report.seed}: ${total} faults over ${report.jobs} tasks in ${seconds(report.tookMs)} s`,
    `accepted ${report.accepted}, attempts ${report.attempts}: ${told(report.attemptsByEnd)}`,
    `answers of the API: ${told(report.answers)}`,
    '',
    'after a fault that came alone, all is well again after (s)',
    `${'fault'.padEnd(18)}${['faults', 'lasted p50', 'p50', 'p99', 'longest'].map((head) => head.padStart(11)).join('')}`,
    ...recoveryTable(report.recoveries).map(
      (row) =>
        row.kind.padEnd(18) +
        [String(row.faults), ...[row.lastedP50Ms, row.p50Ms, row.p99Ms, row.longestMs].map(seconds)]
          .map((cell) => cell.padStart(11))
          .join(''),
    ),
    '',
    `violations: ${report.violations.length}`,
    ...report.violations.slice(0, SHOWN).map(({ rule, of, what }) => `  ${rule}  ${of}: ${what}`),
  ];
  if (report.violations.length > SHOWN) lines.push(`  … and ${report.violations.length - SHOWN} more`);
  return lines.join('\n');
}

function told(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}

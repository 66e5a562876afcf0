// Counts a run of `npm test` for CI: `node infra/setup/tally.mjs <steps.json> <vitest.json>` prints
// "N passed, N failed" (", N skipped" if any). Plain JavaScript: it must work when nothing could be built.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * A set-up step or a check that failed counts as one failure; so does a file that could not be loaded, a test that
 * never ended, and a run that left no report.
 * @param steps what STEPS_REPORT holds, or null @param report vitest's JSON report, or null
 */
export function tally(steps, report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report?.testResults ?? []) {
    const before = counts.failed;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed += 1;
      else if (status === 'skipped' || status === 'todo' || status === 'disabled') counts.skipped += 1;
      else counts.failed += 1;
    }
    if (file.status === 'failed' && counts.failed === before) counts.failed += 1;
  }
  const failedTests = counts.failed;
  for (const { name, ok } of steps?.steps ?? []) {
    // The tests' own step says no more than the report, unless that shows no reason.
    if (!ok && (name !== 'Tests' || failedTests === 0)) counts.failed += 1;
  }
  const ran = steps?.steps?.some(({ name }) => name === 'Tests') === true;
  if ((!ran || !report) && counts.failed === 0) counts.failed = 1;
  return counts;
}

export function wording({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const counts = tally(read(process.argv[2]), read(process.argv[3]));
  process.stdout.write(`${wording(counts)}\n`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

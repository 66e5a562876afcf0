// `npm run test:chaos -- [--seed N] [--faults N] [--tasks N] [--minutes N] [--kinds a,b]
// [--store sqlite|mongodb] [--overlapping 0..1] [--gap SECONDS]`: one fault run, its report on the
// terminal and, with --out, in a file. Ends with exit code 1 when a promise was broken.

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { whyNoHosts } from '../support/hosts/programs.ts';
import { runChaos } from './chaos.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';
import { tellReport } from './report.ts';
import { STORE_KINDS } from './stage.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    faults: { type: 'string', default: '300' },
    tasks: { type: 'string', default: '2000' },
    minutes: { type: 'string', default: '60' },
    span: { type: 'string' },
    kinds: { type: 'string' },
    store: { type: 'string', default: 'sqlite' },
    overlapping: { type: 'string', default: '0.3' },
    gap: { type: 'string', default: '0.7' },
    out: { type: 'string' },
  },
});

const why = whyNoHosts();
if (why) {
  process.stderr.write(`the fault suite needs hosts of its own: ${why}\n`);
  process.exit(1);
}

const number = (
  name: 'seed' | 'faults' | 'tasks' | 'minutes' | 'span' | 'overlapping' | 'gap',
  fallback = '0',
): number => {
  const value = Number(values[name] ?? fallback);
  if (Number.isFinite(value) && value >= 0) return value;
  process.stderr.write(`--${name} must be a number that is not negative\n`);
  process.exit(2);
};
const kinds = (values.kinds?.split(',') ?? FAULT_KINDS) as readonly FaultKind[];
const unknown = kinds.filter((kind) => !FAULT_KINDS.includes(kind));
if (unknown.length > 0) {
  process.stderr.write(`unknown faults: ${unknown.join(', ')}; there are ${FAULT_KINDS.join(', ')}\n`);
  process.exit(2);
}

const store = STORE_KINDS.find((kind) => kind === values.store);
if (!store) {
  process.stderr.write(`--store must be one of ${STORE_KINDS.join(', ')}\n`);
  process.exit(2);
}

const start = performance.now();
const faults = number('faults');
const report = await runChaos({
  seed: number('seed'),
  faults,
  jobs: number('tasks'),
  // About as long as the faults take.
  spanMs: values.span === undefined ? faults * 5_000 : number('span') * 1_000,
  longestMs: number('minutes') * 60_000,
  hosts: 3,
  apis: 2,
  schedulers: 2,
  kinds,
  overlapping: Math.min(1, number('overlapping')),
  gapMs: number('gap') * 1_000,
  store,
  log: (line) => process.stdout.write(`${((performance.now() - start) / 1_000).toFixed(1)} s  ${line}\n`),
});
process.stdout.write(`\n${tellReport(report)}\n`);
if (values.out) await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`);
process.exit(report.violations.length === 0 ? 0 : 1);

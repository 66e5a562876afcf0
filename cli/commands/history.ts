// `history`: how a measured value went over time, as a curve in a line.

import type { Command } from 'commander';
import type { HistoryReply, MetricBody } from '../../shared/contracts/history.ts';
import { withExamples } from '../examples.ts';
import { wholeNumber } from '../options.ts';
import type { Run } from '../program.ts';
import type { Session } from '../session.ts';
import { sparkline } from '../sparkline.ts';
import { measuredText } from '../usage-view.ts';

interface HistoryOptions {
  readonly from?: string;
  readonly to?: string;
  readonly step?: number;
  readonly worker?: string;
}

/** Of a curve where output is no terminal. */
const CURVE_WIDTH = 72;

export function addHistoryCommand(program: Command, run: Run): void {
  const history = program
    .command('history')
    .description('show how something went over time, e.g. cpu_percent, memory_used, queue_depth, running')
    .argument('<metric>', 'one or several with commas; a wrong one names them all')
    .option('--from <moment>', 'from then on: -15m, -2h, -7d or a time (default -1h)')
    .option('--to <moment>', 'until then (default now)')
    .option('--step <seconds>', 'seconds between two points; by default as few as are kept', wholeNumber)
    .option('--worker <worker>', 'of this worker instead of the cluster')
    .action(run(show));
  withExamples(history, [
    { line: 'history cpu_percent', what: 'of the cluster in the last hour' },
    { line: 'history cpu_percent,memory_used --worker worker-1 --from -2h', what: 'of a worker' },
    { line: 'history running --from -7d --step 3600 --json', what: 'a week by the hour, for a program' },
  ]);
}

async function show(session: Session, options: HistoryOptions, given: string): Promise<void> {
  const reply = await session.client.telemetryHistory({
    metrics: given.split(','),
    from: options.from,
    to: options.to,
    step: options.step,
    worker: options.worker,
  });
  await session.show({
    json: reply,
    ids: reply.metrics.flatMap(({ points }) => points.map(([at, value]) => `${at} ${value}`)),
    text: () => reply.metrics.map((metric) => metricText(session, reply, metric)).join('\n'),
  });
}

function metricText(session: Session, reply: HistoryReply, { metric, unit, points }: MetricBody): string {
  const head = `${metric} of ${reply.worker ?? 'the cluster'}, ${reply.from} to ${reply.to}`;
  if (points.length === 0) return `${head}\nnothing was measured\n`;
  const values = points.map(([, value]) => value);
  const curve = sparkline(
    points.map(([at, value]) => ({ at: Date.parse(at), value })),
    {
      from: Date.parse(reply.from),
      to: Date.parse(reply.to),
      stepMs: reply.step_seconds * 1_000,
      ...(unit === 'percent' ? { most: 100 } : {}),
    },
    Math.min(session.io.columns ?? CURVE_WIDTH, 2 * CURVE_WIDTH),
  );
  const words = (value: number | undefined) => (value === undefined ? '' : measuredText(value, unit));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [
    head,
    curve.trimEnd(),
    `least ${words(Math.min(...values))}, mean ${words(mean)}, most ${words(Math.max(...values))}, last ${words(values.at(-1))}`,
    '',
  ].join('\n');
}

// `simulate --trace` and `simulate --generate`: reads or makes up the tasks, plays them under each policy, shows what came
// of it. Asks no API. Loaded only where it is asked for.

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { Dice } from '../../scheduler/core/simulation/dice.ts';
import { type GenerateOptions, generate } from '../../scheduler/core/simulation/generate.ts';
import type { TraceWorker } from '../../scheduler/core/simulation/trace.ts';
import { sumResources } from '../../shared/model/resources.ts';
import { DEFAULT_RULES, POLICIES } from '../../shared/model/scheduling.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { fileFault } from '../file-fault.ts';
import type { Session } from '../session.ts';
import { StatusLine } from '../status-line.ts';
import { plain } from '../table.ts';
import { clusterOf, scaleOf } from './cluster.ts';
import { whole } from './figures.ts';
import { svgDocument } from './plots.ts';
import { faultText, headline, reportJson, reportPage, reportText, type SimulationReport } from './report.ts';
import { plotsOf } from './report-plots.ts';
import { runPlays } from './run-plays.ts';
import type { TraceOptions } from './trace-options.ts';
import { readTrace } from './traces/read-trace.ts';
import { taskLine, workerLine } from './traces/task-lines.ts';
import type { Trace } from './traces/trace.ts';

/** As the API promises of a kind it knows nothing of. */
const DEFAULT_RUN_MS = 300_000;
/** From being told to stop to having stopped. */
const STOP_MS = 1_000;
const SECOND_MS = 1_000;
/** A pass looks at all machines: on ten thousand one each second of a simulated day would take minutes. */
const PASS_MS_PER_WORKER = 1;

interface Prepared extends Trace {
  readonly source: string;
}

/** Exit code 1 when lines were left out, or tasks can never run. */
export async function playTrace(session: Session, options: TraceOptions): Promise<ExitCode> {
  const { io } = session;
  const outputs = [options.html, options.svg, options.write].filter((path) => path !== undefined);
  // Not after minutes of work.
  for (const path of outputs) await checkWritable(path);
  const trace = await prepare(session, options);
  const [first] = trace.tasks;
  if (first === undefined) {
    const details = trace.faults.map((fault) => ({ field: String(fault.line), message: faultText(fault) }));
    throw new CliError(
      EXIT.usage,
      `${trace.source} holds no task that can be played`,
      'See docs/TRACES.md.',
      details,
    );
  }
  const seed = options.seed ?? 1;
  const policies = options.policies ?? [...POLICIES];
  const plays = await runPlays(
    io,
    {
      workers: trace.workers,
      tasks: trace.tasks,
      seed,
      rules: {
        ageingMs: ms(options.ageing) ?? DEFAULT_RULES.ageingMs,
        reserveAfterMs: ms(options.reserve_after) ?? DEFAULT_RULES.reserveAfterMs,
        preemption: options.preemption ?? DEFAULT_RULES.preemption,
      },
      costs: { startMs: ms(options.start_cost) ?? 0, pullMs: ms(options.pull_cost) ?? 0, stopMs: STOP_MS },
      passEveryMs: ms(options.pass_every) ?? Math.max(SECOND_MS, trace.workers.length * PASS_MS_PER_WORKER),
      defaultRunMs: DEFAULT_RUN_MS,
    },
    policies,
    !session.json && !session.quiet,
  );
  const report: SimulationReport = {
    source: trace.source,
    tasks: trace.tasks.length,
    users: new Set(trace.tasks.map(({ user }) => user)).size,
    spanMs: trace.tasks.at(-1)?.atMs ?? 0,
    workers: trace.workers.length,
    capacity: sumResources(trace.workers.map(({ capacity }) => capacity)),
    seed,
    remarks: trace.remarks,
    faults: trace.faults,
    leftOut: trace.leftOut,
    plays,
  };
  for (const remark of trace.remarks) await session.remark(plain(remark));
  if (trace.leftOut > 0) await session.remark(leftOutText(trace));
  if (options.html !== undefined) await writeFile(options.html, reportPage(report));
  if (options.svg !== undefined) await writeFile(options.svg, svgDocument(plotsOf(plays), headline(report)));
  await session.show({ json: reportJson(report), text: () => reportText(session, report) });
  const allRan = plays.every(({ tasks }) => tasks.infeasible + tasks.left === 0);
  return trace.leftOut === 0 && allRan ? EXIT.ok : EXIT.failed;
}

async function prepare(session: Session, options: TraceOptions): Promise<Prepared> {
  const { trace: files, generate: made, machines = [] } = options;
  const { io } = session;
  if (made !== undefined && machines.length === 0) {
    return makeUp(session, options, made, clusterOf(options.workers, options.worker_size, null));
  }
  const scale = scaleOf(options.worker_size);
  const line = new StatusLine(io, !session.json && !session.quiet);
  const read = await readTrace({
    tasks: files ?? [],
    machines,
    format: options.format,
    scale,
    signal: io.signal,
    onLines: (lines) => line.draw(`${whole(lines)} lines read`),
  }).finally(() => line.clear());
  if (read.workers.length > 0 && options.workers !== undefined) {
    const advice = 'Leave out --workers, or the machines.';
    throw new CliError(EXIT.usage, 'the trace tells of machines, and yet --workers is given', advice);
  }
  const isByParts = read.remarks.some((remark) => remark.includes('--worker-size'));
  const workers =
    read.workers.length > 0
      ? distinct(read.workers)
      : clusterOf(options.workers, options.worker_size, isByParts ? scale : null);
  if (made !== undefined) return makeUp(session, options, made, workers);
  return { ...read, workers, source: (files ?? []).map(plain).join(', ') };
}

async function makeUp(
  session: Session,
  { write, seed = 1 }: TraceOptions,
  options: GenerateOptions,
  workers: readonly TraceWorker[],
): Promise<Prepared> {
  const { tasks, load } = generate(options, workers, new Dice(seed));
  if (write !== undefined) {
    await writeTrace(write, { tasks, workers });
    await session.remark(`The trace is in ${plain(write)}.`);
  }
  const isShort = load < options.load * 0.98;
  const asked = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return {
    tasks,
    workers,
    faults: [],
    leftOut: 0,
    remarks: isShort
      ? [`So few tasks, none longer than a quarter of the time, make a load of ${load.toFixed(2)} at most.`]
      : [],
    source: `made up, ${asked.join(', ')}`,
  };
}

async function writeTrace(path: string, { tasks, workers }: Pick<Trace, 'tasks' | 'workers'>): Promise<void> {
  const file = createWriteStream(path);
  const failed = once(file, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => undefined);
  const lines = function* () {
    for (const worker of workers) yield workerLine(worker);
    for (const task of tasks) yield taskLine(task);
  };
  let text = '';
  const flush = async () => {
    if (!file.write(text)) await Promise.race([once(file, 'drain'), failed]);
    text = '';
  };
  for (const line of lines()) {
    text += line;
    if (text.length > 1_048_576) await flush();
  }
  await flush();
  file.end();
  await Promise.race([once(file, 'finish'), failed]);
}

/** @throws {CliError} naming an id that two machines have */
function distinct(workers: readonly TraceWorker[]): readonly TraceWorker[] {
  const ids = new Set<string>();
  for (const { id } of workers) {
    if (ids.has(id))
      throw new CliError(EXIT.usage, `the trace has two machines "${plain(id)}"`, 'Name each once.');
    ids.add(id);
  }
  return workers;
}

/** What is there stays as it is until there is something to write. */
async function checkWritable(path: string): Promise<void> {
  try {
    await (await open(path, 'a')).close();
  } catch (error) {
    throw new CliError(EXIT.usage, `${path} cannot be written: ${fileFault(error)}`, 'Name another file.');
  }
}

function leftOutText({ leftOut, faults }: Trace): string {
  const more = leftOut - faults.length;
  return [
    `${whole(leftOut)} ${leftOut === 1 ? 'line' : 'lines'} left out:`,
    ...faults.map((fault) => `  ${plain(faultText(fault))}`),
    ...(more > 0 ? [`  and ${whole(more)} more`] : []),
  ].join('\n');
}

function ms(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * SECOND_MS);
}

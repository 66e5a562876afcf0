// A simulation as people read it in a terminal and on a page, and as scripts get it. Pure.

import { amounts, duration } from '../../client/words.ts';
import type { Parts } from '../../scheduler/core/simulation/fragmentation.ts';
import type { SeriesPoint } from '../../scheduler/core/simulation/measures.ts';
import type { Percentiles } from '../../scheduler/core/simulation/statistics.ts';
import type { Resources } from '../../shared/model/resources.ts';
import type { Session } from '../session.ts';
import { type Column, plain } from '../table.ts';
import { attainment, type Figure, figuresOf, whole } from './figures.ts';
import { escapeText, plotStyle, svgFigure } from './plots.ts';
import { plotsOf } from './report-plots.ts';
import type { PolicyPlay } from './run-plays.ts';
import type { TraceFault } from './traces/trace.ts';

export interface SimulationReport {
  /** File or options of the generator. */
  readonly source: string;
  readonly tasks: number;
  readonly users: number;
  readonly spanMs: number;
  readonly workers: number;
  readonly capacity: Resources;
  readonly seed: number;
  readonly remarks: readonly string[];
  readonly faults: readonly TraceFault[];
  readonly leftOut: number;
  readonly plays: readonly PolicyPlay[];
}

export function headline({ tasks, users, spanMs, workers, capacity }: SimulationReport): string {
  const { cpuMillis, memoryMb: memory, gpus: gpu, storageMb: storage } = capacity;
  const machines = `${whole(workers)} ${workers === 1 ? 'machine' : 'machines'}`;
  const size = amounts({ cpu: cpuMillis / 1_000, memory, gpu, storage });
  return `${whole(tasks)} ${tasks === 1 ? 'task' : 'tasks'} of ${whole(users)} ${users === 1 ? 'user' : 'users'}, arriving over ${duration(spanMs)}, on ${machines} with ${size} in all.`;
}

export function reportText(session: Session, report: SimulationReport): string {
  const columns: Column<Figure>[] = [
    { title: '', cell: ({ name }) => name, min: 16 },
    ...report.plays.map(
      ({ rules }, at): Column<Figure> => ({
        title: rules.policy.toUpperCase(),
        cell: ({ cells }) => cells[at] ?? '',
        align: 'right',
      }),
    ),
  ];
  return `${plain(headline(report))}\n\n${session.table(figuresOf(report.plays), columns)}`;
}

/** A page of its own: nothing is fetched, and it needs no script. */
export function reportPage(report: SimulationReport): string {
  const { plays, remarks, faults, leftOut } = report;
  const cells = (tag: 'th' | 'td', texts: readonly string[]) =>
    texts.map((text) => `<${tag}>${escapeText(text)}</${tag}>`).join('');
  const notes = [
    ...remarks,
    ...(leftOut > 0 ? [`${whole(leftOut)} ${leftOut === 1 ? 'line' : 'lines'} of the trace left out.`] : []),
    ...faults.map(faultText),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>CloudAI simulation</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;background:#fff;color:#1a1a1a}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #8884}
th:first-child,td:first-child{text-align:left}
svg{display:block;max-width:100%;margin:1.5rem 0}
.wide{overflow-x:auto}
@media (prefers-color-scheme:dark){body{background:#161616;color:#e8e8e8}}
${plotStyle}
</style>
</head>
<body>
<h1>Simulation</h1>
<p>${escapeText(headline(report))}</p>
<p>Trace: ${escapeText(report.source)}. Seed: ${report.seed}.</p>
${notes.length === 0 ? '' : `<ul>${notes.map((note) => `<li>${escapeText(note)}</li>`).join('')}</ul>`}
<div class="wide"><table>
<thead><tr>${cells('th', ['', ...plays.map(({ rules }) => rules.policy)])}</tr></thead>
<tbody>
${figuresOf(plays)
  .map(({ name, cells: texts }) => `<tr>${cells('td', [name, ...texts])}</tr>`)
  .join('\n')}
</tbody>
</table></div>
${plotsOf(plays).map(svgFigure).join('\n')}
</body>
</html>
`;
}

export function faultText({ file, line, fault }: TraceFault): string {
  return `${file}, line ${line}: ${fault}`;
}

export function reportJson(report: SimulationReport): unknown {
  return {
    source: report.source,
    seed: report.seed,
    tasks: report.tasks,
    users: report.users,
    span_seconds: seconds(report.spanMs),
    workers: report.workers,
    capacity: resourcesJson(report.capacity),
    left_out: report.leftOut,
    faults: report.faults,
    remarks: report.remarks,
    policies: report.plays.map(playJson),
  };
}

function playJson(play: PolicyPlay): unknown {
  const { rules, tasks, sla, fairness, series } = play;
  return {
    policy: rules.policy,
    rules: {
      ageing_seconds: seconds(rules.ageingMs),
      reserve_after_seconds: seconds(rules.reserveAfterMs),
      preemption: rules.preemption,
    },
    tasks,
    wait_seconds: percentilesJson(play.waits, seconds),
    wait_seconds_by_priority: play.waitsByPriority.map(({ priority, waits }) => ({
      priority,
      ...percentilesJson(waits, seconds),
    })),
    slowdown: percentilesJson(play.slowdowns, (value) => value),
    sla: { ...sla, attainment: attainment(sla) },
    fairness: {
      users: fairness.users,
      slowdown: fairness.ofSlowdown,
      worst_slowdown: fairness.worstSlowdown,
      users_who_waited: fairness.wanting,
      dominant_share: fairness.ofShare,
    },
    used: partsJson(play.used),
    used_while_arriving: partsJson(play.usedWhileArriving),
    free_while_waiting: play.idleWhileWaiting && partsJson(play.idleWhileWaiting),
    fragmentation: partsJson(play.fragmentation),
    waiting: { mean: play.meanWaiting, most: play.mostWaiting },
    makespan_seconds: seconds(play.makespanMs),
    busy_seconds: seconds(play.busyMs),
    placements: play.placements,
    preemptions: play.preemptions,
    reservations: play.reservations,
    passes: play.passes,
    planning: { total_ms: play.planningMs, longest_pass_ms: play.longestPassMs },
    wait_curve: play.waitCurve.map(([ms, part]) => [seconds(ms), part]),
    series: { step_seconds: seconds(series.stepMs), points: series.points.map(pointJson) },
  };
}

function pointJson({ atMs, used, waiting, running }: SeriesPoint): unknown {
  return { at: seconds(atMs), used: partsJson(used), waiting, running };
}

function percentilesJson(of: Percentiles | null, unit: (value: number) => number): object | null {
  if (of === null) return null;
  const { count, mean, p50, p90, p99, max } = of;
  return { count, mean: unit(mean), p50: unit(p50), p90: unit(p90), p99: unit(p99), max: unit(max) };
}

function partsJson({ cpuMillis, memoryMb, gpus, storageMb }: Parts): object {
  return { cpu: cpuMillis, memory: memoryMb, gpu: gpus, storage: storageMb };
}

function resourcesJson({ cpuMillis, memoryMb, gpus, storageMb }: Resources): object {
  return { cpu: cpuMillis / 1_000, memory: memoryMb, gpu: gpus, storage: storageMb };
}

function seconds(ms: number): number {
  return ms / 1_000;
}

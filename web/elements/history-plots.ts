// The use of the cluster, or of one worker, over a stretch of time that stands in the address: kept points first, then
// longer with each picture of the cluster that is handed in.

import { css, html, LitElement } from 'lit';
import { byteRate, megabytes, trim } from '../../client/words.ts';
import type { AmountsBody, TelemetryReply, WorkerBody } from '../../shared/contracts/workers.ts';
import { HISTORY_METRICS, type HistoryMetric, WORKER_METRICS } from '../../shared/model/history.ts';
import { Poll } from '../data/poll.ts';
import type { Router } from '../data/router.ts';
import { addressOf, type Route } from '../data/routes.ts';
import type { Session } from '../data/session.ts';
import { TIME_RANGES, type TimeRange, timeRange } from '../data/time-ranges.ts';
import {
  clusterMoment,
  extended,
  type Line,
  type Moment,
  NO_TIMELINE,
  plotOf,
  type Timeline,
  timelineOf,
  withGaps,
  workerMoment,
} from '../data/timeline.ts';
import { base, controls } from '../styles/shared.ts';
import { errorNotice } from './error-notice.ts';
import type { Grouping } from './time-plot-scale.ts';

/** A point that is late by more than this many steps is missing. */
const LATE_STEPS = 2.5;
const UNWANTED: readonly HistoryMetric[] = [
  'storage_used',
  'workers_up',
  'placements_per_second',
  'finished_per_second',
];
const percent = (value: number) => `${trim(value, value < 10 ? 1 : 0)}%`;
const count = (value: number) => trim(value, 1);

interface Plot {
  readonly label: string;
  readonly format: (value: number) => string;
  readonly grouping?: Grouping;
  readonly max?: number;
  readonly lines: readonly Line[];
}

export class HistoryPlots extends LitElement {
  static override properties = {
    session: { attribute: false },
    router: { attribute: false },
    route: { attribute: false },
    telemetry: { attribute: false },
    worker: {},
  };
  declare session: Session;
  declare router: Router;
  declare route: Route;
  /** Handed in anew with each push. */
  declare telemetry: TelemetryReply | null;
  /** Its id; empty for the whole cluster. */
  declare worker: string;
  #timeline: Timeline = NO_TIMELINE;
  /** Seconds between the kept points: what was asked for may be finer than what is kept. */
  #keptStepS = 10;
  /** Once there were plots they stay, also while another range is fetched: nothing below them jumps. */
  #hasPlots = false;
  readonly #history = new Poll<true>(this, {
    load: async (signal) => {
      const { range, worker } = this;
      const metrics = worker ? WORKER_METRICS : HISTORY_METRICS;
      const reply = await this.session.client.telemetryHistory(
        {
          metrics: metrics.filter((metric) => !UNWANTED.includes(metric)),
          from: `-${range.spanS}s`,
          step: range.keptStepS,
          worker: worker || undefined,
        },
        { signal },
      );
      this.#keptStepS = reply.step_seconds;
      this.#timeline = timelineOf(reply, this.#timeline);
      return true;
    },
    pushedBy: () => this.session,
    everyMs: 10_000,
  });

  static override styles = [
    base,
    controls,
    css`
      .ranges { display: flex; border: 1px solid var(--line); border-radius: var(--radius-small); overflow: hidden; }
      .ranges button { border: 0; border-radius: 0; min-height: 1.875rem; padding: 0.2rem 0.65rem; font-size: var(--text-small); color: var(--ink-soft); background: transparent; }
      .ranges button:focus-visible { outline-offset: -2px; }
      .ranges button[aria-pressed='true'] { background: var(--accent-wash); color: var(--accent); }
      /* Two beside each other at most: an odd one out has a line of its own. */
      .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, max(22rem, 50% - var(--space-5))), 1fr)); gap: var(--space-4) var(--space-5); }
      .plots > :last-child:nth-child(odd) { grid-column: 1 / -1; }
      h3 { margin-bottom: var(--space-1); }
      .first { min-height: 26rem; }
    `,
  ];

  constructor() {
    super();
    this.telemetry = null;
    this.worker = '';
  }

  get range(): TimeRange {
    return timeRange(this.route.query.get('range'));
  }

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get('route') as Route | undefined;
    const isOther = before && timeRange(before.query.get('range')) !== this.range;
    if (isOther || (changed.has('worker') && changed.get('worker'))) {
      this.#timeline = NO_TIMELINE;
      this.#history.restart();
    }
    if (changed.has('telemetry')) this.#extend();
  }

  override render() {
    const { range } = this;
    return html`
      <div class="stack">
        <div class="head">
          <h2>Use over time</h2>
          <div class="ranges" role="group" aria-label="How far back">
            ${TIME_RANGES.map(
              (one) =>
                html`<button type="button" aria-pressed=${one === range} @click=${() => this.#choose(one)}>${one.words}</button>`,
            )}
          </div>
        </div>
        ${errorNotice(this.#history.error, () => this.#history.refresh())}
        ${this.#history.loading && !this.#hasPlots ? html`<notice-box class="first" kind="loading"></notice-box>` : this.#plots(range)}
      </div>
    `;
  }

  #plots({ spanS, keptStepS }: TimeRange) {
    this.#hasPlots = true;
    const { telemetry } = this;
    const body = this.#worker;
    const gapS = LATE_STEPS * Math.max(keptStepS, this.#keptStepS);
    const moments = withGaps(this.#timeline, gapS);
    const to = moments.at(-1)?.at ?? (telemetry ? Date.parse(telemetry.at) / 1000 : 0);
    const capacity = body?.capacity ?? telemetry?.totals.capacity;
    const memory = body ? body.fingerprint?.memory : telemetry?.totals.usage.memory_total;
    return html`
      <div class="plots">
        ${plotsOf(capacity, memory, this.worker !== '').map(
          ({ label, format, grouping, max, lines }) => html`
            <div>
              <h3>${label}</h3>
              <time-plot
                label=${label} area .data=${plotOf(moments, lines)} .format=${format} .grouping=${grouping ?? 'decimal'}
                .max=${max} .from=${to - spanS} .to=${to}
              ></time-plot>
            </div>
          `,
        )}
      </div>
    `;
  }

  get #worker(): WorkerBody | undefined {
    return this.telemetry?.workers.find(({ worker_id }) => worker_id === this.worker);
  }

  #extend(): void {
    const { telemetry, range } = this;
    if (!telemetry) return;
    const worker = this.#worker;
    let moment: Moment | null = null;
    if (this.worker === '') moment = clusterMoment(telemetry);
    else if (worker) moment = workerMoment(telemetry.at, worker);
    if (!moment) return;
    this.#timeline = extended(this.#timeline, moment, { stepS: range.liveStepS, spanS: range.spanS });
  }

  #choose(range: TimeRange): void {
    const query = Object.fromEntries(this.route.query);
    const name = range === TIME_RANGES[0] ? null : range.name;
    this.router.go(addressOf(location.pathname, { ...query, range: name }), { replace: true });
  }
}

function usedAndHeld(used: Line['of'], held: Line['of']): Line[] {
  return [
    { label: 'used', tone: 1, of: used },
    { label: 'held by tasks', tone: 3, of: held },
  ];
}

/** @param memory what the machines have in MB, of which tasks may use a part */
function plotsOf(capacity: AmountsBody | undefined, memory: number | undefined, isWorker: boolean): Plot[] {
  const share = (held: number | undefined, of: number) =>
    held === undefined || of === 0 ? null : (100 * held) / of;
  const { cpu = 0, gpu = 0, memory: usable = 0 } = capacity ?? {};
  const running: Line = { label: 'running', tone: 2, of: (values) => values.running };
  return [
    {
      label: 'CPU',
      format: percent,
      max: 100,
      lines: usedAndHeld(
        (values) => values.cpu_percent,
        (values) => share(values.cpu_reserved, cpu),
      ),
    },
    {
      label: 'Memory',
      format: megabytes,
      grouping: 'binary',
      max: Math.max(memory ?? 0, usable),
      lines: usedAndHeld(
        (values) => values.memory_used,
        (values) => values.memory_reserved,
      ),
    },
    ...(gpu > 0
      ? [
          {
            label: 'GPU',
            format: percent,
            max: 100,
            lines: usedAndHeld(
              (values) => values.gpu_percent,
              (values) => share(values.gpu_reserved, gpu),
            ),
          },
        ]
      : []),
    {
      label: 'Tasks',
      format: count,
      grouping: 'whole',
      lines: isWorker
        ? [running]
        : [running, { label: 'waiting', tone: 3, of: (values) => values.queue_depth }],
    },
    {
      label: 'Network',
      format: byteRate,
      grouping: 'binary',
      lines: [
        { label: 'received', tone: 4, of: (values) => values.network_receive_rate },
        { label: 'sent', tone: 5, of: (values) => values.network_transmit_rate },
      ],
    },
  ];
}

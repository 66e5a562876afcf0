// What an attempt uses over time, against what was asked for.

import { css, html, LitElement, nothing } from 'lit';
import { megabytes, trim } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { TaskUsageEvent } from '../../../shared/contracts/live.ts';
import type { TaskUsageReply } from '../../../shared/contracts/task-usage.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import { Poll } from '../../data/poll.ts';
import type { Session } from '../../data/session.ts';
import { errorNotice } from '../../elements/error-notice.ts';
import type { PlotData } from '../../elements/time-plot.ts';
import type { Grouping } from '../../elements/time-plot-scale.ts';
import { base, controls } from '../../styles/shared.ts';
import { usageTimes } from './usage-points.ts';

/** Measurements are held until the API has them as points, which is asked for anew when there are so many. */
const HELD_EVENTS = 200;

export class TaskUsage extends LitElement {
  static override properties = {
    session: { attribute: false },
    taskId: {},
    attempt: { type: Number },
    task: { attribute: false },
  };
  declare session: Session;
  declare taskId: string;
  /** Null: the newest that has started. */
  declare attempt: number | null;
  declare task: TaskBody | null;
  #events: TaskUsageEvent[] = [];
  readonly #usage = new Poll<TaskUsageReply>(this, {
    load: (signal) =>
      this.session.client.taskUsage(this.taskId, { attempt: this.attempt ?? undefined, signal }),
    done: () => this.#hasEnded,
    pushedBy: () => this.session,
  });
  readonly #live = new LiveSubscription(this, () => {
    if (this.taskId === '') return null;
    return this.session.live.subscribe(`task:${this.taskId}`, {
      usage: (event) => this.#measured(event),
      // What came while the connection was lost.
      resumed: () => this.#usage.refresh(),
    });
  });

  static override styles = [
    base,
    controls,
    css`
      .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: var(--space-4); }
      figcaption { margin-bottom: var(--space-2); }
    `,
  ];

  constructor() {
    super();
    this.taskId = '';
    this.attempt = null;
    this.task = null;
  }

  override willUpdate(changed: Map<string, unknown>): void {
    const isOther = changed.get('taskId') !== undefined || (this.hasUpdated && changed.has('attempt'));
    if (isOther) {
      this.#events = [];
      this.#usage.restart();
    }
    if (changed.get('taskId')) this.#live.restart();
    const before = changed.get('task') as TaskBody | null | undefined;
    const isMoved =
      before && this.task && (before.status !== this.task.status || before.attempt !== this.task.attempt);
    if (isMoved && !isOther) this.#usage.refresh();
  }

  override render() {
    const { data, error, loading } = this.#usage;
    return html`
      <h2 class="unseen">Usage</h2>
      ${errorNotice(error, () => this.#usage.refresh())}
      ${loading ? html`<notice-box kind="loading"></notice-box>` : nothing} ${data ? this.#plots(data) : nothing}
    `;
  }

  #plots(reply: TaskUsageReply) {
    const { times, cpu, memory } = usageTimes(
      reply,
      this.#events.filter(({ attempt }) => attempt === reply.attempt),
    );
    if (times.length < 2) {
      const text = this.#hasEnded
        ? 'It was too short to be measured.'
        : this.task?.status === 'running'
          ? 'The first measurements come a few seconds after its start.'
          : 'It is measured once it runs.';
      return html`<notice-box kind="empty" heading="No measurements"><p>${text}</p></notice-box>`;
    }
    const asked = this.task;
    return html`
      <div class="plots">
        ${plot('Cores', { times, values: cpu, tone: 1 }, asked?.cpu_required ?? null, (value) => trim(value, 2))}
        ${plot('Memory', { times, values: memory, tone: 2 }, asked?.memory_required ?? null, megabytes, 'binary')}
      </div>
    `;
  }

  get #hasEnded(): boolean {
    const { task } = this;
    const number = this.attempt ?? this.#usage.data?.attempt;
    return (
      task?.attempts.some(({ attempt, finished_at }) => attempt === number && finished_at !== null) ?? false
    );
  }

  #measured(event: TaskUsageEvent): void {
    const shown = this.#usage.data?.attempt;
    if (this.attempt === null && shown !== undefined && event.attempt > shown) this.#usage.refresh();
    this.#events.push(event);
    if (this.#events.length > HELD_EVENTS) {
      this.#events.splice(0, HELD_EVENTS / 2);
      this.#usage.refresh();
    }
    this.requestUpdate();
  }
}

interface Line {
  readonly times: number[];
  readonly values: (number | null)[];
  readonly tone: 1 | 2;
}

function plot(
  label: string,
  { times, values, tone }: Line,
  asked: number | null,
  format: (value: number) => string,
  grouping: Grouping = 'decimal',
) {
  const series: PlotData['series'] = [
    { label: 'used', tone, values },
    ...(asked ? [{ label: 'asked for', tone: 3 as const, values: times.map(() => asked) }] : []),
  ];
  return html`
    <figure>
      <figcaption><h3>${label}</h3></figcaption>
      <time-plot label=${label} group="task-usage" area .data=${{ times, series }} .format=${format} .grouping=${grouping}></time-plot>
    </figure>
  `;
}

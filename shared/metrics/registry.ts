// Metrics of one process: a registry of its own (no global one), what every process tells of itself, and metrics whose values
// stand elsewhere and are only read when somebody asks. Nothing here is measured before the first one asks.

import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { readVersion } from '../platform/version.ts';

export interface Sample {
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Of the parts of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

export interface ReadMetricOptions {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** Quick, and never throws. */
  readonly read: () => readonly Sample[];
}

/** Registers a metric that is read where its values stand. */
export function addReadMetric(registry: Registry, { name, help, type, read }: ReadMetricOptions): void {
  const metric = {
    name,
    help,
    type,
    aggregator: 'sum',
    reset: () => undefined,
    get: async () => ({
      name,
      help,
      type,
      aggregator: 'sum',
      values: read().map(({ labels = {}, value, suffix = '' }) => ({
        labels,
        value,
        metricName: name + suffix,
      })),
    }),
  };
  // The library registers whatever has these; its type names its own classes alone.
  registry.registerMetric(metric as unknown as Metric);
}

export class ProcessRegistry {
  readonly registry = new Registry();
  #hasProcessMetrics = false;

  constructor(service: string) {
    new Gauge({
      name: 'cloudai_build_info',
      help: 'Always 1; which release this process is of',
      labelNames: ['service', 'version'],
      registers: [this.registry],
    }).set({ service, version: readVersion() }, 1);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  render(): Promise<string> {
    if (!this.#hasProcessMetrics) {
      this.#hasProcessMetrics = true;
      // Watches the event loop and the garbage collector from now on.
      collectDefaultMetrics({ register: this.registry });
    }
    return this.registry.metrics();
  }
}

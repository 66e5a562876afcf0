// What a scheduler measures, for Prometheus, behind a door of its own. One that stands by tells of its process alone.

import { addLeaderMetrics } from '../shared/metrics/leader-metrics.ts';
import { ProcessRegistry } from '../shared/metrics/registry.ts';
import { type MetricsDoor, NO_DOOR, openMetricsDoor } from '../shared/metrics/serve.ts';
import type { SchedulerReport } from '../shared/model/scheduling.ts';
import type { MetricsDoorConfig } from '../shared/platform/config/metrics.ts';
import type { Log } from '../shared/platform/log.ts';

/** @param report what it says while it leads; else null */
export function schedulerRegistry(report: () => SchedulerReport | null): ProcessRegistry {
  const own = new ProcessRegistry('scheduler');
  addLeaderMetrics(own.registry, report);
  return own;
}

export async function openSchedulerMetrics(
  { host, port }: MetricsDoorConfig,
  report: () => SchedulerReport | null,
  log: Log,
): Promise<MetricsDoor> {
  if (port === null) return NO_DOOR;
  const own = schedulerRegistry(report);
  return openMetricsDoor({ host, port, contentType: own.contentType, render: () => own.render(), log });
}

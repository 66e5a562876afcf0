// What infra/grafana asks of Prometheus: the panels of the dashboard and the rules of alerts.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';

const folder = resolve(import.meta.dirname, '../../infra/grafana');

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { x: number; y: number; w: number; h: number };
  readonly targets?: readonly { expr: string }[];
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { severity: string };
  readonly annotations: { summary: string; what_to_do: string };
}

export function dashboardPanels(): Panel[] {
  return JSON.parse(readFileSync(`${folder}/dashboard.json`, 'utf8')).panels;
}

/** As Grafana asks, with an interval in the place of the one it fits to the plot. */
export function dashboardExpressions(): string[] {
  return dashboardPanels().flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')),
  );
}

export function alertRules(): AlertRule[] {
  const { groups } = parse(readFileSync(`${folder}/alerts.yml`, 'utf8'));
  return groups.flatMap((group: { rules: AlertRule[] }) => group.rules);
}

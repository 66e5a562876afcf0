// A Prometheus that scrapes a cluster, asked everything that infra/grafana asks: whether it reaches every process, knows the
// rules, and has an answer to each expression of the dashboard and the alerts.

import { alertRules, dashboardExpressions } from '../support/grafana.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Demonstration } from './demonstrate.ts';

const DEADLINE_MS = 120_000;

interface Target {
  readonly scrapePool: string;
  readonly health: string;
  readonly lastError: string;
}

export async function askPrometheus(url: string, { say, promise }: Demonstration): Promise<void> {
  const get = async <T>(path: string): Promise<T> => {
    const reply = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T; error?: string };
    if (reply.error) throw new Error(`Prometheus: ${reply.error}`);
    return reply.data;
  };
  let targets: Target[] = [];
  await waitFor(
    async () => {
      targets = (await get<{ activeTargets: Target[] }>('targets')).activeTargets;
      return targets.length > 0 && targets.every(({ health }) => health === 'up');
    },
    { what: 'all targets of Prometheus to be up', deadlineMs: DEADLINE_MS, everyMs: 500 },
  ).catch((error) => {
    for (const { scrapePool, health, lastError } of targets) say(`  ${scrapePool} ${health} ${lastError}`);
    throw error;
  });
  const pools = new Set(targets.map(({ scrapePool }) => scrapePool));
  promise(
    targets.length >= 3 && pools.size === 3,
    `Prometheus scrapes ${targets.length} processes, all are up`,
  );
  const { groups } = await get<{ groups: { rules: { health: string; state: string; name: string }[] }[] }>(
    'rules',
  );
  const rules = groups.flatMap((group) => group.rules);
  say(`rules: ${rules.length}, firing: ${rules.filter(({ state }) => state === 'firing').length}`);
  const asked = [...dashboardExpressions(), ...alertRules().map(({ expr }) => expr)];
  let answered = 0;
  for (const expression of asked) {
    const { result } = await get<{ result: unknown[] }>(`query?query=${encodeURIComponent(expression)}`);
    if (result.length > 0) answered += 1;
  }
  promise(
    asked.length > 40,
    `each of ${asked.length} expressions of dashboard and alerts has an answer without an error`,
  );
  say(`${answered} of them have series now`);
}

// What names metrics outside of code: the table of docs/OPERATIONS.md, the dashboard, the rules of alerts. Each names what
// there is, and the table all of it.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ApiMetrics } from '../../api/services/metrics/api-metrics.ts';
import { createRunnerMetrics } from '../../runner/metrics.ts';
import { schedulerRegistry } from '../../scheduler/metrics.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { alertRules, dashboardExpressions, dashboardPanels } from '../support/grafana.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');

type Process = 'api' | 'scheduler' | 'runner';
const types: Record<Process, Map<string, string>> = {
  api: new Map(),
  scheduler: new Map(),
  runner: new Map(),
};

beforeAll(async () => {
  const nothing = async () => Promise.reject(new Error('no store'));
  const api = new ApiMetrics({ snapshot: nothing, clock: systemClock, log: silentLog() });
  const texts: Record<Process, string> = {
    api: await api.text(),
    scheduler: await schedulerRegistry(() => null).render(),
    runner: await createRunnerMetrics(() => ({
      phase: 'up',
      workerId: 'w',
      incarnation: 'i',
      running: [],
      waiting: 0,
      free: null,
    })).registry.render(),
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const [, metric = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      types[name as Process].set(metric, type);
    }
  }
});

const all = () => new Map(Object.values(types).flatMap((known) => [...known]));

function unknownIn(expressions: readonly string[]): string[] {
  const known = all();
  const isKnown = (name: string) => {
    const [, base = '', part] = /^(.*?)(_bucket|_sum|_count)?$/.exec(name) ?? [];
    return known.has(name) || (part !== undefined && known.get(base) === 'histogram');
  };
  return expressions
    .flatMap((text) => [...text.matchAll(/\b(?:cloudai|process|nodejs)_\w+/g)].map(([name]) => name))
    .filter((name) => !isKnown(name));
}

/** No parser of PromQL: at least nothing is left open. */
function isClosed(expression: string): boolean {
  const open: string[] = [];
  const pairs: Record<string, string> = { ')': '(', '}': '{', ']': '[' };
  for (const letter of expression.replace(/"[^"]*"/g, '')) {
    if ('({['.includes(letter)) open.push(letter);
    else if (pairs[letter] && open.pop() !== pairs[letter]) return false;
  }
  return open.length === 0;
}

it('metrics have names after the conventions of Prometheus', () => {
  const own = [...all()].filter(([name]) => name.startsWith('cloudai_'));
  expect(own.length).toBeGreaterThan(50);
  const odd = own.filter(([name, type]) => (type === 'counter') !== name.endsWith('_total'));
  const units = own.filter(([name]) => /_(ms|mb|percent|minutes|kb)(_|$)/.test(name));
  expect([odd, units]).toEqual([[], []]);
});

it('the table of docs/OPERATIONS.md has every metric, its type and who tells it, and no other', () => {
  const text = read('docs/OPERATIONS.md');
  const section = text.slice(text.indexOf('\n## Watching a cluster\n'));
  const documented = new Map<string, string>();
  for (const line of section.split('\n').filter((row) => row.startsWith('| `'))) {
    const [names = '', type = '', by = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim());
    if (!/^(gauge|counter|histogram|summary)$/.test(type)) continue;
    for (const [, name = ''] of names.matchAll(/`(\w+)(?:\{[^}`]*\})?`/g))
      documented.set(name, `${type} of ${by}`);
  }
  const there = new Map(
    [...all()].map(([name, type]) => {
      const by = (Object.keys(types) as Process[]).filter((one) => types[one].has(name));
      return [name, `${type} of ${by.length === 3 ? 'all' : by.join(', ')}`];
    }),
  );
  const sorted = (of: Map<string, string>) => [...of].map(([name, rest]) => `${name}: ${rest}`).sort();
  expect(sorted(documented)).toEqual(sorted(there));
});

describe('the dashboard for Grafana', () => {
  it('asks for what there is', () => {
    expect(dashboardExpressions().length).toBeGreaterThan(30);
    expect(unknownIn(dashboardExpressions())).toEqual([]);
    expect(dashboardExpressions().filter((one) => !isClosed(one))).toEqual([]);
  });

  it('is whole: each panel has an id and a place of its own, and asks something', () => {
    const shown = dashboardPanels();
    expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length);
    const cells = shown.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(shown.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
    expect(shown.filter(({ type, targets }) => type !== 'row' && !targets?.length)).toEqual([]);
  });
});

describe('rules and scraping for Prometheus', () => {
  it('each alert asks for what there is, and says how bad it is and what to do', () => {
    expect(alertRules().length).toBeGreaterThan(8);
    expect(unknownIn(alertRules().map(({ expr }) => expr))).toEqual([]);
    for (const { alert, expr, labels, annotations } of alertRules()) {
      expect(alert).toMatch(/^CloudAI\w+$/);
      expect(isClosed(expr)).toBe(true);
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations.summary.length * annotations.what_to_do.length).toBeGreaterThan(0);
    }
  });

  const CONFIGS = ['prometheus.yml', 'prometheus.compose.yml', 'prometheus.kubernetes.yml'];
  it.each(CONFIGS)('every job that dashboard and alerts ask is scraped by %s', (name) => {
    const config = parse(read(`infra/grafana/${name}`));
    const jobs = config.scrape_configs.map((one: { job_name: string }) => one.job_name);
    const asked = [...alertRules().map(({ expr }) => expr), ...dashboardExpressions()]
      .join('\n')
      .matchAll(/job="(cloudai-\w+)/g);
    expect(new Set([...asked].map(([, job]) => job))).toEqual(
      new Set(jobs.filter((job: string) => job !== 'cloudai-scheduler')),
    );
    expect(config.rule_files).toEqual(['alerts.yml']);
  });
});

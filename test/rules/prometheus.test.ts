// What Prometheus itself says of infra/grafana, by its promtool: rules, configurations, the expressions of the dashboard,
// and alerts on made-up series. Without a promtool on this machine it is skipped and says so; test/rules/metrics.test.ts
// looks at the same files without one.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { findProgram } from '../../infra/setup/commands.ts';
import { alertRules, dashboardExpressions } from '../support/grafana.ts';

const folder = resolve(import.meta.dirname, '../../infra/grafana');
const promtool = findProgram('promtool');
const why = promtool === null ? ' (skipped: there is no promtool here)' : '';

/** @throws with what it said when it is not content */
function check(...args: string[]): string {
  try {
    return execFileSync(promtool ?? '', args, { stdio: 'pipe', timeout: 50_000, encoding: 'utf8' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args[0]} ${args[1]}: ${stdout ?? ''}${stderr ?? error}`);
  }
}

function temporary(name: string, content: unknown): string {
  const path = mkdtempSync(join(tmpdir(), 'cloudai-promtool-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const file = join(path, name);
  writeFileSync(file, stringify(content));
  return file;
}

/** What a cluster looks like in which all is well; each 15 s for an hour. */
const WELL = {
  'up{job="cloudai-api", instance="a"}': '1x240',
  'up{job="cloudai-scheduler", instance="s"}': '1x240',
  'cloudai_cluster_readable{job="cloudai-api", instance="a"}': '1x240',
  'cloudai_scheduler_leading{job="cloudai-api", instance="a"}': '1x240',
  'cloudai_queue_depth{job="cloudai-api", instance="a"}': '3x240',
  'cloudai_task_placements_total{job="cloudai-api", instance="a"}': '0+2x240',
  'cloudai_worker_state{job="cloudai-api", instance="a", worker="w1", state="down"}': '0x240',
  'cloudai_worker_state{job="cloudai-api", instance="a", worker="w1", state="unhealthy"}': '0x240',
  'cloudai_worker_heartbeat_age_seconds{job="cloudai-api", instance="a", worker="w1"}': '2x240',
  'cloudai_http_request_duration_seconds_count{job="cloudai-api", instance="a", status="200"}': '0+100x240',
  'cloudai_http_request_duration_seconds_count{job="cloudai-api", instance="a", status="503"}': '0x240',
  'nodejs_eventloop_lag_p99_seconds{job="cloudai-api", instance="a"}': '0.02x240',
} as const;
type Series = Readonly<Record<string, string>>;

/** Each fault over the well cluster, the alert it leads to and the labels that one has. */
const FAULTS: readonly (readonly [string, Series, Series])[] = [
  [
    'CloudAIProcessAway',
    { 'up{job="cloudai-scheduler", instance="s"}': '0x240' },
    { job: 'cloudai-scheduler', instance: 's' },
  ],
  [
    'CloudAIRecordUnreadable',
    { 'cloudai_cluster_readable{job="cloudai-api", instance="a"}': '1x40 0x200' },
    {},
  ],
  ['CloudAINobodyLeads', { 'cloudai_scheduler_leading{job="cloudai-api", instance="a"}': '1x40 0x200' }, {}],
  ['CloudAIQueueStands', { 'cloudai_task_placements_total{job="cloudai-api", instance="a"}': '7x240' }, {}],
  [
    'CloudAIWorkerDown',
    { 'cloudai_worker_state{job="cloudai-api", instance="a", worker="w1", state="down"}': '0x40 1x200' },
    { worker: 'w1' },
  ],
  [
    'CloudAIErrorsOfTheAPI',
    {
      'cloudai_http_request_duration_seconds_count{job="cloudai-api", instance="a", status="503"}': '0+5x240',
    },
    {},
  ],
];

describe.skipIf(promtool === null)(`promtool${why}`, () => {
  it('takes the rules of alerts', () => {
    expect(check('check', 'rules', `${folder}/alerts.yml`)).toContain(`${alertRules().length} rules found`);
  });

  it.each(['prometheus.yml', 'prometheus.compose.yml'])('takes %s', (name) => {
    expect(check('check', 'config', `${folder}/${name}`)).toMatch(/ is valid/);
  });

  // Debian builds Prometheus without its eyes for Kubernetes.
  it('takes prometheus.kubernetes.yml, but for where it finds pods', () => {
    const config = parse(readFileSync(`${folder}/prometheus.kubernetes.yml`, 'utf8'));
    for (const job of config.scrape_configs) {
      expect(job.kubernetes_sd_configs).toEqual([{ role: 'pod', namespaces: { names: ['cloudai'] } }]);
      delete job.kubernetes_sd_configs;
    }
    const file = temporary('prometheus.yml', { ...config, rule_files: [`${folder}/alerts.yml`] });
    expect(check('check', 'config', file)).toMatch(/ is valid/);
  });

  it('takes every expression of the dashboard', () => {
    const rules = dashboardExpressions().map((expr, n) => ({ record: `panel:${n}`, expr }));
    const file = temporary('panels.yml', { groups: [{ name: 'panels', rules }] });
    expect(check('check', 'rules', file)).toContain(`${rules.length} rules found`);
  });

  it('sees each alert fire for its fault alone, and none while all is well', () => {
    const tests = [null, ...FAULTS].map((fault) => {
      const [name, series, labels] = fault ?? ['', {}, {}];
      const rule = alertRules().find(({ alert }) => alert === name);
      return {
        name: name === '' ? 'all is well' : name,
        interval: '15s',
        input_series: Object.entries({ ...WELL, ...series }).map(([one, values]) => ({
          series: one,
          values,
        })),
        alert_rule_test: alertRules().map(({ alert }) => ({
          eval_time: '55m',
          alertname: alert,
          exp_alerts:
            alert === name && rule
              ? [
                  {
                    exp_labels: { ...rule.labels, ...labels },
                    exp_annotations: {
                      summary: filled(rule.annotations.summary, labels),
                      what_to_do: rule.annotations.what_to_do,
                    },
                  },
                ]
              : [],
        })),
      };
    });
    const file = temporary('alerts.test.yml', {
      rule_files: [`${folder}/alerts.yml`],
      evaluation_interval: '15s',
      tests,
    });
    expect(check('test', 'rules', file)).toContain('SUCCESS');
  });
});

/** As Prometheus fills in the labels of an alert. */
function filled(text: string, labels: Series): string {
  return text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '');
}

// What a runner measures of its own work, for Prometheus. Made only where the settings open a door for it.

import { Counter, Histogram } from 'prom-client';
import { addReadMetric, ProcessRegistry } from '../shared/metrics/registry.ts';
import type { AttemptWatch } from './executor/phases.ts';
import type { RunnerStatus } from './parts.ts';

const STATES = [
  'starting',
  'up',
  'fenced',
  'leaving',
  'removed',
  'stopped',
] as const satisfies RunnerStatus['phase'][];

export interface RunnerMetrics {
  readonly registry: ProcessRegistry;
  readonly watch: AttemptWatch;
}

export function createRunnerMetrics(status: () => RunnerStatus): RunnerMetrics {
  const own = new ProcessRegistry('runner');
  const { registry } = own;
  const registers = [registry];
  const phases = new Histogram({
    name: 'cloudai_runner_phase_duration_seconds',
    help: 'Phases of attempts: waiting for room, making the image present, … to removing the container',
    labelNames: ['phase'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300, 3_600],
    registers,
  });
  const ended = new Counter({
    name: 'cloudai_runner_attempts_ended_total',
    help: 'Attempts whose end this runner has committed; reason is empty unless they failed',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  addReadMetric(registry, {
    name: 'cloudai_runner_attempts',
    help: 'Attempts this runner works on: those that wait for room, and tasks with a container',
    type: 'gauge',
    read: () => {
      const { waiting, running } = status();
      return [
        { labels: { state: 'waiting' }, value: waiting },
        { labels: { state: 'with_container' }, value: running.length },
      ];
    },
  });
  addReadMetric(registry, {
    name: 'cloudai_runner_state',
    help: '1 for the state the runner is in',
    type: 'gauge',
    read: () => {
      const { phase } = status();
      return STATES.map((state) => ({ labels: { state }, value: Number(state === phase) }));
    },
  });
  return {
    registry: own,
    watch: {
      phase: (phase, tookMs) => phases.observe({ phase }, tookMs / 1_000),
      ended: (outcome) =>
        ended.inc({ outcome: outcome.kind, reason: outcome.kind === 'failed' ? outcome.reason : '' }),
    },
  };
}

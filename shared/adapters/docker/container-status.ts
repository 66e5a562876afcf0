// The engine's view of a container in the words of the port. Pure.

import type { ContainerInspectInfo } from 'dockerode';
import type { ContainerStatus } from '../../ports/container-runtime.ts';
import { LABEL_ATTEMPT, LABEL_GPUS, LABEL_TASK, LABEL_WORKER } from './container-settings.ts';

const STATES: Readonly<Record<string, ContainerStatus['state']>> = {
  created: 'created',
  running: 'running',
  paused: 'running',
  restarting: 'running',
  exited: 'exited',
  dead: 'exited',
  removing: 'exited',
};

export function toStatus({ Id, Config, State }: ContainerInspectInfo): ContainerStatus {
  const labels = Config.Labels ?? {};
  const startedAt = timeOf(State.StartedAt);
  // A container that failed to start is `created` to the engine and has an exit code all the same.
  const state = STATES[State.Status] ?? (State.Running ? 'running' : 'exited');
  const ended = state === 'exited';
  return {
    id: Id,
    taskId: labels[LABEL_TASK] ?? '',
    attempt: Number(labels[LABEL_ATTEMPT] ?? 0),
    workerId: labels[LABEL_WORKER] ?? '',
    state,
    startedAt,
    // The engine may note the start of a very short run after its end.
    finishedAt: ended ? latest(startedAt, timeOf(State.FinishedAt)) : null,
    exitCode: ended ? State.ExitCode : null,
    oomKilled: State.OOMKilled,
    gpuIds: (labels[LABEL_GPUS] ?? '').split(',').filter((id) => id !== ''),
  };
}

/** The engine writes `0001-01-01T00:00:00Z` for "never". */
function timeOf(text: string): number | null {
  const at = Date.parse(text);
  return Number.isNaN(at) || at <= 0 ? null : at;
}

function latest(startedAt: number | null, finishedAt: number | null): number | null {
  return startedAt === null || finishedAt === null ? finishedAt : Math.max(startedAt, finishedAt);
}

// Whether a container ended by itself or with the engine under it. An engine that is stopped, or finds running containers
// of an earlier life of it at its start, sends them their stop signal, which is SIGKILL for containers of tasks; one whose
// machine died finds them dead and says 255. So only these two codes can be the engine's doing, and only those of
// containers that an earlier life of it had started. Seen with Docker 20.10:
//
//   what happened                    code   FinishedAt
//   SIGTERM of the daemon            137    while it stops, before its next start
//   SIGKILL of the daemon            137    while the next life starts
//   death of the whole machine       255    while the next life starts
//
// The engine tells its start nowhere, but makes its default network anew each time.

import type { ContainerInspectInfo } from 'dockerode';
import { isAppError } from '../../errors.ts';
import { type Connection, LOOK_TIMEOUT_MS } from './connection.ts';
import { LABEL_BOOT } from './container-settings.ts';

/** What an engine lets a container end with that it stops or finds dead. */
const ENGINE_CODES: ReadonlySet<number> = new Set([137, 255]);
/** The network may be made a little before the last container is dealt with. */
const SLACK_MS = 5_000;
const KNOCK_TIMEOUT_MS = 10_000;

/** Who ended a container that did not end by itself. */
export type Cut = 'machine' | 'engine';

/** Pure. `engineStartedAt` by the engine's clock; null when it cannot be known. */
export function judgeEnd(
  end: {
    readonly exitCode: number;
    readonly startedAt: number | null;
    readonly finishedAt: number | null;
    /** Boot of the machine in which it was created, or null. */
    readonly bootId: string | null;
  },
  engineStartedAt: number | null,
  bootId: string | null,
): Cut | null {
  if (!ENGINE_CODES.has(end.exitCode)) return null;
  const { startedAt, finishedAt } = end;
  // Without either time an engine noted neither, as one that died with its machine.
  if (startedAt === null) return null;
  const isEarlier = engineStartedAt !== null && startedAt < engineStartedAt;
  if (!isEarlier || (finishedAt !== null && finishedAt > engineStartedAt + SLACK_MS)) return null;
  return end.bootId !== null && bootId !== null && end.bootId !== bootId ? 'machine' : 'engine';
}

export interface EngineLives {
  /** Who ended this container, or null when it did so itself. Throws `runtime_unavailable`. */
  cutOf(
    found: ContainerInspectInfo,
    times: { startedAt: number | null; finishedAt: number | null },
  ): Promise<Cut | null>;
}

export function createEngineLives(connection: Connection, bootId: string | null): EngineLives {
  const startOfEngine = async (): Promise<number | null> => {
    try {
      const network = await connection.ask('look at the default network', LOOK_TIMEOUT_MS, () =>
        connection.docker.getNetwork('bridge').inspect(),
      );
      const at = Date.parse((network as { Created?: string }).Created ?? '');
      return Number.isNaN(at) ? null : at;
    } catch (error) {
      // An engine without a default network.
      if (isAppError(error, 'not_found')) return null;
      throw error;
    }
  };
  return {
    async cutOf({ State, Config }, times) {
      const { ExitCode: exitCode } = State;
      if (!ENGINE_CODES.has(exitCode)) return null;
      const end = { exitCode, ...times, bootId: Config.Labels?.[LABEL_BOOT] ?? null };
      const engineStartedAt = await startOfEngine();
      const cut = judgeEnd(end, engineStartedAt, bootId);
      // One that shuts down ends its containers after it has stopped listening: then the next life of it has the answer.
      if (cut === null && engineStartedAt !== null && (times.startedAt ?? 0) >= engineStartedAt) {
        await connection.ask('see whether the engine goes on', KNOCK_TIMEOUT_MS, (signal) =>
          connection.knock(signal),
        );
      }
      return cut;
    },
  };
}

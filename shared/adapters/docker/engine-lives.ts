// Whether a container ended by itself or with the engine under it. An engine that is stopped, or finds running containers
// of an earlier life of it at its start, sends them their stop signal, which is SIGKILL for containers of tasks; one whose
// machine died finds them dead and says 255. A container whose engine is killed goes on until the next life of it, and may
// end in between: with the exit code of its program, but what it printed since is lost, for nobody was there to keep it.
// So an end that only an engine can have made is its doing, and so is one under a dead engine; and only those of containers
// that an earlier life of it had started. Seen with Docker 20.10:
//
//   what happened                    code   FinishedAt
//   SIGTERM of the daemon            137    while it stops, before its next start
//   SIGKILL of the daemon            137    while the next life starts
//   the same, ended before that      own    while there is no engine, before its next start
//   death of the whole machine       255    while the next life starts
//
// The engine tells its start nowhere, but makes its default network anew each time. When it died it tells less still: only
// who awaited the end knows whether it was there.

import type { ContainerInspectInfo } from 'dockerode';
import { isAppError } from '../../errors.ts';
import { type Connection, LOOK_TIMEOUT_MS } from './connection.ts';
import { LABEL_BOOT } from './container-settings.ts';
import type { Sight } from './exits.ts';

/** What an engine lets a container end with that it stops or finds dead. */
const ENGINE_CODES: ReadonlySet<number> = new Set([137, 255]);
/** The network may be made a little before the last container is dealt with. */
const SLACK_MS = 5_000;
const KNOCK_TIMEOUT_MS = 10_000;

/** Who ended a container that did not end by itself, and whether the end of its output may be lost if it did. */
export interface Judgement {
  readonly cutBy: 'machine' | 'engine' | null;
  readonly outputInDoubt: boolean;
}

export const BY_ITSELF: Judgement = { cutBy: null, outputInDoubt: false };

/** Pure. `engineStartedAt` by the engine's clock; null when it cannot be known. */
export function judgeEnd(
  end: {
    readonly exitCode: number;
    readonly startedAt: number | null;
    readonly finishedAt: number | null;
    /** Boot of the machine in which it was created, or null. */
    readonly bootId: string | null;
    readonly sight: Sight;
  },
  engineStartedAt: number | null,
  bootId: string | null,
): Judgement {
  const { exitCode, startedAt, finishedAt, sight } = end;
  if (engineStartedAt === null) return BY_ITSELF;
  // An engine that notes the end of what it did not note the start of is not the one that started it.
  const isEarlier = startedAt === null || startedAt < engineStartedAt;
  if (!isEarlier) return BY_ITSELF;
  if (!ENGINE_CODES.has(exitCode)) {
    const livedOn = startedAt !== null && (finishedAt === null || finishedAt > engineStartedAt);
    if (livedOn) return BY_ITSELF;
    return { cutBy: sight === 'broken' ? 'engine' : null, outputInDoubt: sight === 'none' };
  }
  if (finishedAt !== null && finishedAt > engineStartedAt + SLACK_MS) return BY_ITSELF;
  const rebooted = end.bootId !== null && bootId !== null && end.bootId !== bootId;
  return { cutBy: rebooted ? 'machine' : 'engine', outputInDoubt: false };
}

export interface EngineLives {
  /** Of a container that has ended. Throws `runtime_unavailable`. */
  judge(
    found: ContainerInspectInfo,
    times: { startedAt: number | null; finishedAt: number | null },
    sight: Sight,
  ): Promise<Judgement>;
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
    async judge({ State, Config }, times, sight) {
      const { ExitCode: exitCode } = State;
      const mayBeTheEngines = ENGINE_CODES.has(exitCode);
      // Awaited all the time: the engine was there.
      if (!mayBeTheEngines && sight === 'followed') return BY_ITSELF;
      const end = { exitCode, ...times, bootId: Config.Labels?.[LABEL_BOOT] ?? null, sight };
      const engineStartedAt = await startOfEngine();
      const judgement = judgeEnd(end, engineStartedAt, bootId);
      // One that shuts down ends its containers after it has stopped listening: then the next life of it has the answer.
      const isOfThisLife = engineStartedAt !== null && (times.startedAt ?? 0) >= engineStartedAt;
      if (mayBeTheEngines && judgement.cutBy === null && isOfThisLife) {
        await connection.ask('see whether the engine goes on', KNOCK_TIMEOUT_MS, (signal) =>
          connection.knock(signal),
        );
      }
      return judgement;
    },
  };
}

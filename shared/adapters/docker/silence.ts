// Long calls on which nothing comes any more: soon given up where it is the engine that hangs, which is asked for that, and
// later where it is somebody behind it. Must never end a call that moves on.

import type { AppError } from '../../errors.ts';
import { type Connection, HEALTH_TIMEOUT_MS } from './connection.ts';

/** Silent for so long, the engine is asked whether it is there. */
const LOOK_EVERY_MS = 20_000;

export interface SilenceParts {
  readonly connection: Connection;
  /** Completes "cannot …". */
  readonly doing: string;
  /** The longest silence of an engine that is there. */
  readonly mostMs: number;
  readonly tooLong: () => AppError;
  /** Called once, with why. */
  readonly giveUp: (error: AppError) => void;
}

export interface SilenceWatch {
  /** Something came. */
  heard(): void;
  end(): void;
}

export function watchSilence({ connection, doing, mostMs, tooLong, giveUp }: SilenceParts): SilenceWatch {
  let heardAt = performance.now();
  let isAsking = false;
  const end = () => clearInterval(timer);
  const over = (error: AppError) => {
    end();
    giveUp(error);
  };
  const look = async () => {
    const silentSince = heardAt;
    if (performance.now() - silentSince >= mostMs) return over(tooLong());
    if (isAsking || performance.now() - silentSince < LOOK_EVERY_MS) return;
    isAsking = true;
    await connection
      .ask(doing, HEALTH_TIMEOUT_MS, (abortSignal) =>
        // The types know no options, the call does.
        (connection.docker.ping as (options: object) => Promise<unknown>).call(connection.docker, {
          abortSignal,
        }),
      )
      .catch((error: AppError) => {
        if (heardAt === silentSince) over(error);
      });
    isAsking = false;
  };
  const timer = setInterval(() => void look(), Math.min(LOOK_EVERY_MS, mostMs / 4));
  timer.unref();
  return {
    heard: () => {
      heardAt = performance.now();
    },
    end,
  };
}

// One command's transfers: the line that shows them all, and for each file its patience and what is told of it.

import type { Session } from '../session.ts';
import { Patience, patienceMs } from './patience.ts';
import { ProgressLine } from './progress-line.ts';

/** Downloads or uploads side by side. */
export const AT_ONCE = 4;

export interface FileWatch {
  readonly signal: AbortSignal;
  readonly patience: Patience;
  readonly onBytes: (bytes: number) => void;
  readonly onKnown: (bytes: number) => void;
  readonly onStep: (what: string | null) => void;
  readonly tell: (text: string) => void;
}

export interface Transfer {
  readonly line: ProgressLine;
  /** `name` is what remarks on the file begin with. */
  watch(name: string): FileWatch;
  /** Runs the whole of it; the line is gone afterwards. Told to stop, it says that it can be gone on with. */
  run(work: () => Promise<void>, afterStop?: string): Promise<void>;
}

/** @throws {CliError} for a setting that is none */
export function openTransfer(session: Session, total: { files: number; bytes: number }): Transfer {
  const { io } = session;
  const spoken = !session.json && !session.quiet;
  const limitMs = patienceMs(io.env);
  const line = new ProgressLine(io, { shown: spoken, ...total });
  const { signal } = io;
  return {
    line,
    watch: (name) => {
      const tell = (text: string) => {
        if (spoken) void line.note(`${name}: ${text}`);
      };
      return {
        signal,
        patience: new Patience({ limitMs, signal, tell }),
        onBytes: (bytes) => line.addBytes(bytes),
        onKnown: (bytes) => line.addKnown(bytes),
        onStep: (what) => line.step(what),
        tell,
      };
    },
    run: async (work, afterStop = 'Stopped. The same command goes on where it stopped.') => {
      try {
        await work();
      } catch (error) {
        if (signal.aborted && spoken) await line.note(afterStop);
        throw error;
      } finally {
        await line.end();
      }
    },
  };
}

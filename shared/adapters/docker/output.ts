// Output of containers: attached before the start, or replayed from the engine's log. When the connection breaks
// while the container goes on, reading continues from the log behind the last byte that was given out.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../../errors.ts';
import type { LogStream } from '../../model/log-line.ts';
import { withDeadline } from '../../platform/deadline.ts';
import type { Log } from '../../platform/log.ts';
import type { OutputHandle, OutputSink } from '../../ports/container-runtime.ts';
import { type Connection, LOOK_TIMEOUT_MS, WORK_TIMEOUT_MS } from './connection.ts';
import { toAppError } from './errors.ts';
import type { Exits } from './exits.ts';
import { createFrameParser } from './frames.ts';

/** After the output of a running container ends, its exit follows within so long, or it closed its output early. */
const EXIT_FOLLOWS_MS = 2_000;
/** How often a broken connection is made again before output is given up. */
const TRIES = 20;
const PAUSE_MS = 500;
const START_PAUSE_MS = 50;
/** Finds out that the other side of a quiet connection is gone. */
const KEEP_ALIVE_MS = 30_000;
const NOTHING = Buffer.alloc(0);

export interface Outputs {
  attach(containerId: string, sink: OutputSink): Promise<OutputHandle>;
  replay(containerId: string, sink: OutputSink): Promise<OutputHandle>;
}

type Given = Record<LogStream, number>;

export function createOutputs(connection: Connection, exits: Exits, log: Log): Outputs {
  const { docker } = connection;

  const openAttach = (containerId: string) =>
    connection.ask('attach to the output', LOOK_TIMEOUT_MS, async (abortSignal) => {
      const options = { stream: true, stdout: true, stderr: true, abortSignal };
      const stream = await docker.getContainer(containerId).attach(options);
      return stream as unknown as IncomingMessage;
    });

  const openLogs = (containerId: string) =>
    connection.ask('read the output', WORK_TIMEOUT_MS, async (abortSignal) => {
      const options = { follow: true, stdout: true, stderr: true, abortSignal } as const;
      const stream = await docker.getContainer(containerId).logs(options);
      return stream as unknown as IncomingMessage;
    });

  /** Gives out what `source` brings, without the first `skip` bytes of each stream. Ends with the source. */
  const pump = async (
    source: IncomingMessage,
    given: Given,
    skip: Given,
    sink: OutputSink,
  ): Promise<void> => {
    source.socket?.setKeepAlive(true, KEEP_ALIVE_MS);
    const parser = createFrameParser();
    for await (const bytes of source as Readable) {
      let isSkipping = true;
      for (const { stream, chunk } of parser.push(bytes as Buffer)) {
        const known = Math.min(skip[stream], chunk.length);
        skip[stream] -= known;
        if (known === chunk.length) continue;
        given[stream] += chunk.length - known;
        isSkipping = false;
        try {
          await sink(stream, known === 0 ? chunk : chunk.subarray(known));
        } catch (error) {
          throw new SinkFault(error);
        }
      }
      // Long output is skipped for a long time: not to be taken for silence.
      if (isSkipping) await sink('stdout', NOTHING);
    }
    if (!parser.atBoundary()) throw new Error('the output ended in the middle of a frame');
  };

  /**
   * The engine also ends the output of a start that failed, and the start may be tried again. Resolves once the
   * container was started: true when it has ended without a second start.
   */
  const isEnded = async (containerId: string, signal: AbortSignal): Promise<boolean> => {
    for (let looks = 1; !signal.aborted; looks += 1) {
      const { State } = await connection.ask('look at the container', LOOK_TIMEOUT_MS, (abortSignal) =>
        docker.getContainer(containerId).inspect({ abortSignal }),
      );
      if (State.Status !== 'created') return looks === 1 && State.Status !== 'running';
      await delay(START_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    return true;
  };

  /** True when the container's end follows at once on the end of its output. */
  const isOver = async (containerId: string, signal: AbortSignal): Promise<boolean> => {
    const late = () => new Error('its end does not follow');
    return withDeadline(exits.ended(containerId, signal), EXIT_FOLLOWS_MS, late).then(
      () => true,
      () => false,
    );
  };

  const hasEnded = async (containerId: string): Promise<boolean> => {
    const { State } = await connection.ask('look at the container', LOOK_TIMEOUT_MS, (abortSignal) =>
      docker.getContainer(containerId).inspect({ abortSignal }),
    );
    return State.Status === 'exited' || State.Status === 'dead';
  };

  /** `isEndedLog`: the container had ended before `first`, its log, was opened; null when it is attached. */
  const follow = (
    containerId: string,
    sink: OutputSink,
    first: IncomingMessage,
    isEndedLog: boolean | null,
  ): OutputHandle => {
    const stop = new AbortController();
    const given: Given = { stdout: 0, stderr: 0 };
    // What is attached ends in the same way when the container ends and when the connection breaks.
    let broken = false;
    const unwatch = exits.onBreak(containerId, () => {
      broken = true;
    });
    let source: IncomingMessage | null = first;
    // The engine ends a log that is followed when the container ends, whether all of it was given or not. What is
    // opened after that is whole.
    let isWholeLog = isEndedLog === true;
    const read = async () => {
      let failures = 0;
      for (;;) {
        let fault: unknown = null;
        try {
          source ??= await openLogs(containerId);
          if (stop.signal.aborted) source.destroy();
          const skip: Given = source === first ? { stdout: 0, stderr: 0 } : { ...given };
          const isAttached = source === first && isEndedLog === null;
          await pump(source, given, skip, sink);
          const mayBeCut = () => isAttached && broken;
          if (!mayBeCut() && (await isOver(containerId, stop.signal)) && !mayBeCut()) {
            const isUnheard = isAttached && given.stdout + given.stderr === 0;
            if (!isUnheard || (await isEnded(containerId, stop.signal))) {
              // An engine that was killed and is back may have ended it too, so what brought nothing is looked up.
              if ((isAttached && !isUnheard) || isWholeLog) return;
              isWholeLog = true;
              source = null;
              continue;
            }
          }
        } catch (error) {
          fault = error;
        }
        if (stop.signal.aborted || isAppError(fault, 'not_found')) return;
        if (fault instanceof SinkFault) throw fault.cause;
        failures += 1;
        if (failures >= TRIES || connection.closed)
          throw toAppError(fault ?? new Error('it ends too early'), 'read the output');
        log.debug({ containerId, err: fault }, 'output broke off; reading on from the engine’s log');
        if (fault !== null) await delay(PAUSE_MS);
        source = null;
      }
    };
    const done = read().finally(unwatch);
    // Whoever does not look at `done` must not bring the process down.
    done.catch(() => undefined);
    return {
      done,
      close() {
        stop.abort();
        source?.destroy();
      },
    };
  };

  return {
    attach: async (containerId, sink) => follow(containerId, sink, await openAttach(containerId), null),
    replay: async (containerId, sink) => {
      const isEndedLog = await hasEnded(containerId);
      return follow(containerId, sink, await openLogs(containerId), isEndedLog);
    },
  };
}

/** A fault of the reader's own, to be told apart from one of the connection. */
class SinkFault extends Error {
  constructor(cause: unknown) {
    super('the sink failed', { cause });
  }
}

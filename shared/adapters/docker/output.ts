// Output of containers: attached before the start, or replayed from the engine's log. When the connection breaks
// while the container goes on, reading continues from the log behind the last byte that was given out.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../../errors.ts';
import type { LogStream } from '../../model/log-line.ts';
import type { Log } from '../../platform/log.ts';
import type { OutputHandle, OutputSink } from '../../ports/container-runtime.ts';
import { type Connection, LOOK_TIMEOUT_MS, WORK_TIMEOUT_MS } from './connection.ts';
import { toAppError } from './errors.ts';
import type { Exits } from './exits.ts';
import { createFrameParser } from './frames.ts';

/** After the output of a running container ends, its exit follows within so long, or it closed its output early. */
const EXIT_FOLLOWS_MS = 3_000;
/** How often a broken connection is made again before output is given up. */
const TRIES = 20;
const PAUSE_MS = 500;
/** Finds out that the other side of a quiet connection is gone. */
const KEEP_ALIVE_MS = 30_000;

export interface Outputs {
  attach(containerId: string, sink: OutputSink): Promise<OutputHandle>;
  replay(containerId: string, sink: OutputSink): Promise<OutputHandle>;
}

type Given = Record<LogStream, number>;

export function createOutputs(connection: Connection, exits: Exits, log: Log): Outputs {
  const { docker } = connection;

  const openAttach = (containerId: string, abortSignal: AbortSignal) =>
    connection.ask('attach to the output', LOOK_TIMEOUT_MS, async () => {
      const options = { stream: true, stdout: true, stderr: true, abortSignal };
      const stream = await docker.getContainer(containerId).attach(options);
      return stream as unknown as IncomingMessage;
    });

  const openLogs = (containerId: string, abortSignal: AbortSignal) =>
    connection.ask('read the output', WORK_TIMEOUT_MS, async () => {
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
      for (const { stream, chunk } of parser.push(bytes as Buffer)) {
        const known = Math.min(skip[stream], chunk.length);
        skip[stream] -= known;
        if (known === chunk.length) continue;
        given[stream] += chunk.length - known;
        const held = sink(stream, known === 0 ? chunk : chunk.subarray(known));
        if (held) await held;
      }
    }
    if (!parser.atBoundary()) throw new Error('the output ended in the middle of a frame');
  };

  /** True once the container has ended and the engine was there all the time. */
  const isOver = async (containerId: string, signal: AbortSignal): Promise<boolean> => {
    const began = performance.now();
    const late = AbortSignal.any([signal, AbortSignal.timeout(EXIT_FOLLOWS_MS)]);
    try {
      await exits.ended(containerId, late);
      // Waiting through a restart of the engine takes longer than the exit of a container whose output ended.
      return performance.now() - began < EXIT_FOLLOWS_MS;
    } catch {
      return false;
    }
  };

  const follow = (
    containerId: string,
    sink: OutputSink,
    first: IncomingMessage,
    fromLog: boolean,
    stop: AbortController,
  ): OutputHandle => {
    const given: Given = { stdout: 0, stderr: 0 };
    const read = async () => {
      let isLog = fromLog;
      let source: IncomingMessage | null = first;
      let failures = 0;
      for (;;) {
        let fault: unknown = null;
        try {
          source ??= await openLogs(containerId, stop.signal);
          const skip: Given = source === first ? { stdout: 0, stderr: 0 } : { ...given };
          await pump(source, given, skip, async (stream, chunk) => {
            try {
              await sink(stream, chunk);
            } catch (error) {
              throw new SinkFault(error);
            }
          });
        } catch (error) {
          fault = error;
        }
        if (stop.signal.aborted) return;
        if (fault instanceof SinkFault) throw fault.cause;
        // The engine's log ends cleanly only with the container.
        if (fault === null && (isLog || (await isOver(containerId, stop.signal)))) return;
        if (stop.signal.aborted || isAppError(fault, 'not_found')) return;
        failures += 1;
        if (fault !== null && (failures >= TRIES || connection.closed))
          throw toAppError(fault, 'read the output');
        log.debug({ containerId, err: fault }, 'output broke off; reading on from the engine’s log');
        if (fault !== null) await delay(PAUSE_MS);
        source = null;
        isLog = true;
      }
    };
    const done = read();
    // Whoever does not look at `done` must not bring the process down.
    done.catch(() => undefined);
    return { done, close: () => stop.abort() };
  };

  const open = async (
    containerId: string,
    sink: OutputSink,
    connect: typeof openAttach,
    fromLog: boolean,
  ): Promise<OutputHandle> => {
    const stop = new AbortController();
    try {
      return follow(containerId, sink, await connect(containerId, stop.signal), fromLog, stop);
    } catch (error) {
      stop.abort();
      throw error;
    }
  };

  return {
    attach: (containerId, sink) => open(containerId, sink, openAttach, false),
    replay: (containerId, sink) => open(containerId, sink, openLogs, true),
  };
}

/** A fault of the reader's own, to be told apart from one of the connection. */
class SinkFault extends Error {
  constructor(cause: unknown) {
    super('the sink failed', { cause });
  }
}

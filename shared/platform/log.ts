// Structured logs of a process: one JSON object a line on standard output. What is about a request, a task, an attempt or a
// worker carries `request_id`, `task_id`, `attempt`, `worker_id`.

import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './config/common.ts';
import { safeFields, safeText, safeValue } from './log-safety.ts';

export type Log = Logger;

/** @param destination standard output by default */
export function createLog(service: string, level: LogLevel, destination?: DestinationStream): Log {
  const log = pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        bindings: safeFields,
        log: safeFields,
      },
      serializers: { err: (error) => safeValue(pino.stdSerializers.err(error)) },
      hooks: { streamWrite: safeText },
    },
    destination ?? pino.destination(1),
  );
  // The formatter of bindings is asked for those of the first logger alone.
  const { child } = log;
  log.child = function (this: Log, bindings: Record<string, unknown>, options?: object) {
    return child.call(this, safeFields(bindings), options);
  } as typeof child;
  return log;
}

/** For tests that do not look at logs. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

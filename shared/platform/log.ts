// Structured logs of a process: one JSON object a line on standard output.

import { type Logger, pino } from 'pino';
import type { LogLevel } from './config/common.ts';

export type Log = Logger;

/** Values under these names never reach a log. */
const REDACTED = [
  'password',
  'token',
  'authorization',
  'secret',
  'jwtSecret',
  'jwtKeys',
  'env',
  '*.password',
  '*.token',
  '*.env',
];

export function createLog(service: string, level: LogLevel): Log {
  return pino({
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: REDACTED, censor: '********' },
  });
}

/** For tests that do not look at logs. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

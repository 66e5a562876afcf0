// Life cycle of a process: start, stop on a signal within a deadline, and say what is wrong with settings.

import { isAppError, messageOf } from '../errors.ts';
import type { Log } from './log.ts';
import { LEAVE_MS } from './shutdown.ts';

export interface Service {
  stop(): Promise<void>;
  /** Asked again while it stops: one step quicker, or as quick as it can. Where it is missing, `stop` is quick anyway. */
  hurry?(how: 'on' | 'at_once'): void;
}

export interface ServiceOptions {
  readonly name: string;
  readonly start: () => Promise<{
    service: Service;
    log: Log;
    /** After this the process ends, stopped or not. */
    stopDeadlineMs?: number;
  }>;
}

/** Exit codes of every CloudAI process: 0 stopped as asked, 1 fault, 78 wrong settings (EX_CONFIG). */
export const EXIT_FAULT = 1;
export const EXIT_BAD_CONFIG = 78;

/** Signals this close are one wish: a service manager tells all processes, and the supervisor passes its own on. */
const SAME_WISH_MS = 1_000;

/** Says something to the person who watches the supervisor; without one it goes nowhere. */
export function tellSupervisor(text: string): void {
  // A channel that closes just now is no fault of what was said; its end is handled below.
  process.send?.({ say: text }, undefined, undefined, () => undefined);
}

/** Runs until SIGTERM, SIGINT, or until the supervisor that forked it is gone. Never returns normally. */
export async function runService(options: ServiceOptions): Promise<void> {
  let running: Awaited<ReturnType<ServiceOptions['start']>>;
  const endEarly = endWhileStarting();
  try {
    running = await options.start();
  } catch (error) {
    process.stderr.write(`${options.name}: ${messageOf(error)}\n`);
    process.exit(isAppError(error, 'bad_config') ? EXIT_BAD_CONFIG : EXIT_FAULT);
  }
  endEarly.off();
  const { service, log, stopDeadlineMs = LEAVE_MS } = running;
  let stopping = false;
  const late = () => {
    log.error('did not stop in time');
    process.exit(EXIT_FAULT);
  };
  const stop = async (why: string, code: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    const deadline = setTimeout(late, stopDeadlineMs);
    try {
      await service.stop();
      clearTimeout(deadline);
      log.info('stopped');
      process.exit(code);
    } catch (error) {
      log.error({ err: error }, 'fault while stopping');
      process.exit(EXIT_FAULT);
    }
  };
  let askedAt = Number.NEGATIVE_INFINITY;
  const asked = (signal: string) => {
    const isEcho = performance.now() - askedAt < SAME_WISH_MS;
    askedAt = performance.now();
    if (isEcho) return;
    if (stopping) {
      log.info({ why: signal }, 'asked again: hurrying');
      service.hurry?.('on');
    } else void stop(signal, 0);
  };
  /** Not a moment for work that takes long. */
  const stopAtOnce = (why: string, code: number) => {
    void stop(why, code);
    setTimeout(late, LEAVE_MS).unref();
    service.hurry?.('at_once');
  };
  process.on('SIGTERM', () => asked('SIGTERM'));
  process.on('SIGINT', () => asked('SIGINT'));
  // A forked child must not outlive its supervisor, not even one that was killed with SIGKILL.
  process.once('disconnect', () => stopAtOnce('supervisor is gone', 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    stopAtOnce('uncaught exception', EXIT_FAULT);
  });
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'unhandled rejection');
    stopAtOnce('unhandled rejection', EXIT_FAULT);
  });
}

/**
 * A start may wait for hours for what is away. It ends as by kill -9, which all must bear anyway; but it ends, also as the
 * first process of a container, whose signals do nothing by themselves, and when the supervisor dies meanwhile.
 */
function endWhileStarting(): { off(): void } {
  const end = () => process.exit(0);
  const events = ['SIGTERM', 'SIGINT', 'disconnect'] as const;
  for (const event of events) process.on(event, end);
  return {
    off: () => {
      for (const event of events) process.off(event, end);
    },
  };
}

// Life cycle of a process: start, stop on a signal within a deadline, and say what is wrong with settings.

import { isAppError, messageOf } from '../errors.ts';
import type { Log } from './log.ts';

export interface Service {
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly start: () => Promise<{ service: Service; log: Log }>;
  /** After this the process ends, stopped or not. */
  readonly stopDeadlineMs?: number;
}

/** Exit codes of every CloudAI process: 0 stopped as asked, 1 fault, 78 wrong settings (EX_CONFIG). */
export const EXIT_FAULT = 1;
export const EXIT_BAD_CONFIG = 78;

/** Says something to the person who watches the supervisor; without one it goes nowhere. */
export function tellSupervisor(text: string): void {
  // A channel that closes just now is no fault of what was said; its end is handled below.
  process.send?.({ say: text }, undefined, undefined, () => undefined);
}

/** Runs until SIGTERM, SIGINT, or until the supervisor that forked it is gone. Never returns normally. */
export async function runService(options: ServiceOptions): Promise<void> {
  let running: { service: Service; log: Log };
  try {
    running = await options.start();
  } catch (error) {
    process.stderr.write(`${options.name}: ${messageOf(error)}\n`);
    process.exit(isAppError(error, 'bad_config') ? EXIT_BAD_CONFIG : EXIT_FAULT);
  }
  const { service, log } = running;
  let stopping = false;
  const stop = async (why: string, code: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    const deadline = setTimeout(() => {
      log.error('did not stop in time');
      process.exit(EXIT_FAULT);
    }, options.stopDeadlineMs ?? 15_000);
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
  process.once('SIGTERM', () => void stop('SIGTERM', 0));
  process.once('SIGINT', () => void stop('SIGINT', 0));
  // A forked child must not outlive its supervisor, not even one that was killed with SIGKILL.
  process.once('disconnect', () => void stop('supervisor is gone', 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    void stop('uncaught exception', EXIT_FAULT);
  });
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'unhandled rejection');
    void stop('unhandled rejection', EXIT_FAULT);
  });
}

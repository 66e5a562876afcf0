// Keeps the processes of a local CloudAI alive: starts them in order, restarts what dies, stops them in reverse.
// Knows nothing of what they do; a process that says its settings are wrong is not started again.

import { type BackOffPolicy, RESTART_POLICY } from './back-off.ts';
import { LogFile } from './log-file.ts';
import { type Part, type PartOptions, type PartSpec, type SupervisorEvent, startPart } from './part.ts';

export type { PartSpec, SupervisorEvent } from './part.ts';

export interface SupervisorOptions {
  readonly parts: readonly PartSpec[];
  readonly report: (event: SupervisorEvent) => void;
  readonly backOff?: BackOffPolicy;
  /** Between SIGTERM and SIGKILL; longer than a process's own limit for stopping. */
  readonly stopDeadlineMs?: number | undefined;
}

export class Supervisor {
  readonly #parts: readonly Part[];
  readonly #stopDeadlineMs: number;
  #stopping: Promise<void> | null = null;

  constructor(options: SupervisorOptions) {
    this.#stopDeadlineMs = options.stopDeadlineMs ?? 20_000;
    const common: Omit<PartOptions, 'spec' | 'log'> = {
      backOff: options.backOff ?? RESTART_POLICY,
      report: options.report,
    };
    this.#parts = options.parts.map((spec) => startPart({ ...common, spec, log: new LogFile(spec.logFile) }));
  }

  /** Ids of the processes that run now. */
  pids(): Record<string, number> {
    return Object.fromEntries(
      this.#parts.flatMap(({ name, pid }) => (pid === null ? [] : [[name, pid] as const])),
    );
  }

  /** Last lines of a process's output, oldest first. */
  tail(name: string): readonly string[] {
    return this.#parts.find((part) => part.name === name)?.tail ?? [];
  }

  /** Last first, each within the deadline and then by force. Resolves when all are gone; may be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  /** The process that is being stopped is asked once more. */
  hurry(): void {
    for (const part of this.#parts) part.hurry();
  }

  /** Ends all of them at once by force, even in the middle of `stop`. */
  killNow(): void {
    for (const part of this.#parts) part.kill();
  }

  async #stopAll(): Promise<void> {
    // None may be restarted while others are still being stopped.
    for (const part of this.#parts) part.retire();
    for (const part of [...this.#parts].reverse()) await part.stop(this.#stopDeadlineMs);
  }
}

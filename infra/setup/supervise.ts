// Starts the processes of a foreground command under the supervisor and tells the person at the terminal what becomes
// of them.

import { EXIT_BAD_CONFIG } from '../../shared/platform/service.ts';
import { type PartSpec, Supervisor, type SupervisorEvent } from '../supervisor/supervisor.ts';
import type { ForegroundRun } from './foreground.ts';
import { stopped } from './readiness.ts';

/** Stopped with everything else that the command owns. */
export function supervise(run: ForegroundRun<unknown>, parts: readonly PartSpec[]): Supervisor {
  const { progress, owned, stop } = run;
  if (stop.isWanted) throw stopped();
  const dead = new Set<string>();
  const report = (event: SupervisorEvent) => {
    // The first start of each is not worth a line.
    if (event.kind !== 'started' || dead.delete(event.name)) progress.line(eventLine(event));
    if (event.kind === 'died') dead.add(event.name);
    if (event.kind === 'wrong_settings') {
      run.exitCode = EXIT_BAD_CONFIG;
      stop.ask(`${event.name} refuses its settings`);
    }
  };
  const supervisor = new Supervisor({ parts, report });
  run.hurry = () => supervisor.hurry();
  run.killNow = () => supervisor.killNow();
  owned.add('CloudAI', () => supervisor.stop());
  return supervisor;
}

function eventLine(event: SupervisorEvent): string {
  if (event.kind === 'started') return `  ${clock()} ${event.name} runs again (process ${event.pid})`;
  if (event.kind === 'said') return `  ${clock()} ${event.name}: ${event.text}`;
  // Log lines are JSON; what a process says to a person is not.
  const said = event.output.filter((line) => line.trim() !== '' && !line.startsWith('{'));
  if (event.kind === 'wrong_settings') return `✗ ${said.slice(-12).join('\n')}`;
  const { name, how, restartInMs, logFile } = event;
  const last = said.at(-1);
  return (
    `! ${clock()} ${name} ended (${how}); it starts again in ${restartInMs / 1_000} s. Log: ${logFile}` +
    (last === undefined ? '' : `\n    ${last.slice(0, 400)}`)
  );
}

/** Time of day. */
export function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

// What a runner was asked to do on its command line. Reads nothing else.

import { parseArgs } from 'node:util';
import { AppError, messageOf } from '../../shared/errors.ts';

export interface RunnerArguments {
  /** Without settings of a cluster: wait to be given them. */
  readonly wait: boolean;
  /** Drop the settings that were given before. */
  readonly forget: boolean;
  /** Instead of RUNNER_LISTEN; null when it is not said. */
  readonly listen: string | null;
  /** Take the networks of tasks and their rules off this machine, and nothing else. */
  readonly removeNetworks: boolean;
}

export const RUNNER_USAGE = `node dist/runner/main.js [options]

Runs tasks on this machine. Without options the environment says which cluster it belongs to (STORE_URL, REDIS_URL).

  --wait                  wait until an admin adds this machine: cloudai register <worker id> <this machine>:50052
                          (needs CLUSTER_TOKEN or CLUSTER_TOKEN_FILE; a machine that was added stays so)
  --listen <host>:<port>  where to wait (default: RUNNER_LISTEN, or 0.0.0.0:50052)
  --forget                wait anew, although this machine was added before
  --remove-networks       take the networks made for tasks, and their firewall rules, off this machine, and end;
                          stop its runners first
  --help                  this text

All settings: docs/DOCUMENTATION.md`;

/** Null when help is asked for. @throws AppError `bad_config` that names what is wrong */
export function readRunnerArguments(args: readonly string[]): RunnerArguments | null {
  const { values } = parse(args);
  if (values.help) return null;
  const { wait = false, forget = false, listen = null } = values;
  const removeNetworks = values['remove-networks'] ?? false;
  if (!wait && (forget || listen !== null)) {
    throw new AppError(
      'bad_config',
      `${forget ? '--forget' : '--listen'} goes with --wait\n\n${RUNNER_USAGE}`,
    );
  }
  if (removeNetworks && wait) {
    throw new AppError('bad_config', `--remove-networks goes alone\n\n${RUNNER_USAGE}`);
  }
  return { wait, forget, listen, removeNetworks };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        wait: { type: 'boolean' },
        forget: { type: 'boolean' },
        listen: { type: 'string' },
        'remove-networks': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    throw new AppError('bad_config', `${messageOf(cause)}\n\n${RUNNER_USAGE}`, { cause });
  }
}

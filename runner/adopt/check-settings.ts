// All that can be said against the settings of a cluster, for the admin who registers this machine. Names hosts, ports
// and paths, never passwords.

import type { ClusterSettings } from '../../shared/contracts/adoption.ts';
import { isAppError } from '../../shared/errors.ts';
import type { Environment } from '../../shared/platform/config/reading.ts';
import { loadRunnerConfig, type RunnerConfig } from '../../shared/platform/config/runner.ts';
import { boundToTheirMachine, isFromHere, memberEnvironment, placeOf } from './cluster-settings.ts';
import { missingHere } from './local-paths.ts';

export interface SettingsCheck {
  readonly env: Environment;
  readonly ownAddresses: readonly string[];
  /** What does not work with store and Redis, in words; null when it does. */
  tryCluster(config: RunnerConfig): Promise<{ readonly store: string | null; readonly redis: string | null }>;
}

export async function settingsFaults(
  settings: ClusterSettings,
  caller: string,
  { env, ownAddresses, tryCluster }: SettingsCheck,
): Promise<readonly string[]> {
  const bound = isFromHere(caller, ownAddresses) ? [] : boundToTheirMachine(settings);
  if (bound.length > 0)
    return [...bound, 'give the cluster a store and a Redis that other machines can reach'];
  const config = readConfig(memberEnvironment(env, settings));
  if (Array.isArray(config)) return config;
  const missing = await missingHere(settings);
  if (missing.length > 0) return missing;
  const { store, redis } = await tryCluster(config);
  return [
    ...(store === null ? [] : [`the store at ${placeOf(settings.STORE_URL)}: ${store}`]),
    ...(redis === null ? [] : [`Redis at ${placeOf(settings.REDIS_URL)}: ${redis}`]),
  ];
}

function readConfig(env: Environment): RunnerConfig | string[] {
  try {
    return loadRunnerConfig(env);
  } catch (error) {
    if (!isAppError(error, 'bad_config')) throw error;
    return error.details.map(({ field, message }) => `${field} ${message}`);
  }
}

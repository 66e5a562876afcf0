// Folders of this machine for containers, looked at on its disk: links are followed before anything is judged, so that none
// leads out of what tasks may mount. Refuses whatever it does not know for sure; changes nothing.

import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { AppError } from '../../errors.ts';
import { forbiddenBy, type Mount, type MountRule, mountRefusal } from '../../model/mounts.ts';

export interface HostMounts {
  /**
   * The same mounts with the folders that the links in their sources lead to.
   * @throws AppError `container_start_failed` in words for whoever owns the task: another try would end alike
   */
  resolve(mounts: readonly Mount[]): Promise<readonly Mount[]>;
  /**
   * Of such that were resolved before: the engine follows links anew, and whoever may write beside a folder could put one in
   * its place meanwhile.
   * @throws AppError `container_start_failed`
   */
  confirm(resolved: readonly Mount[]): Promise<void>;
}

/**
 * @param rules of MOUNT_ALLOW; none where the engine is on another machine
 * @param never besides what is never mounted anywhere: the engine's socket
 */
export function createHostMounts(rules: readonly MountRule[], never: readonly string[]): HostMounts {
  const resolveOne = async (mount: Mount): Promise<Mount> => {
    const refusal = mountRefusal(mount, rules);
    if (refusal !== null) throw refuse(`${refusal} (MOUNT_ALLOW of its runner)`);
    return follow(mount);
  };

  const follow = async (mount: Mount): Promise<Mount> => {
    const { source } = mount;
    const real = await realpath(source).catch((error) => {
      throw unreadable(source, error);
    });
    const found: Stats = await stat(real).catch((error) => {
      throw unreadable(source, error);
    });
    if (!found.isDirectory()) throw refuse(`has something else than a folder at ${source}`);
    const realRules = await Promise.all(rules.map(realRule));
    const kept = forbiddenBy(real) ?? forbiddenBy(real, never);
    if (kept !== undefined || mountRefusal({ ...mount, source: real }, realRules) !== null)
      throw refuse(`has a link at ${source} that leads out of what may be mounted so`);
    return { ...mount, source: real };
  };

  return {
    resolve: (mounts) => Promise.all(mounts.map(resolveOne)),
    confirm: async (resolved) => {
      const now = await Promise.all(resolved.map(follow));
      if (now.some(({ source }, at) => source !== resolved[at]?.source))
        throw refuse('had a folder exchanged for a link');
    },
  };
}

/** The folder of a rule may be a link itself: its admin made it. */
async function realRule(rule: MountRule): Promise<MountRule> {
  return { ...rule, path: await realpath(rule.path).catch(() => rule.path) };
}

function refuse(why: string): AppError {
  return new AppError('container_start_failed', `its worker ${why}`);
}

function unreadable(source: string, cause: NodeJS.ErrnoException): AppError {
  const isMissing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
  const why = isMissing
    ? `has no folder ${source}`
    : `cannot look at the folder ${source} (${cause.code ?? cause.message})`;
  return new AppError('container_start_failed', `its worker ${why}`, { cause });
}

// The control group file systems that containers need. Normally the init system mounts them; in bare containers
// and small VMs nobody has. Only decides what is missing (pure); docker-daemon.ts mounts it.

export interface MountCommand {
  /** Folder to make first. */
  readonly folder: string;
  /** Arguments of `mount`. */
  readonly args: readonly string[];
}

const ROOT = '/sys/fs/cgroup';

/**
 * @param mounts `/proc/mounts`
 * @param controllers `/proc/cgroups`: "#subsys_name hierarchy num_cgroups enabled"
 * @param fileSystems `/proc/filesystems`
 * @returns nothing to do when any control group is mounted already, whoever mounted it.
 */
export function missingCgroupMounts(
  mounts: string,
  controllers: string,
  fileSystems: string,
): MountCommand[] {
  const mounted = mounts.split('\n').map((line) => line.split(' ')[2]);
  if (mounted.includes('cgroup') || mounted.includes('cgroup2')) return [];
  const known = controllers
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/))
    .filter(([, , , enabled]) => enabled === '1');
  // A controller that belongs to a version 1 hierarchy elsewhere cannot be had through version 2.
  const takenByVersion1 = known.some(([, hierarchy]) => hierarchy !== '0');
  const hasVersion2 = /\bcgroup2$/m.test(fileSystems);
  if (hasVersion2 && !takenByVersion1) {
    return [{ folder: ROOT, args: ['-t', 'cgroup2', 'cgroup2', ROOT] }];
  }
  return [
    { folder: ROOT, args: ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', ROOT] },
    ...known.map(([name]) => ({
      folder: `${ROOT}/${name}`,
      args: ['-t', 'cgroup', '-o', String(name), 'cgroup', `${ROOT}/${name}`],
    })),
  ];
}

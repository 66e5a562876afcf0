import { describe, expect, it } from 'vitest';
import { missingCgroupMounts } from './cgroups.ts';

const HEAD = '#subsys_name\thierarchy\tnum_cgroups\tenabled\n';
const FREE = `${HEAD}cpu\t0\t1\t1\nmemory\t0\t1\t1\n`;
const TAKEN = `${HEAD}cpu\t2\t9\t1\nmemory\t3\t9\t1\ndebug\t0\t1\t0\n`;
const BOTH = 'nodev\ttmpfs\nnodev\tcgroup\nnodev\tcgroup2\n\text4\n';

describe('missing control group mounts', () => {
  it.each([
    'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0',
    'tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0',
  ])('are none where something is mounted', (mounts) => {
    expect(missingCgroupMounts(mounts, FREE, BOTH)).toEqual([]);
  });

  it('are one of version 2 where the kernel has it and nobody uses version 1', () => {
    expect(missingCgroupMounts('proc /proc proc rw 0 0', FREE, BOTH)).toEqual([
      { folder: '/sys/fs/cgroup', args: ['-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup'] },
    ]);
  });

  it.each([
    ['version 1 is in use', TAKEN, BOTH],
    ['the kernel has no version 2', FREE, 'nodev\ttmpfs\nnodev\tcgroup\n'],
  ])('are one for each enabled controller of version 1 where %s', (_what, controllers, fileSystems) => {
    expect(missingCgroupMounts('', controllers, fileSystems).map(({ args }) => args.join(' '))).toEqual([
      '-t tmpfs -o mode=755 tmpfs /sys/fs/cgroup',
      '-t cgroup -o cpu cgroup /sys/fs/cgroup/cpu',
      '-t cgroup -o memory cgroup /sys/fs/cgroup/memory',
    ]);
  });
});

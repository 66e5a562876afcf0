import { describe, expect, it } from 'vitest';
import { mountableWords, mountFaults, mountsOf, NEW_MOUNT } from './mount-rows.ts';

describe('folders of the worker in the form', () => {
  it('are sent without what nobody has filled in', () => {
    const whole = { source: ' /data ', target: '/d ', read_only: false };
    expect(mountsOf([NEW_MOUNT, whole])).toEqual([{ source: '/data', target: '/d', read_only: false }]);
  });

  it('say which half of a row is missing', () => {
    const row = (source: string, target: string) => ({ source, target, read_only: true });
    expect(mountFaults([row('/a', '/b'), row('/a', ' '), NEW_MOUNT, row('', '/b')])).toEqual([
      { field: 'mounts.1', message: 'Say where it is to be in the container' },
      { field: 'mounts.3', message: 'Say which folder of the worker' },
    ]);
  });

  it('are named as the workers have them', () => {
    const rule = (path: string, read_only = false) => ({ path, read_only });
    expect(mountableWords([])).toBe('No worker lets folders of its own be mounted.');
    expect(mountableWords([{ mounts: [rule('/b', true)] }, { mounts: [rule('/a'), rule('/b', true)] }])).toBe(
      'There are: /a, /b (read-only).',
    );
    const many = ['/a', '/b', '/c', '/d', '/e', '/f'].map((path) => rule(path));
    expect(mountableWords([{ mounts: many }])).toBe('There are: /a, /b, /c, /d and 2 more.');
  });
});

import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeTerms, labelFor, meetsTerms } from './labels.ts';
import {
  demandOf,
  forbiddenBy,
  isWithin,
  type Mount,
  type MountRule,
  mountPathFault,
  mountRefusal,
  mountTargetFault,
  placingLabels,
  targetClash,
  withoutMounts,
} from './mounts.ts';

const NO_LABELS = { constraints: {}, prefer: {} };

describe('a path', () => {
  it.each(['/data', '/data/Bilder 2024/ü', '/srv/a-b_c.d+e@f%g#h~i'])('may be %s', (path) => {
    expect(mountPathFault(path)).toBeNull();
  });

  it.each([
    '',
    '/',
    'data',
    '/data/',
    '//data',
    '/a//b',
    '/a/../b',
    '/a/.',
    '/a:b',
    '/a,b',
    '/a=b',
    '/a\nb',
    '/a\\b',
  ])('may not be %j', (path) => {
    expect(mountPathFault(path)).not.toBeNull();
  });

  it('that passes has one spelling', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('a', '.', '..', '', 'b c'));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const path = `/${parts.join('/')}`;
        if (mountPathFault(path) !== null) return;
        expect(posix.normalize(path)).toBe(path);
        expect(posix.resolve('/', path)).toBe(path);
      }),
    );
  });
});

describe('where it may be in the container', () => {
  it('is anywhere but where the platform and the kernel put things', () => {
    expect(['/data', '/outputs', '/procedures', '/home/me/data'].map(mountTargetFault)).toEqual([
      null,
      null,
      null,
      null,
    ]);
    for (const target of ['/', '/output', '/output/x', '/input', '/proc/1', '/sys', '/dev/shm', 'data'])
      expect(mountTargetFault(target), target).not.toBeNull();
  });

  it('is one place each', () => {
    const at = (...targets: string[]) => targetClash(targets.map((target) => ({ target })));
    expect(at('/a', '/b', '/ab')).toBeNull();
    expect(at('/a', '/b', '/a')).toEqual(['/a', '/a']);
    expect(at('/a/b', '/c', '/a')).toEqual(['/a/b', '/a']);
  });
});

describe('what is never mounted', () => {
  it.each([
    ['/proc', '/proc'],
    ['/sys/fs', '/sys'],
    ['/run/docker.sock', '/run'],
    ['/var/run', '/var/run'],
    ['/var', '/var/run'],
    ['/var/lib/docker/volumes', '/var/lib/docker'],
    ['/', '/proc'],
    ['/running', undefined],
    ['/var/data', undefined],
  ])('%s: %s', (path, never) => {
    expect(forbiddenBy(path)).toBe(never);
  });
});

const RULES: readonly MountRule[] = [
  { path: '/data', readOnly: true },
  { path: '/data/runs', readOnly: false },
  { path: '/sets', readOnly: false },
];
const mount = (source: string, readOnly = true): Mount => ({ source, target: '/t', readOnly });

describe('the rules of a worker', () => {
  it('decide by the nearest folder', () => {
    expect(mountRefusal(mount('/data/x'), RULES)).toBeNull();
    expect(mountRefusal(mount('/data/x', false), RULES)).toBe('lets /data/x be mounted only read-only');
    expect(mountRefusal(mount('/data/runs/x', false), RULES)).toBeNull();
    expect(mountRefusal(mount('/dat'), RULES)).toBe('does not let /dat be mounted');
    expect(mountRefusal(mount('/datax'), RULES)).toBe('does not let /datax be mounted');
  });

  it('are what placing goes by, whatever is asked', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 3 })
      .map((p) => `/${p.join('/')}`);
    const rules = fc.uniqueArray(fc.record({ path, readOnly: fc.boolean() }), {
      selector: (rule) => rule.path,
    });
    const mounts = fc.array(fc.record({ source: path, readOnly: fc.boolean() }), { maxLength: 3 });
    fc.assert(
      fc.property(rules, mounts, (has, asked) => {
        const wanted = asked.map((one) => ({ ...one, target: '/t' }));
        const { constraints } = demandOf({ ...NO_LABELS, mounts: wanted });
        const labels = placingLabels({ labels: {}, mounts: has });
        expect(meetsTerms(constraints, labels)).toBe(wanted.every((one) => mountRefusal(one, has) === null));
      }),
    );
  });
});

describe('terms about folders', () => {
  it('stand among those about labels, and are told in words', () => {
    const mounts = [mount('/sets'), mount('/data', false), mount('/data')];
    const demand = demandOf({ constraints: { disk: ['ssd'] }, prefer: {}, mounts });
    expect(describeTerms(demand.constraints)).toBe(
      'disk=ssd, leave to mount /data for writing, leave to mount /sets',
    );
    expect(withoutMounts(demand.constraints)).toEqual({ disk: ['ssd'] });
  });

  it('are none for a task without mounts', () => {
    const spec = { constraints: { disk: ['ssd'] }, prefer: {}, mounts: [] };
    expect(demandOf(spec)).toBe(spec);
    expect(withoutMounts(spec.constraints)).toBe(spec.constraints);
    const labels = { disk: 'ssd' };
    expect(placingLabels({ labels })).toBe(labels);
  });

  it('never read what every object has', () => {
    expect(labelFor('mount:/constructor', {})).toBeUndefined();
    expect(isWithin('/a', '/a')).toBe(true);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { SUBMIT_DEFAULTS } from '../../../shared/contracts/submit-defaults.ts';
import { MOST_PRESETS, presetsKey, readPresets, withoutPreset, withPreset, writePresets } from './presets.ts';

const body = (over = {}) => ({ ...SUBMIT_DEFAULTS, docker_image: 'a', ...over });

let kept: Map<string, string>;
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
};
beforeEach(() => {
  kept = new Map();
});

describe('presets', () => {
  it('are kept for each user, in order of name, one for each name', () => {
    let presets = withPreset([], ' train ', body({ cpu_required: 2 }));
    presets = withPreset(presets, 'eval', body());
    presets = withPreset(presets, 'train', body({ cpu_required: 4 }));
    expect(writePresets(storage, 'alice', presets)).toBe(true);
    expect(readPresets(storage, 'alice')).toEqual([
      { name: 'eval', request: { docker_image: 'a' } },
      { name: 'train', request: { docker_image: 'a', cpu_required: 4 } },
    ]);
    expect(readPresets(storage, 'bob')).toEqual([]);
    expect(withoutPreset(presets, 'eval').map(({ name }) => name)).toEqual(['train']);
  });

  it('never hold the value of a secret', () => {
    const env = { KEY: 'hunter2', B: '1' };
    writePresets(storage, 'alice', withPreset([], 'x', body({ env, secrets: ['KEY'] })));
    expect([...kept.values()].join()).not.toContain('hunter2');
    expect(readPresets(storage, 'alice')[0]?.request).toMatchObject({ env: { B: '1' }, secrets: ['KEY'] });
  });

  it.each([
    'no json',
    'null',
    '7',
    '{"version":2,"presets":[{"name":"a","request":{"docker_image":"a"}}]}',
    '{"version":1,"presets":{}}',
    '{"version":1,"presets":[null,{"name":""},{"name":"x","request":[]},{"request":{}}]}',
  ])('that cannot be read are not there: %s', (text) => {
    kept.set(presetsKey('alice'), text);
    expect(readPresets(storage, 'alice')).toEqual([]);
  });

  it('are bounded in number and size', () => {
    const full = Array.from({ length: MOST_PRESETS }, (_, n) => ({
      name: `p${n}`,
      request: { docker_image: 'a' },
    }));
    expect(() => withPreset(full, 'one more', body())).toThrow('delete one first');
    expect(withPreset(full, 'p7', body({ name: 'new' }))).toHaveLength(MOST_PRESETS);
    expect(() => withPreset([], 'big', body({ command: 'x'.repeat(600_000) }))).toThrow('too long');
  });

  it('say when the browser keeps nothing', () => {
    const full = {
      ...storage,
      setItem: () => {
        throw new Error('QuotaExceededError');
      },
    };
    expect(writePresets(full, 'alice', [])).toBe(false);
  });
});

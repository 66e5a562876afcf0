import { describe, expect, it } from 'vitest';
import { BusiestTags } from './busiest-tags.ts';

describe('the tags with series of their own', () => {
  it('are the first ones until there are enough; the rest share one', () => {
    const tags = new BusiestTags([], 2);
    expect(['a', '', 'c', 'a'].map((tag) => tags.observe(tag).name)).toEqual(['a', 'none', 'other', 'a']);
  });

  it('one that is busier for a while takes the place of the least busy, which is told', () => {
    const tags = new BusiestTags([], 2);
    for (let n = 0; n < 5; n += 1) tags.observe('busy');
    tags.observe('rare');
    const told = Array.from({ length: 30 }, () => tags.observe('new'));
    expect(told[0]).toEqual({ name: 'other', dropped: null });
    expect(told.filter(({ dropped }) => dropped !== null)).toEqual([{ name: 'new', dropped: 'rare' }]);
    expect(tags.observe('busy').name).toBe('busy');
    expect(tags.observe('rare').name).toBe('other');
  });

  it('a new tag for each task leaves them as they are', () => {
    const tags = new BusiestTags(['other', 'a', 'b'], 2);
    const names = Array.from({ length: 20_000 }, (_, n) => tags.observe(`t${n}`).name);
    expect(new Set(names)).toEqual(new Set(['other']));
    expect(tags.observe('a').name).toBe('a');
  });
});

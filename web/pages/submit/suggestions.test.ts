import { describe, expect, it } from 'vitest';
import { matchingOptions } from './combo-options.ts';
import { imageNote, imageOptions, tagOptions } from './suggestions.ts';

const images = [
  { image: 'python:3.9', size_bytes: 1_048_576, workers: ['w1', 'w2', 'w3'], worker_count: 5 },
  { image: 'alpine:latest', size_bytes: null, workers: ['w1'], worker_count: 1 },
];
const used = ['team/app:2', 'alpine', 'team/app:2'].map((docker_image) => ({ docker_image, tag: '' }));

describe('suggestions', () => {
  it('are the images used before, then those that are there', () => {
    expect(imageOptions(images, used)).toEqual([
      { value: 'team/app:2', hint: 'used 2 times · not on a worker yet' },
      { value: 'alpine', hint: 'used once · on w1' },
      { value: 'python:3.9', hint: 'on 5 workers · 1 MB' },
    ]);
  });

  it('say where the image is that was typed', () => {
    expect(imageNote('docker.io/library/python:3.9', images)).toBe('Present on w1, w2, w3 and 2 more.');
    expect(imageNote('alpine', images)).toBe('Present on w1.');
    expect(imageNote('nginx', images)).toContain('On no worker yet');
    expect(imageNote('nginx', null)).toBe('');
    expect(imageNote(' ', images)).toBe('');
  });

  it('are the tags, the most used first', () => {
    const tags = ['a', '', 'b', 'b'].map((tag) => ({ tag, docker_image: 'x' }));
    expect(tagOptions(tags).map(({ value }) => value)).toEqual(['b', 'a']);
  });

  it('are narrowed by what is typed', () => {
    const options = ['alpine', 'team/alpine', 'python'].map((value) => ({ value, hint: '' }));
    const shown = (typed: string) => matchingOptions(options, typed).map(({ value }) => value);
    expect(shown('ALP')).toEqual(['alpine', 'team/alpine']);
    expect(shown('')).toHaveLength(3);
    expect(shown('x')).toEqual([]);
  });
});

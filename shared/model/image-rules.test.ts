import { describe, expect, it } from 'vitest';
import { imageRule } from './image-rules.ts';

describe('image rules', () => {
  it('without any allow every image', () => {
    expect(imageRule([])('whatever/it:is')).toBe(true);
  });

  it.each<[string, string, boolean]>([
    ['python:*', 'python:3.9', true],
    ['python:*', 'python', true],
    ['python:*', 'python@sha256:00', false],
    ['python:*', 'xpython:3', false],
    ['python:*', 'team/python:3', false],
    ['python', 'python', true],
    ['python', 'python:3', false],
    ['python:latest', 'python', true],
    ['registry.example.com/*', 'registry.example.com/a/b:1', true],
    ['registry.example.com/*', 'registryXexample.com/a', false],
    ['registry.example.com:5000/a', 'registry.example.com:5000/a', true],
    ['registry.example.com:5000/a:latest', 'registry.example.com:5000/a', true],
    ['*', 'anything/at:all', true],
    ['a+(b', 'a+(b', true],
  ])('%s for %s: %s', (pattern, image, allowed) => {
    expect(imageRule([pattern])(image)).toBe(allowed);
  });

  it('take an image that any of them allows', () => {
    const allowed = imageRule(['a:*', 'b:1']);
    expect(['a:2', 'b:1', 'b:2'].map(allowed)).toEqual([true, true, false]);
  });
});

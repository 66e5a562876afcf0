import { describe, expect, it } from 'vitest';
import { familiarImage } from './image.ts';

describe('the name of an image', () => {
  it.each([
    ['python', 'python:latest'],
    ['python:3.9', 'python:3.9'],
    ['docker.io/library/python', 'python:latest'],
    ['index.docker.io/team/app:2', 'team/app:2'],
    ['library/python', 'python:latest'],
    ['library/team/app', 'library/team/app:latest'],
    ['registry.example.com:5000/team/app', 'registry.example.com:5000/team/app:latest'],
    ['registry.example.com:5000/team/app:1', 'registry.example.com:5000/team/app:1'],
    [`app@sha256:${'a'.repeat(64)}`, `app@sha256:${'a'.repeat(64)}`],
    ['', ''],
  ])('%s is %s', (given, familiar) => {
    expect(familiarImage(given)).toBe(familiar);
    expect(familiarImage(familiar)).toBe(familiar);
  });
});

import { describe, expect, it } from 'vitest';
import { readImage, readScript } from './script.ts';

const image = 'any';

describe('a script', () => {
  it('is read from a text', () => {
    expect(readScript('print a  b; sleep 50\nexit 3', image)).toEqual({
      startError: null,
      steps: [
        { kind: 'write', stream: 'stdout', bytes: Buffer.from('a  b\n') },
        { kind: 'sleep', ms: 50 },
        { kind: 'exit', exitCode: 3 },
      ],
    });
  });

  it('is one step when it is a list', () => {
    expect(readScript(['echo', 'a;', 'b'], image).steps).toEqual([
      { kind: 'write', stream: 'stdout', bytes: Buffer.from('a; b\n') },
    ]);
  });

  it('fails at the start for an unknown program, at the run for an unknown word', () => {
    expect(readScript(['/no/such'], image).startError).toContain('/no/such');
    expect(readScript('nope', image)).toMatchObject({
      startError: null,
      steps: [
        { stream: 'stderr', bytes: Buffer.from('nope: not found\n') },
        { kind: 'exit', exitCode: 127 },
      ],
    });
    expect(readScript('start-error no luck', image).startError).toBe('no luck');
  });

  it('comes from the name of the image when there is no command', () => {
    expect(readScript(null, 'ubuntu:latest').steps).toEqual([]);
    expect(readScript(null, 'scripted:print.hi_exit.3').steps).toMatchObject([
      { bytes: Buffer.from('hi\n') },
      { kind: 'exit', exitCode: 3 },
    ]);
  });

  it('ends on SIGTERM at once, later, with last words, or not at all', () => {
    expect(readScript('on-term 3; on-term 0 500; on-term 1 0 good bye; ignore-term', image).steps).toEqual([
      { kind: 'on-term', end: { exitCode: 3, afterMs: 0, lastWords: null } },
      { kind: 'on-term', end: { exitCode: 0, afterMs: 500, lastWords: null } },
      { kind: 'on-term', end: { exitCode: 1, afterMs: 0, lastWords: 'good bye' } },
      { kind: 'on-term', end: null },
    ]);
  });

  it('leaves files, under names that may hold anything', () => {
    const left = readScript(
      'file a%20b/c%3B.txt some  text; file-bytes b AAH/; file-size c 70000; symlink d ../e; hardlink f a%20b; file %zz x',
      image,
    ).steps;
    expect(left).toMatchObject([
      { kind: 'leave', left: { path: 'a b/c;.txt', type: 'file', bytes: Buffer.from('some  text') } },
      { kind: 'leave', left: { path: 'b', bytes: Buffer.from([0, 1, 255]), sizeBytes: 3 } },
      { kind: 'leave', left: { path: 'c', bytes: null, sizeBytes: 70_000 } },
      { kind: 'leave', left: { path: 'd', type: 'symlink', target: null } },
      { kind: 'leave', left: { path: 'f', type: 'hardlink', target: 'a b' } },
      { kind: 'leave', left: { path: '%zz' } },
    ]);
    expect(readScript('folder x; fifo y; cat-input in/a; usage 250 64', image).steps).toMatchObject([
      { left: { path: 'x', type: 'directory' } },
      { left: { path: 'y', type: 'other' } },
      { kind: 'cat-input', path: 'in/a' },
      { kind: 'usage', cpuMillis: 250, memoryMb: 64 },
    ]);
  });

  it('knows images by name', () => {
    expect(readImage('ubuntu')).toEqual({ kind: 'there' });
    expect(readImage('x/missing:1')).toEqual({ kind: 'missing' });
    expect(readImage('broken')).toEqual({ kind: 'broken' });
    expect(readImage('slow-200')).toEqual({ kind: 'slow', ms: 200 });
  });
});

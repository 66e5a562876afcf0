import { describe, expect, it } from 'vitest';
import { parseRequest, readRequest, requestOfQuery } from './read-request.ts';

const ofAddress = (query: string) => requestOfQuery(new URLSearchParams(query));

describe('a task from outside', () => {
  it('is taken with its known fields, and what is left out is named', () => {
    const read = readRequest({
      docker_image: 'a',
      command: ['x', ''],
      cpu_required: '2',
      colour: 'red',
      webhook: { url: 'https://a', events: ['completed'] },
      secrets: ['A', 'B'],
      env: { A: '1' },
      priority: Number.NaN,
      network: 'host',
    });
    expect(read?.request).toEqual({
      docker_image: 'a',
      command: ['x', ''],
      webhook: { url: 'https://a', events: ['completed'] },
      secrets: ['A'],
      env: { A: '1' },
    });
    expect(read?.faults).toEqual([
      '"cpu_required" is not of the right kind',
      '"colour" is not a field of a task',
      '"priority" is not of the right kind',
      '"network" is not of the right kind',
    ]);
  });

  it('may be a record of the API', () => {
    const record = { task_id: 'task-1', attempts: [], status: 'queued', kept_until: null };
    expect(readRequest({ docker_image: 'a', ...record })).toEqual({
      request: { docker_image: 'a' },
      faults: [],
    });
  });

  it.each(['', '{', '[]', 'null', '"a"', '{"__proto__":'])('is no task: %j', (text) => {
    expect(() => parseRequest(text)).toThrow(/JSON|object/);
  });

  it('does not fall for names that every object has', () => {
    expect(
      readRequest(JSON.parse('{"docker_image":"a","constructor":1,"__proto__":{"x":1}}'))?.faults,
    ).toHaveLength(2);
  });
});

describe('an address', () => {
  it('says fields by their names', () => {
    expect(
      ofAddress('image=python:3.9&command=echo+hi&cpu_required=2.5&env=A%3D1&env=B%3Dx%3Dy&file=a&file=b')
        ?.request,
    ).toEqual({
      docker_image: 'python:3.9',
      command: 'echo hi',
      cpu_required: 2.5,
      env: { A: '1', B: 'x=y' },
      files: ['a', 'b'],
    });
    expect(ofAddress('mount=/sets:/data:ro&mount=/w:/w')?.request.mounts).toEqual([
      { source: '/sets', target: '/data', read_only: true },
      { source: '/w', target: '/w', read_only: false },
    ]);
    expect(ofAddress('mount=/sets')?.faults).toEqual(['"mounts" is not of the right kind']);
    expect(ofAddress('arg=echo&arg=a+b')?.request.command).toEqual(['echo', 'a b']);
  });

  it('says labels as the command line does', () => {
    const request = ofAddress('constraint=disk%3Dssd,nvme&constraint=gpu%3Da100&prefer=zone%3Da')?.request;
    expect(request).toMatchObject({
      constraints: { disk: ['ssd', 'nvme'], gpu: ['a100'] },
      prefer: { zone: ['a'] },
    });
    expect(
      readRequest({ docker_image: 'a', constraints: { disk: [] }, prefer: { a: 1 } })?.faults,
    ).toHaveLength(2);
  });

  it('says what is wrong with it', () => {
    expect(ofAddress('cpu_required=two')?.faults).toEqual(['"cpu_required" is not of the right kind']);
    expect(ofAddress('memory_required=')?.faults).toHaveLength(1);
  });

  it('may say nothing', () => {
    expect(ofAddress('')).toBeNull();
    expect(ofAddress('from=task-1')).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import { submitSchema } from '../../../shared/contracts/schemas.ts';
import { hiddenSecrets, SPEC_DEFAULTS, specOf } from './task-spec.ts';

const task = { ...SPEC_DEFAULTS, docker_image: 'a:1', task_id: 'task-1', status: 'queued' } as TaskBody;

describe('a spec', () => {
  it('leaves out what the API fills in by itself, and nothing else', () => {
    const { value } = submitSchema.validate({ docker_image: 'a:1' });
    expect(value).toEqual({ docker_image: 'a:1', ...SPEC_DEFAULTS });
    expect(specOf(task, { whole: false })).toEqual({ docker_image: 'a:1' });
    expect(specOf(task, { whole: true })).toEqual(value);
    const other = { ...task, env: { A: 'b' }, command: ['x'], priority: 0 } as TaskBody;
    expect(specOf(other, { whole: false })).toEqual({
      docker_image: 'a:1',
      env: { A: 'b' },
      command: ['x'],
      priority: 0,
    });
  });

  it('says which values are hidden', () => {
    expect(hiddenSecrets({ env: { A: '********', B: 'x', C: '********' }, secrets: ['A', 'B'] })).toEqual([
      'A',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { submitSchema } from '../../shared/contracts/schemas.ts';
import { SUBMIT_DEFAULTS } from '../../shared/contracts/submit-defaults.ts';
import { briefRequest, hiddenSecrets, wholeRequest } from './task-request.ts';

const task = { ...SUBMIT_DEFAULTS, docker_image: 'a:1', task_id: 'task-1', status: 'queued' } as TaskBody;

describe('a spec', () => {
  it('leaves out what the API fills in by itself, and nothing else', () => {
    const { value } = submitSchema.validate({ docker_image: 'a:1' });
    expect(value).toEqual({ docker_image: 'a:1', ...SUBMIT_DEFAULTS });
    expect(briefRequest(wholeRequest(task))).toEqual({ docker_image: 'a:1' });
    expect(wholeRequest(task)).toEqual(value);
    const other = { ...task, env: { A: 'b' }, command: ['x'], priority: 0 } as TaskBody;
    expect(briefRequest(wholeRequest(other))).toEqual({
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

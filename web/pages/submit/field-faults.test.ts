import { describe, expect, it } from 'vitest';
import { faultsAfter, faultsAt, faultsElsewhere, ofOneTask } from './field-faults.ts';
import { foldsOf, foldsWith, placingWords } from './folds.ts';
import { EMPTY_FORM } from './form-state.ts';

const fault = (field: string) => ({ field, message: `"${field}" is wrong` });
const faults = ['docker_image', 'command[2]', 'env.A', 'webhook.url', 'files.1', 'quota'].map(fault);

describe('faults', () => {
  it('stand at their fields, also those of parts', () => {
    expect(faultsAt(faults, 'command')).toEqual(['"command[2]" is wrong']);
    expect(faultsAt(faults, 'env', 'webhook')).toHaveLength(2);
    expect(faultsAt(faults, 'env.B')).toEqual([]);
    expect(faultsElsewhere(faults)).toEqual(['"quota" is wrong']);
  });

  it('go when their field is changed, and no others', () => {
    expect(faultsAfter(faults, { words: [] }).map(({ field }) => field)).not.toContain('command[2]');
    expect(faultsAfter(faults, { words: [] })).toHaveLength(5);
    expect(faultsAfter(faults, { env: [], image: '' })).toHaveLength(4);
  });

  it('of many copies are told once', () => {
    const many = ['tasks[0].env.A', 'tasks[1].env.A', 'tasks.0.files.1', 'tasks[2].files.1', 'tasks'].map(
      fault,
    );
    expect(ofOneTask(many)).toEqual([fault('env.A'), fault('files.1'), fault('tasks')]);
  });
});

describe('groups', () => {
  it('are unfolded for what is not as usual, and for faults', () => {
    expect([...foldsOf(EMPTY_FORM)]).toEqual([]);
    expect([...foldsOf({ ...EMPTY_FORM, retries: '2', files: ['a'] })]).toEqual(['placing', 'files']);
    expect(foldsWith(faults)).toEqual(['files', 'notification']);
  });

  it('say in their heading what is not as usual', () => {
    expect(placingWords({ ...EMPTY_FORM, worker: 'w-1', retries: '1', network: 'none' })).toBe(
      'on w-1, 1 retry, no network',
    );
  });
});

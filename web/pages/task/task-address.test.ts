import { describe, expect, it } from 'vitest';
import { attemptOf, taskAddress, viewOf } from './task-address.ts';

const at = (search: string) => ({ id: 'task-1', query: new URLSearchParams(search) });

describe('the address of a view', () => {
  it('keeps what is not named and leaves out what comes by itself', () => {
    expect(taskAddress(at('line=7&view=files&file=a/b'), { file: null })).toBe(
      '/tasks/task-1?line=7&view=files',
    );
    expect(taskAddress(at('view=files&file=a'), { view: 'output', file: null })).toBe('/tasks/task-1');
    expect(taskAddress(at(''), { view: 'files', file: 'a b&c', attempt: 2 })).toBe(
      '/tasks/task-1?view=files&file=a+b%26c&attempt=2',
    );
  });

  it('is read leniently', () => {
    expect(viewOf(at('view=story'))).toBe('story');
    expect(viewOf(at('view=constructor'))).toBe('output');
    expect(attemptOf(at('attempt=2'))).toBe(2);
    for (const text of ['', '0', '-1', 'x', '1e3', '9999999'])
      expect(attemptOf(at(`attempt=${text}`))).toBeNull();
  });
});

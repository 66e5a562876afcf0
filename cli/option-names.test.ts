import { describe, expect, it } from 'vitest';
import { ApiError, ConnectionError } from '../client/client.ts';
import { inTypedWords } from './option-names.ts';

const told = (message: string, details: { field: string; message: string }[] = []) =>
  inTypedWords(new ApiError(400, 'invalid_request', message, details)) as ApiError;

describe('a refusal of a task', () => {
  it('names what was typed', () => {
    const error = told('"docker_image" must be an image such as "ubuntu:latest" (and 2 more, see details)', [
      { field: 'memory_required', message: '"memory_required" must be greater than or equal to 6' },
      { field: 'env.A B', message: '"env.A B" is not allowed' },
    ]);
    expect(error.message).toBe('<image> must be an image such as "ubuntu:latest" (and 2 more, see details)');
    expect(error.details).toEqual([
      { field: 'memory_required', message: '-mem (in MB) must be greater than or equal to 6' },
      { field: 'env.A B', message: '-env A B is not allowed' },
    ]);
    expect(error).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('names an option of which one value is meant', () => {
    expect(told('"retry_on[1]" cannot name worker_lost').message).toBe('-retry_on cannot name worker_lost');
  });

  it('names an option that stands for a part of a field', () => {
    expect(told('"quota.cpu" must be less than or equal to 5').message).toBe(
      '--max-cores must be less than or equal to 5',
    );
    expect(told('"quota" must hold something').message).toBe('"quota" must hold something');
  });

  it('leaves alone what no option stands for, and what is no refusal of a field', () => {
    expect(told('"constructor" is not allowed').message).toBe('"constructor" is not allowed');
    const away = new ConnectionError('http://a', 'unreachable', 'gone');
    expect(inTypedWords(away)).toBe(away);
    const refused = new ApiError(403, 'forbidden', 'the image "docker_image" is not allowed');
    expect(inTypedWords(refused)).toBe(refused);
  });
});

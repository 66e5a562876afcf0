import { describe, expect, it } from 'vitest';
import { ApiError } from '../../client/client.ts';
import { formFaults } from './form-faults.ts';

const refused = (...details: { field: string; message: string }[]) =>
  new ApiError(400, 'invalid_request', 'no', details);

describe('the faults of a form', () => {
  it('stand at their fields, without the name that the label says', () => {
    const error = refused(
      { field: 'password', message: '"password" length must be at least 8 characters long' },
      { field: 'quota.upload_storage', message: '"quota.upload_storage" must be a number' },
    );
    const faults = formFaults(error, ['username', 'password', 'quota.upload_storage']);
    expect(faults.of('password')).toBe('Length must be at least 8 characters long');
    expect(faults.of('quota.upload_storage')).toBe('Must be a number');
    expect(faults.of('username')).toBe('');
    expect(faults.rest).toBeNull();
  });

  it('are told at the end when no field, or a field that the form has not, is meant', () => {
    const taken = new ApiError(409, 'username_taken', 'the username is taken');
    expect(formFaults(taken, ['username']).rest).toBe(taken);
    const other = refused({ field: 'role', message: 'x' }, { field: 'password', message: 'y' });
    expect(formFaults(other, ['password']).of('password')).toBe('Y');
    expect(formFaults(other, ['password']).rest).toBe(other);
    expect(formFaults(null, ['password'])).toMatchObject({ rest: null });
  });
});

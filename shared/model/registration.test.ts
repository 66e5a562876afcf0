import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterTry,
  hasJoined,
  newRegistration,
  REGISTRATION_LEASE_MS,
  type Registration,
  type RegistrationFault,
  registrationMessage,
  registrationPauseMs,
  takeRegistration,
} from './registration.ts';
import type { Worker } from './worker.ts';

const wanted = { id: 'worker-3', wish: 'wish-1', address: '10.0.0.3:50052', requestedBy: 'user-1' };
const known = (over: Partial<Worker> = {}) =>
  ({ id: 'worker-3', incarnation: 'life-1', liveness: 'down', ...over }) as Worker;
const fresh = newRegistration({ ...wanted, known: null }, 1_000);
const failed = (registration: Registration, code: RegistrationFault['code'], pauseMs = 1) =>
  afterTry(takeRegistration(registration, 1_000), { code, message: 'words' }, { now: 5_000, pauseMs });

describe('a registration', () => {
  it('is due at once, and while it is tried only when its lease is over', () => {
    expect(fresh).toMatchObject({ nextAt: 1_000, tries: 0, revision: 1, fault: null });
    expect(takeRegistration(fresh, 2_000)).toMatchObject({
      tries: 1,
      lastTryAt: 2_000,
      nextAt: 2_000 + REGISTRATION_LEASE_MS,
      revision: 2,
    });
  });

  it('keeps what came of a try, and is due after the pause', () => {
    const fault = { code: 'no_answer', message: 'words' };
    expect(failed(fresh, 'no_answer', 7)).toMatchObject({ fault, tries: 1, nextAt: 5_007, revision: 3 });
  });

  it('is tried again after about 2 s, 4 s, …, 60 s, and slowly when it was refused', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 1_000].map((tries) => registrationPauseMs(tries, 'no_answer', 0.5));
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(registrationPauseMs(1, 'refused', 0.5)).toBe(60_000);
  });

  it('never waits for more than 72 s or less than 1.6 s, however long it lasts', () => {
    const codes = fc.constantFrom('no_answer', 'refused', 'starting');
    const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), codes, chances, (tries, code, chance) => {
        const pause = registrationPauseMs(tries, code, chance);
        expect(pause).toBeGreaterThanOrEqual(1_600);
        expect(pause).toBeLessThanOrEqual(72_000);
      }),
    );
  });

  it('is over once the worker is there, but not because of a record that was down before', () => {
    expect(hasJoined(fresh, null)).toBe(false);
    expect(hasJoined(fresh, known())).toBe(true);
    const again = newRegistration({ ...wanted, known: known() }, 1_000);
    expect(hasJoined(again, known())).toBe(false);
    expect(hasJoined(again, known({ incarnation: 'life-2' }))).toBe(true);
    expect(hasJoined(again, known({ liveness: 'up' }))).toBe(true);
  });

  it('says why the worker is not there', () => {
    expect(registrationMessage(fresh)).toBe('10.0.0.3:50052 is being called');
    expect(registrationMessage(failed(fresh, 'no_answer'))).toBe('words');
    const started = failed(fresh, 'starting');
    expect(started.takenInAt).toBe(5_000);
    expect(registrationMessage(started)).toBe('words');
    expect(registrationMessage(failed(started, 'no_answer'))).toContain('see its log');
  });
});

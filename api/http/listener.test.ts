import { describe, expect, it } from 'vitest';
import { listenerBounds, openFilesLimit } from './listener.ts';

describe('bounds of a listener', () => {
  it('leave files, store and Redis their share of what the process may have open', () => {
    expect(listenerBounds(4_096)).toMatchObject({ connections: 3_072, ofOneAddress: 2_304 });
    for (const plenty of [null, 1_000_000]) {
      expect(listenerBounds(plenty)).toMatchObject({ connections: 25_000, ofOneAddress: 18_750 });
    }
    const { connections, ofOneAddress } = listenerBounds(1);
    expect(ofOneAddress).toBeLessThan(connections);
  });

  it('know how much that is here', () => {
    expect(openFilesLimit()).toBeGreaterThan(100);
  });
});

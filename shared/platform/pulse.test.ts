import { describe, expect, it } from 'vitest';
import { waitFor } from '../../test/support/wait-for.ts';
import { Pulse } from './pulse.ts';

const never = 2 ** 30;

function held() {
  const rounds: (() => void)[] = [];
  const work = () => new Promise<void>((done) => rounds.push(done));
  return { rounds, work };
}

describe('a pulse', () => {
  it('does one round more, and only one, for all who wake it meanwhile', async () => {
    const { rounds, work } = held();
    const pulse = new Pulse({ everyMs: never, work, onFault: () => undefined });
    pulse.start();
    for (let n = 0; n < 5; n += 1) pulse.wake();
    expect(rounds).toHaveLength(1);
    rounds[0]?.();
    await waitFor(() => rounds.length === 2, { what: 'the second round' });
    const stopped = pulse.stop();
    pulse.wake();
    rounds[1]?.();
    await stopped;
    expect(rounds).toHaveLength(2);
  });

  it('goes on by itself, after faults too', async () => {
    const faults: unknown[] = [];
    let rounds = 0;
    const pulse = new Pulse({
      everyMs: 1,
      work: async () => {
        rounds += 1;
        throw new Error(`round ${rounds}`);
      },
      onFault: (error) => faults.push(error),
    });
    pulse.start();
    await waitFor(() => rounds > 3, { what: 'more rounds' });
    await pulse.stop();
    expect(faults).toHaveLength(rounds);
  });

  it('does nothing before it is started', () => {
    const { rounds, work } = held();
    new Pulse({ everyMs: 1, work, onFault: () => undefined }).wake();
    expect(rounds).toHaveLength(0);
  });
});

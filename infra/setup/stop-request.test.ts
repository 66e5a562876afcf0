import { describe, expect, it } from 'vitest';
import { waitFor } from '../../test/support/wait-for.ts';
import { Owned } from './owned.ts';
import { Progress } from './progress.ts';
import { listenForStop } from './stop-request.ts';

describe('a wish to stop', () => {
  it('is heard once; the same Ctrl-C passed on by npm is not a second wish', async () => {
    let again = 0;
    const stop = listenForStop(() => {
      again += 1;
    });
    expect(stop.isWanted).toBe(false);
    stop.ask('SIGINT');
    stop.ask('SIGINT');
    expect(await stop.wanted).toBe('SIGINT');
    expect(stop.signal.aborted).toBe(true);
    expect(again).toBe(0);
    const heardAt = performance.now();
    await waitFor(() => performance.now() - heardAt > 600, { what: 'a person to press it again' });
    stop.ask('SIGINT');
    expect(again).toBe(1);
  });
});

describe('what a run owns', () => {
  it('is stopped last first, once, and all of it even if one will not', async () => {
    const said: string[] = [];
    const order: string[] = [];
    const owned = new Owned((line) => said.push(line));
    owned.add('Docker', async () => {
      order.push('Docker');
      return 'Docker stays';
    });
    owned.add('Redis', async () => {
      order.push('Redis');
      throw new Error('no');
    });
    owned.add('CloudAI', async () => void order.push('CloudAI'));
    expect(await owned.stopAll()).toBe(false);
    expect(await owned.stopAll()).toBe(true);
    expect(order).toEqual(['CloudAI', 'Redis', 'Docker']);
    expect(said).toEqual(['Redis could not be stopped: no', 'Docker stays']);
  });
});

describe('progress', () => {
  const watched = (isTTY: boolean) => {
    let text = '';
    const progress = new Progress({ write: (part) => (text += part), isTTY, columns: 40 });
    return { progress, text: () => text };
  };

  it('is one line a step with its result', async () => {
    const { progress, text } = watched(false);
    await progress.step(
      'Docker',
      async (note) => note('starting dockerd'),
      () => '20.10.24 (started)',
    );
    expect(text()).toBe('… Docker: starting dockerd\n✓ Docker 20.10.24 (started)\n');
  });

  it('shows a failure, passes it on and remembers that it did', async () => {
    const { progress, text } = watched(false);
    const fault = new Error('no socket');
    await expect(progress.step('Docker', () => Promise.reject(fault))).rejects.toBe(fault);
    expect(text()).toBe('✗ Docker: no socket\n');
    expect(progress.hasShown(fault)).toBe(true);
    expect(progress.hasShown(new Error('no socket'))).toBe(false);
  });

  it('replaces its running line on a terminal and never fills more than it', async () => {
    const { progress, text } = watched(true);
    await progress.step('Docker', async (note) => note('x'.repeat(100)));
    expect(text().split('\r\u001b[K')).toEqual(['… Docker', `… Docker: ${'x'.repeat(29)}`, '✓ Docker\n']);
  });
});

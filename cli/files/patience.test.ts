import { describe, expect, it } from 'vitest';
import { ApiError, ConnectionError } from '../../client/client.ts';
import { Patience, patienceMs } from './patience.ts';

const broken = new ConnectionError('http://a', 'unreachable', 'cut');
const open = (limitMs: number, signal = new AbortController().signal) => {
  const told: string[] = [];
  return { told, patience: new Patience({ limitMs, signal, tell: (text) => told.push(text) }) };
};

describe('patience', () => {
  it('ends when there has been enough waiting, and is told of once', async () => {
    const { told, patience } = open(800);
    await patience.after(broken);
    await patience.after(broken);
    await expect(patience.after(broken)).rejects.toBe(broken);
    expect(told).toEqual(['cannot reach http://a: cut; tries again for 0.8 s']);
  });

  it('begins anew when something moves', async () => {
    const { told, patience } = open(300);
    for (let n = 0; n < 3; n += 1) {
      await patience.after(broken);
      patience.moved();
    }
    await patience.after(broken);
    await expect(patience.after(broken)).rejects.toBe(broken);
    expect(told).toHaveLength(4);
  });

  it('is for what may pass only', async () => {
    const { told, patience } = open(10_000);
    for (const error of [new ApiError(404, 'not_found', 'none'), new Error('disk')]) {
      await expect(patience.after(error)).rejects.toBe(error);
    }
    await patience.after(new ApiError(503, 'store_unavailable', 'away'));
    expect(told).toHaveLength(1);
  });

  it('waits for others as long, and stops when it is told to', async () => {
    const { told, patience } = open(300);
    await patience.until('busy');
    await expect(patience.until('busy')).rejects.toMatchObject({ message: expect.stringContaining('busy') });
    expect(told).toEqual(['busy']);
    const stop = new AbortController();
    const other = open(10_000, stop.signal);
    stop.abort(new Error('Ctrl-C'));
    await expect(other.patience.after(broken)).rejects.toThrow('Ctrl-C');
    await expect(other.patience.until('busy')).rejects.toThrow('Ctrl-C');
  });

  it('is a setting', () => {
    expect(patienceMs({})).toBe(60_000);
    expect(patienceMs({ CLOUDAI_RETRY_SECONDS: '0.5' })).toBe(500);
    for (const wrong of ['x', '-1', 'Infinity']) {
      expect(() => patienceMs({ CLOUDAI_RETRY_SECONDS: wrong })).toThrow('CLOUDAI_RETRY_SECONDS');
    }
  });
});

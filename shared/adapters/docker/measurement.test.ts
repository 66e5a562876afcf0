// The engine's answer to "how much does it use", for both versions of control groups.

import { describe, expect, it } from 'vitest';
import { toUsage } from './measurement.ts';

const MB = 2 ** 20;
const running = {
  read: '2026-05-24T18:16:09.589589496Z',
  cpu_stats: { cpu_usage: { total_usage: 1_166_852_120 } },
};

describe('a measurement', () => {
  it('leaves out of memory what the kernel can take back', () => {
    const v1 = { usage: 30 * MB, stats: { total_inactive_file: 10 * MB, inactive_file: 4 * MB } };
    expect(toUsage({ ...running, memory_stats: v1 })).toEqual({
      at: Date.parse('2026-05-24T18:16:09.589Z'),
      cpuMs: 1_167,
      memoryMb: 20,
      networkReceivedBytes: 0,
      networkSentBytes: 0,
    });
    const v2 = { usage: 30 * MB, stats: { inactive_file: 4 * MB } };
    expect(toUsage({ ...running, memory_stats: v2 })?.memoryMb).toBe(26);
    expect(toUsage({ ...running, memory_stats: { usage: 3 * MB } })?.memoryMb).toBe(3);
  });

  it('adds networks up', () => {
    const networks = { eth0: { rx_bytes: 5, tx_bytes: 7 }, eth1: { rx_bytes: 10, tx_bytes: 20 } };
    expect(toUsage({ ...running, memory_stats: { usage: 0 }, networks })).toMatchObject({
      networkReceivedBytes: 15,
      networkSentBytes: 27,
    });
  });

  it('is none for what does not run', () => {
    expect(
      toUsage({
        read: '0001-01-01T00:00:00Z',
        cpu_stats: { cpu_usage: { total_usage: 0 } },
        memory_stats: {},
      }),
    ).toBeNull();
    expect(toUsage({ ...running, memory_stats: {} })).toBeNull();
  });
});

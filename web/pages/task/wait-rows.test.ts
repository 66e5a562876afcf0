import { describe, expect, it } from 'vitest';
import type { WorkerVerdictBody } from '../../../shared/contracts/workers.ts';
import { roomOf, waitRows } from './wait-rows.ts';

const need = { cpu: 4, memory: 1_024, gpu: 0, storage: 0 };
const amounts = (cpu: number, memory: number) => ({ cpu, memory, gpu: 0, storage: 0 });
const lack = (available: number) => ({
  dimension: 'cpu' as const,
  unit: 'cores',
  required: 4,
  available,
  missing: 4 - available,
});
const verdict = (worker_id: string, more: Partial<WorkerVerdictBody>): WorkerVerdictBody => ({
  worker_id,
  state: 'ready',
  fits_now: false,
  fits_when_empty: true,
  excluded_by: null,
  message: null,
  missing: [],
  unmet_labels: [],
  unmet_mounts: [],
  ...more,
});

describe('needs against what is free', () => {
  it('stand in the order of hope, dimension by dimension', () => {
    const rows = waitRows(
      {
        workers: [
          verdict('small', { fits_when_empty: false, missing: [lack(2)] }),
          verdict('closed', { excluded_by: 'cordoned' }),
          verdict('w-10', { missing: [lack(1)] }),
          verdict('w-9', { missing: [lack(-3)] }),
          verdict('roomy', { fits_now: true }),
        ],
      },
      need,
      [
        { worker_id: 'roomy', free: amounts(8, 512) },
        { worker_id: 'w-9', free: amounts(9, 2_048) },
      ],
    );
    expect(rows.map(({ workerId, hope }) => [workerId, hope])).toEqual([
      ['roomy', 'fits'],
      ['w-9', 'busy'],
      ['w-10', 'busy'],
      ['closed', 'closed'],
      ['small', 'small'],
    ]);
    expect(rows[0]?.cells).toEqual([
      { dimension: 'cpu', need: 4, free: 8, isEnough: true },
      { dimension: 'memory', need: 1_024, free: 1_024, isEnough: true },
    ]);
    expect(rows[1]?.cells).toEqual([
      { dimension: 'cpu', need: 4, free: 0, isEnough: false },
      { dimension: 'memory', need: 1_024, free: 2_048, isEnough: true },
    ]);
    expect(rows[2]?.cells[1]).toMatchObject({ free: null, isEnough: true });
  });

  it('name the labels that a worker has not', () => {
    const unmet_labels = [
      { name: 'disk', needs: ['ssd', 'nvme'], has: 'hdd' },
      { name: 'zone', needs: ['a'], has: null },
    ];
    const [row] = waitRows({ workers: [verdict('w', { excluded_by: 'labels', unmet_labels })] }, need, []);
    expect(row?.hope).toBe('closed');
    expect(row?.unmet).toEqual(['disk=hdd instead of ssd or nvme', 'no zone (a)']);
  });

  it('name the folders that a worker does not let be mounted', () => {
    const unmet_mounts = [
      { source: '/a', read_only: true, only_read_only: false },
      { source: '/b', read_only: false, only_read_only: true },
    ];
    const [row] = waitRows({ workers: [verdict('w', { excluded_by: 'mounts', unmet_mounts })] }, need, []);
    expect(row?.unmountable).toEqual(['does not let /a be mounted', 'lets /b be mounted only read-only']);
  });

  it('are asked for again when room comes or goes, and only then', () => {
    const worker = { worker_id: 'w', state: 'ready' as const, free: amounts(1, 2) };
    expect(roomOf([worker])).toBe(roomOf([{ ...worker }]));
    expect(roomOf([worker])).not.toBe(roomOf([{ ...worker, free: amounts(2, 2) }]));
    expect(roomOf([worker])).not.toBe(roomOf([{ ...worker, state: 'cordoned' }]));
  });
});

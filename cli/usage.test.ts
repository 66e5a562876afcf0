// What the command line shows of measured use: of a task, and of the cluster over time.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HistoryReply } from '../shared/contracts/history.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { makeEndedBody, refusal, TASK_ID } from '../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

describe('get', () => {
  it('shows use, progress, outputs, the hint and the timeline in words', async () => {
    const [first] = makeEndedBody().attempts;
    const attempt = {
      ...first!,
      usage: {
        samples: 9,
        cpu_seconds: 12,
        cpu_mean: 0.211,
        cpu_peak: 0.5,
        memory_peak: 120.4,
        network_received_bytes: 1_310_720,
        network_sent_bytes: 300,
      },
      progress: { percent: 42.5, message: 'epoch 3\x1b[31m', at: '2026-01-01T10:00:30.000Z' },
      outputs: { files: 1, bytes: 2_048, note: '"a/../b" was left out: it leads out of the folder' },
      hint: 'At its peak it used 120 of the 512 MB of memory it asked for.',
    };
    const timeline = [
      { state: 'queued', at: '2026-01-01T10:00:00.000Z', attempt: 1, worker_id: null, message: 'submitted' },
      { state: 'lost', at: '2026-01-01T10:00:02.000Z', attempt: 1, worker_id: 'worker-1', message: 'gone' },
    ] as const;
    api.on('GET /api/tasks/:id', () => makeEndedBody({ attempts: [attempt], timeline: [...timeline] }));
    const { out } = await cloudai(['get', TASK_ID]);
    expect(out).toContain('progress    42.5% epoch 3 [31m (30s ago)\n');
    expect(out).toContain(
      'used        0.21 cores on average, 0.5 at most; 120 MB of memory at most; 1.3 MB received, 300 B sent\n',
    );
    expect(out).toContain('outputs     1 file, 2 KB; "a/../b" was left out');
    expect(out).toContain('hint        At its peak');
    expect(out).toMatch(/2026-01-01T10:00:00.000Z {2}queued +1 +submitted\n/);
    expect(out).toMatch(/2026-01-01T10:00:02.000Z {2}lost +1 +worker-1 +gone\n/);
    api.on('GET /api/tasks/:id', () => makeEndedBody());
    expect((await cloudai(['get', TASK_ID])).out).not.toMatch(/progress|used|outputs|hint|WHEN/);
  });
});

describe('history', () => {
  const reply: HistoryReply = {
    metrics: [
      {
        metric: 'cpu_percent',
        unit: 'percent',
        points: [
          ['2026-01-01T09:00:00.000Z', 0],
          ['2026-01-01T09:20:00.000Z', 50],
          ['2026-01-01T09:50:00.000Z', 100],
        ],
      },
      { metric: 'memory_used', unit: 'MB', points: [['2026-01-01T09:00:00.000Z', 2_048]] },
    ],
    step_seconds: 600,
    from: '2026-01-01T09:00:00.000Z',
    to: '2026-01-01T10:00:00.000Z',
    worker: null,
  };

  it('draws a curve and says what it reaches', async () => {
    api.on('GET /telemetry/history', () => reply);
    const { out, code } = await cloudai(
      'history cpu_percent,memory_used --from -1h -to now -step 600'.split(' '),
    );
    expect(code).toBe(0);
    expect(api.asked.at(-1)?.query).toEqual({
      metric: 'cpu_percent,memory_used',
      from: '-1h',
      to: 'now',
      step: '600',
    });
    expect(out).toBe(
      [
        'cpu_percent of the cluster, 2026-01-01T09:00:00.000Z to 2026-01-01T10:00:00.000Z',
        '▁ ▅  █',
        'least 0%, mean 50%, most 100%, last 100%',
        '',
        'memory_used of the cluster, 2026-01-01T09:00:00.000Z to 2026-01-01T10:00:00.000Z',
        '█',
        'least 2 GB, mean 2 GB, most 2 GB, last 2 GB',
        '',
      ].join('\n'),
    );
  });

  it('gives scripts what the API answered, asks for a worker, and says when nothing was measured', async () => {
    api.on('GET /telemetry/history', () => reply);
    expect(JSON.parse((await cloudai(['history', 'cpu_percent', '--json'])).out)).toEqual(reply);
    expect((await cloudai(['history', 'cpu_percent', '--quiet'])).out).toContain(
      '2026-01-01T09:20:00.000Z 50\n',
    );
    api.on('GET /telemetry/history', () => ({
      ...reply,
      worker: 'worker-1',
      metrics: [{ metric: 'running', unit: 'tasks', points: [] }],
    }));
    const { out } = await cloudai(['history', 'running', '--worker', 'worker-1']);
    expect(api.asked.at(-1)?.query).toEqual({ metric: 'running', worker: 'worker-1' });
    expect(out).toMatch(/^running of worker-1, .*\nnothing was measured\n$/);
  });

  it('passes on what the API says of a wrong metric', async () => {
    api.on('GET /telemetry/history', () => refusal(400, 'invalid_request', '"metric" must be one of these'));
    const { code, err } = await cloudai(['history', 'cpu']);
    expect(code).not.toBe(0);
    expect(err).toContain('"metric" must be one of these');
  });
});

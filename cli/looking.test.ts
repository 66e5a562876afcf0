import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerVerdictBody } from '../shared/contracts/workers.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import {
  makeEndedBody,
  makeExplainReply,
  makeQueueEntry,
  makeTaskBody,
  makeWorkerBody,
  Status,
  TASK_ID,
} from '../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

const lastBody = () => api.asked.at(-1)?.body;

describe('looking', () => {
  it('lists tasks by state, through all pages', async () => {
    api.on('GET /api/tasks', ({ query }) =>
      query.cursor
        ? { tasks: [makeTaskBody({ name: 'second' })], next_cursor: null }
        : { tasks: [makeEndedBody({ name: 'first' })], next_cursor: TASK_ID },
    );
    const { out } = await cloudai(['list-tasks', 'queued,running', '--tag', 't', '--all'], { columns: 100 });
    expect(api.asked.map(({ query }) => query)).toEqual([
      { status: 'queued,running', tag: 't', limit: '1000' },
      { status: 'queued,running', tag: 't', limit: '1000', cursor: TASK_ID },
    ]);
    expect(out).toMatch(/^TASK +STATE +WHY +NAME/);
    expect(out).toMatch(/completed +first[\s\S]+queued +second/);
    expect((await cloudai(['list-tasks'])).err).toBe('');
    expect((await cloudai(['list-tasks', '--limit', '1'])).err).toContain('There are more');
    expect((await cloudai(['list-tasks', 'runing'])).code).toBe(2);
  });

  it('finds a task by the beginning or end of its id, if only one fits', async () => {
    const other = TASK_ID.replace(/e$/, 'f');
    api.on('GET /api/tasks', () => ({
      tasks: [makeTaskBody(), makeTaskBody({ task_id: other })],
      next_cursor: null,
    }));
    api.on('GET /api/tasks/:id', ({ path }) => makeTaskBody({ task_id: path.split('/').at(-1) ?? '' }));
    expect((await cloudai(['get', '2d3e'])).out).toContain(TASK_ID);
    expect((await cloudai(['describe', '1c2d3f'])).out).toContain(other);
    expect(await cloudai(['get', 'task-01jd'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('2 tasks'),
    });
    expect(await cloudai(['get', 'zzzz'])).toMatchObject({ code: 1 });
    expect(await cloudai(['get', 'a/b'])).toMatchObject({ code: 2 });
  });

  it('shows a task whole without letting it steer the terminal', async () => {
    api.on('GET /api/tasks/:id', () =>
      makeEndedBody({
        status: 'failed',
        reason: 'oom_killed',
        message: 'went over 512 MB\x1b[2J',
        env: { A: 'b' },
      }),
    );
    const { out } = await cloudai(['get', TASK_ID]);
    expect(out).toContain('went over 512 MB');
    expect(out).toContain('1 core, 512 MB');
    expect(out).toMatch(/ATTEMPT +STATE +WORKER/);
    expect(out).not.toContain('\x1b');
  });

  it.each([
    ['-retry_on_exit_codes 75,x', 'It must be whole numbers with commas, e.g. 75,111.'],
    ['-queue_timeout 2y', 'It must be a time such as 90s, 10m, 1h30m or 2d.'],
  ])('refuses %s in words', async (option, words) => {
    const { code, err } = await cloudai(`task a:b ${option} -cmd x`.split(' '));
    expect(code).toBe(2);
    expect(err).toContain(words);
  });

  it('shows how it is tried again, and until when it may wait', async () => {
    const expires_at = '2026-01-01T11:00:00.000Z';
    const retries = { max_retries: 3, failures: 1, retry_on_exit_codes: [75], retry_delay_seconds: 30 };
    const waits = { queue_timeout_seconds: 3_600, expires_at, losses: 2 };
    api.on('GET /api/tasks/:id', () => makeTaskBody({ ...retries, ...waits }));
    const { out } = await cloudai(['get', TASK_ID], { columns: 200 });
    expect(out).toContain(
      'retries     1 of 3 spent, on exit_code (75), oom_killed, timed_out, output_error; pause before the first 30s\n',
    );
    expect(out).toContain('losses      2 of at most 5, at no cost\n');
    expect(out).toContain('wait limit  1h\n');
    expect(out).toContain(`given up    ${expires_at}, unless it is placed before\n`);
  });

  it('explains in words and numbers', async () => {
    api.on('GET /api/tasks/:id/explain', () => makeExplainReply());
    const { out } = await cloudai(['explain', TASK_ID]);
    expect(out).toContain('No worker has 4 GPUs free.\nPlace in the queue: 1\n');
    expect(out).toContain('GPUs: needs 4, 0 free');
  });

  it('explains labels that do not match, workers that are kept, and the quota', async () => {
    const [worker] = makeExplainReply().workers;
    const unmet = [
      { name: 'disk', needs: ['ssd', 'nvme'], has: 'hdd\x1b[2J' },
      { name: 'zone', needs: ['a'], has: null },
    ];
    const workers = [
      { ...(worker as WorkerVerdictBody), excluded_by: 'labels' as const, missing: [], unmet_labels: unmet },
      { ...(worker as WorkerVerdictBody), excluded_by: 'reserved' as const, missing: [] },
      {
        ...(worker as WorkerVerdictBody),
        excluded_by: 'mounts' as const,
        missing: [],
        unmet_mounts: [{ source: '/sets', read_only: false, only_read_only: true }],
      },
    ];
    const share = { dimension: 'cpu' as const, unit: 'cores', limit: 4, held: 3, required: 2, missing: 1 };
    const one = { ...share, dimension: 'gpu' as const, limit: 1, held: 0, missing: 0 };
    api.on('GET /api/tasks/:id/explain', () => makeExplainReply({ workers, quota: [share, one] }));
    const { out } = await cloudai(['explain', TASK_ID], { columns: 160 });
    expect(out).toContain('Held of the quota: 3 of 4 cores, 0 of 1 GPU\n');
    expect(out).toContain('has disk=hdd');
    expect(out).toContain('needs disk=ssd|nvme; has no zone, needs zone=a');
    expect(out).toContain('it is kept free for other tasks');
    expect(out).toContain('lets /sets be mounted only read-only');
    expect(out).not.toContain('\x1b');
  });

  it('shows the queue in the order of turns, page by page', async () => {
    const ids = ['a', 'b', 'c'].map((end) => TASK_ID.replace(/e$/, end));
    const asked: unknown[] = [];
    api.on('GET /api/queue', ({ query }) => {
      asked.push(query);
      const from = Number(query.cursor ?? 0);
      const to = Math.min(from + 2, from + Number(query.limit), 3);
      const entries = ids
        .slice(from, to)
        .map((task_id, n) => makeQueueEntry({ task_id, position: from + n + 1 }));
      return { total: 9, entries, next_cursor: to < 3 ? String(to) : null };
    });
    expect((await cloudai(['queue', '--quiet'])).out).toBe(`${ids.join('\n')}\n`);
    expect(asked).toEqual([{ limit: '20' }, { limit: '18', cursor: '2' }]);
    const { out } = await cloudai(['queue'], { columns: 200 });
    expect(out).toMatch(/# +TASK +NAME +PRIO +USER +NEEDS +WAITS +STARTS +WHY/);
    expect(out).toMatch(/1 core, 512 MB .* unknown +Waits: needs 1 core/);
    api.on('GET /api/queue', () => ({
      total: 1,
      entries: [makeQueueEntry({ expires_at: '2026-01-01T10:10:00.000Z' })],
      next_cursor: null,
    }));
    expect((await cloudai(['queue'], { columns: 200 })).out).toMatch(/WAITS +GIVEN UP +STARTS +WHY/);
  });

  it('shows a part of the queue when that is asked for', async () => {
    const ids = ['a', 'b', 'c'].map((end) => TASK_ID.replace(/e$/, end));
    api.on('GET /api/queue', ({ query }) => {
      const to = Math.min(Number(query.limit), 3);
      const entries = ids.slice(0, to).map((task_id, n) => makeQueueEntry({ task_id, position: n + 1 }));
      return { total: 9, entries, next_cursor: to < 3 ? String(to) : null };
    });
    const short = await cloudai(['queue', '--limit', '1']);
    expect(short.out).toContain(ids[0]);
    expect(short.out).not.toContain(ids[1]);
    expect(short.err).toContain('--limit 4 shows them');
    expect(JSON.parse((await cloudai(['queue', '--json'])).out)).toMatchObject({
      total: 9,
      entries: [{ position: 1, task_id: ids[0] }, {}, {}],
      next_cursor: null,
    });
  });

  it('says when nothing waits, and when only others wait', async () => {
    const forecasts = {
      window_seconds: 86_400,
      scored: 130,
      within_band: 120,
      median_error_seconds: 12.3,
      median_late_seconds: 4,
    };
    const entries = [makeQueueEntry()];
    api.on('GET /api/queue', () => ({ total: 1, entries, forecasts, next_cursor: null }));
    expect((await cloudai(['queue'])).out).toContain(
      'Forecasts of the last 24 hours: 92% of 130 started when foretold, half within 12s, mostly later.\n',
    );
    const few = { ...forecasts, scored: 2, within_band: 2 };
    api.on('GET /api/queue', () => ({ total: 1, entries, forecasts: few, next_cursor: null }));
    expect((await cloudai(['queue'])).out).not.toContain('Forecasts');
    api.on('GET /api/queue', () => ({ total: 0, entries: [], forecasts, next_cursor: null }));
    expect((await cloudai(['queue'])).out).toBe('Nothing waits.\n');
    api.on('GET /api/queue', () => ({ total: 7, entries: [], next_cursor: null }));
    expect((await cloudai(['queue'])).out).toBe('Nothing of yours waits; 7 of others do.\n');
  });

  it('shows workers and the cluster', async () => {
    const down = makeWorkerBody({
      worker_id: 'worker-2',
      state: 'down',
      usage: null,
      heartbeat_age_seconds: null,
    });
    const workers = [makeWorkerBody(), down];
    api.on('GET /workers', () => ({ workers }));
    const { out } = await cloudai(['workers'], { color: true });
    expect(out).toContain('\x1b[32mready\x1b[39m');
    expect(out).toMatch(/2 \/ 8 +4 GB \/ 16 GB +38% +1.9 MB\/s +1.5 KB\/s +1.2s ago/);
    const narrow = await cloudai(['workers'], { columns: 70 });
    expect(narrow.out).toMatch(/2 \/ 8 +4 GB \/ 16 GB +38% +1.2s ago/);
    expect(narrow.out).not.toContain('NETWORK');
    expect((await cloudai(['workers', '-quiet'])).out).toBe('worker-1\nworker-2\n');
    const telemetry = {
      at: '2026-01-01T10:00:00.000Z',
      workers_by_state: { ready: 1, cordoned: 0, draining: 0, down: 1 },
      totals: {
        capacity: workers[0]?.capacity,
        reserved: workers[0]?.reserved,
        free: workers[0]?.free,
        usage: {
          cpu_percent: 37.5,
          cpu_cores: 8,
          memory_used: 5_120,
          memory_total: 16_384,
          storage_used: 40_000,
          network_receive_rate: 2_097_152,
          network_transmit_rate: 1_536,
          gpus: { count: 2, utilization_percent: 42, memory_used: 512, memory_total: 81_920 },
        },
      },
      tasks_by_state: { queued: 4, assigned: 0, running: 2, completed: 9, failed: 1, cancelled: 0 },
      queue_depth: 4,
      sla: { window_seconds: 86_400, met: 3, missed: 1, attainment: 0.75 },
      placements_per_second: 12.25,
      workers,
    };
    api.on('GET /telemetry', () => telemetry);
    const { out: status } = await cloudai(['status']);
    expect(status).toContain('1 ready, 1 down');
    expect(status).toContain('4 queued, 2 running, 9 completed, 1 failed');
    expect(status).toMatch(/^in time {2}75% of 4$/m);
    expect(status).toContain('2 of 8 held');
    expect(status).toContain('4, 12.3 placed each second');
    expect(status).toContain(
      '38% of 8 cores, 5 GB of 16 GB memory, network 2 MB/s in, 1.5 KB/s out, 42% of 2 GPUs with 512 MB of 80 GB memory',
    );
    expect(JSON.parse((await cloudai(['status', '--json'])).out)).toEqual(telemetry);
  });

  it('maintains workers', async () => {
    api.on('POST /api/workers/:id/drain', () => makeWorkerBody({ state: 'draining' }));
    expect((await cloudai(['drain', 'worker-1'])).out).toBe('worker-1 is draining; 3 tasks are there.\n');
  });

  it('cancels, and says what came of it', async () => {
    api.on('POST /api/tasks/:id/cancel', () => new Status(202, makeTaskBody({ status: 'cancelled' })));
    expect((await cloudai(['cancel', TASK_ID, '--force'])).out).toBe(`${TASK_ID} is cancelled.\n`);
    expect(lastBody()).toEqual({ force: true });
    api.on(
      'POST /api/tasks/:id/cancel',
      () => new Status(202, makeTaskBody({ status: 'running', cancel_requested: true })),
    );
    expect((await cloudai(['cancel', TASK_ID])).out).toContain('is being stopped');
  });
});

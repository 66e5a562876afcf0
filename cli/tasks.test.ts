import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerVerdictBody } from '../shared/contracts/workers.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import {
  makeEndedBody,
  makeExplainReply,
  makeQueueEntry,
  makeTaskBody,
  makeWorkerBody,
  refusal,
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

describe('task', () => {
  beforeEach(() => api.on('POST /api/tasks', () => new Status(201, makeTaskBody())));

  it('takes what users type', async () => {
    const line = 'task python:3.9 -name my-task -cpu_cores 2.0 -mem 4.0 -gpu_cores 1 -k 3 -tag t';
    expect(await cloudai(line.split(' '))).toEqual({ code: 0, out: `${TASK_ID} is queued.\n`, err: '' });
    expect(lastBody()).toEqual({
      docker_image: 'python:3.9',
      name: 'my-task',
      cpu_required: 2,
      memory_required: 4096,
      gpu_required: 1,
      k_value: 3,
      tag: 't',
    });
    expect(api.asked[0]?.headers).toMatchObject({
      authorization: 'Bearer a-token',
      'idempotency-key': expect.stringMatching(/.{10}/),
    });
  });

  it('takes every other option, environment and exec form', async () => {
    const line =
      'task -env A=1 B=2 -secret KEY -priority 0 -timeout 60 -retries 2 -retry_on exit_code,image_error -retry-on-exit-codes 75,111 -retry_delay 1m -queue-timeout 2h -network none -pull never -storage 0.5 -mount /sets:/data:ro -mount /work:/w a:b -- sh -c -name';
    const { code } = await cloudai(line.split(' '), { env: { KEY: 'from the shell' } });
    expect(code).toBe(0);
    expect(lastBody()).toEqual({
      docker_image: 'a:b',
      command: ['sh', '-c', '-name'],
      storage_required: 512,
      priority: 0,
      timeout_seconds: 60,
      max_retries: 2,
      retry_on: ['exit_code', 'image_error'],
      retry_on_exit_codes: [75, 111],
      retry_delay_seconds: 60,
      queue_timeout_seconds: 7_200,
      network: 'none',
      pull_policy: 'never',
      mounts: [
        { source: '/sets', target: '/data', read_only: true },
        { source: '/work', target: '/w', read_only: false },
      ],
      env: { A: '1', B: '2', KEY: 'from the shell' },
      secrets: ['KEY'],
    });
  });

  it('sends a shell line as text, and dispatch names the worker', async () => {
    await cloudai(['dispatch', 'worker-1', 'ubuntu:latest', '-cmd', 'echo hi']);
    expect(lastBody()).toEqual({ docker_image: 'ubuntu:latest', command: 'echo hi', worker: 'worker-1' });
  });

  it('prints the record for --json and the id for --quiet', async () => {
    expect(JSON.parse((await cloudai(['task', 'a', '--json'])).out)).toEqual(makeTaskBody());
    expect((await cloudai(['--quiet', 'task', 'a'])).out).toBe(`${TASK_ID}\n`);
  });

  it('says what is wrong and what to do, with exit code 2', async () => {
    const told = async (line: string) => {
      const { code, err } = await cloudai(line.split(' '));
      expect(code).toBe(2);
      return err;
    };
    expect(await told('task')).toBe(
      `cloudai: missing required argument 'image'\nSee "cloudai task --help".\n`,
    );
    expect(await told('task a -cpu_cores x')).toContain('It must be a number.');
    expect(await told('task a -mem -1')).toContain('must not be below zero');
    expect(await told('task a -mount /data')).toContain('/data/sets:/data');
    expect(await told('task a -network host')).toContain('bridge, none');
    expect(await told('task a echo hi')).toContain('Put "--" before the command');
    expect(await told('task a -cmd x -- y')).toContain('given twice');
    expect(await told('task a -env NOT_SET')).toContain('-env NOT_SET has no value');
    expect(await told('workers -- x')).toContain('takes no words after "--"');
    expect(await told('tokens')).toContain('tokens');
    expect(api.asked).toEqual([]);
  });

  it('names every fault the API found', async () => {
    const details = [
      { field: 'cpu_required', message: '"cpu_required" must be less than 4096' },
      { field: 'docker_image', message: '"docker_image" must name an image' },
    ];
    api.on('POST /api/tasks', () => refusal(400, 'invalid_request', 'the request has 2 faults', details));
    const { code, err } = await cloudai(['task', 'A', '-cpu_cores', '99999']);
    expect(code).toBe(2);
    expect(err).toContain('the request has 2 faults');
    expect(err).toContain('-cpu_cores must be less than 4096\n');
    expect(err).toContain('<image> must name an image\n');
    // Scripts get the names of the wire.
    const json = await cloudai(['task', 'A', '-cpu_cores', '99999', '--json']);
    expect(JSON.parse(json.err).error.details).toEqual(details);
  });
});

describe('waiting', () => {
  const ended = (over = {}) => {
    api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
    api.on('GET /api/tasks/:id', () => makeEndedBody(over));
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
      const line = (seq: number, stream: string, text: string) =>
        `${JSON.stringify({ seq, ts: '2026-01-01T10:00:02.000Z', stream, line: text })}\n`;
      reply.end(line(1, 'stdout', 'hello') + line(2, 'stderr', 'oops'));
    });
  };

  it('prints the output on its own streams and exits 0 when the task completed', async () => {
    ended();
    expect(await cloudai(['task', 'a', '--wait'])).toEqual({
      code: 0,
      out: 'hello\n',
      err: `${TASK_ID} is queued.\noops\n${TASK_ID} completed after 3.2s\n`,
    });
  });

  it('exits 1 when it failed, and says why', async () => {
    ended({ status: 'failed', reason: 'exit_code', exit_code: 3, message: 'exited with code 3' });
    const { code, err } = await cloudai(['wait', TASK_ID]);
    expect(code).toBe(1);
    expect(err).toContain(`${TASK_ID} failed after 3.2s: exited with code 3`);
    const json = await cloudai(['task', 'a', '-wait', '-json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ status: 'failed', exit_code: 3 });
    expect((await cloudai(['task', 'a', '-wait', '-quiet'])).out).toBe(`${TASK_ID}\n`);
  });

  it('prints logs, also as JSON lines, and exits 0 however the task ended', async () => {
    ended({ status: 'failed', reason: 'exit_code', exit_code: 3 });
    expect(await cloudai(['logs', TASK_ID, '-f'])).toEqual({ code: 0, out: 'hello\n', err: 'oops\n' });
    const { out } = await cloudai(['logs', TASK_ID, '-json', '-from', '2', '-attempt', '1']);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ seq: 2, stream: 'stderr', line: 'oops' }]);
  });

  it('prints the last lines of one stream, and makes the pieces of a cut line whole again', async () => {
    ended();
    const piece = (seq: number, stream: string, text: string, more?: true) =>
      `${JSON.stringify({ seq, ts: '2026-01-01T10:00:02.000Z', stream, line: text, attempt: 1, more })}\n`;
    api.on('GET /api/tasks/:id/logs', (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
      reply.write(piece(1, 'stdout', 'one ', true) + piece(2, 'stderr', 'oops'));
      reply.end(piece(3, 'stdout', 'line') + piece(4, 'stdout', 'next'));
    });
    expect(await cloudai(['logs', TASK_ID])).toEqual({ code: 0, out: 'one line\nnext\n', err: 'oops\n' });
    await cloudai(['logs', TASK_ID, '-tail', '5', '--stream', 'stderr']);
    expect(api.asked.at(-1)?.query).toEqual({ tail: '5', stream: 'stderr', attempt: '1', follow: 'false' });
    expect((await cloudai(['logs', TASK_ID, '--stream', 'stdin'])).err).toContain('stdout or stderr');
    expect((await cloudai(['logs', TASK_ID, '--tail', '-1'])).code).toBe(2);
  });

  it('is left by Ctrl-C with 130', async () => {
    const controller = new AbortController();
    api.on('GET /api/tasks/:id', () => {
      controller.abort();
      return makeTaskBody();
    });
    expect(await cloudai(['wait', TASK_ID], { signal: controller.signal })).toMatchObject({
      code: 130,
      err: '',
    });
  });
});

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

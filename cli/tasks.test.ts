import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { makeEndedBody, makeTaskBody, refusal, Status, TASK_ID } from '../test/support/small-api.ts';

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

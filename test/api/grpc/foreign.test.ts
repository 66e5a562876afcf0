// grpcurl, a client in Go that knows of CloudAI only what reflection tells it: also over TLS.

import { execFile, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../support/cluster.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openTestApi } from '../harness.ts';
import { lines, OutputStage } from '../output-stage.ts';

const grpcurl = process.env.GRPCURL_PATH ?? '';
const run = promisify(execFile);
const PEMS = resolve(import.meta.dirname, '../../support/certificates');

describe.skipIf(grpcurl === '')('grpcurl', () => {
  it('lists what is there, submits, asks for health, and watches a task to its end', async () => {
    const { test, alice, address } = await open();
    const auth = ['-plaintext', '-H', `authorization: Bearer ${alice.token}`];
    const call = async (name: string, body: object = {}) => {
      const { stdout } = await run(grpcurl, [...auth, '-d', JSON.stringify(body), address, name]);
      return JSON.parse(stdout);
    };
    const listed = await run(grpcurl, ['-plaintext', address, 'list']);
    expect(listed.stdout.split('\n')).toEqual(
      expect.arrayContaining(['cloudai.v1.CloudAI', 'grpc.health.v1.Health']),
    );
    const described = await run(grpcurl, ['-plaintext', address, 'describe', 'cloudai.v1.SubmitTaskRequest']);
    expect(described.stdout).toContain('map<string, .cloudai.v1.LabelValues> constraints = 20;');
    expect(described.stdout).toContain('optional double cpu_required = 4;');
    expect(await call('grpc.health.v1.Health/Check')).toEqual({ status: 'SERVING' });
    const made = await call('cloudai.v1.CloudAI/SubmitTask', { docker_image: 'a', env: { A: 'b' } });
    expect(made.task).toMatchObject({ status: 'TASK_STATE_QUEUED', env: { A: 'b' } });

    const stage = new OutputStage(test, alice);
    const task = await stage.started();
    const watch = spawn(grpcurl, [
      ...auth,
      '-d',
      JSON.stringify({ task_id: task.id }),
      address,
      'cloudai.v1.CloudAI/WatchTask',
    ]);
    let text = '';
    watch.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    const ended = new Promise((done) => watch.once('close', done));
    await waitFor(() => text.includes('TASK_STATE_RUNNING'), { what: 'the task to be seen running' });
    await stage.print(task, lines(1, 50));
    await stage.ended(task);
    expect(await ended).toBe(0);
    expect([...text.matchAll(/"line": "line (\d+)"/g)].map(([, n]) => Number(n))).toEqual(
      lines(1, 50).map(({ seq }) => seq),
    );
    expect(text).toContain('TASK_STATE_COMPLETED');

    const refused = run(grpcurl, [
      ...auth,
      '-d',
      '{"docker_image":"NO"}',
      address,
      'cloudai.v1.CloudAI/SubmitTask',
    ]);
    await expect(refused).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /InvalidArgument[\s\S]*google\.rpc\.BadRequest[\s\S]*"field": "docker_image"/,
      ),
    });
  });

  it('speaks TLS with the certificate of the settings, and only that', async () => {
    const [certFile, keyFile] = [`${PEMS}/first-cert.pem`, `${PEMS}/first-key.pem`];
    const { address } = await open({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });
    const { stdout } = await run(grpcurl, ['-cacert', certFile, address, 'grpc.health.v1.Health/Check']);
    expect(JSON.parse(stdout)).toEqual({ status: 'SERVING' });
    await expect(
      run(grpcurl, ['-plaintext', '-connect-timeout', '2', address, 'grpc.health.v1.Health/Check']),
    ).rejects.toThrow();
  });
});

async function open(env: Record<string, string> = {}) {
  const test = await openTestApi({ env: { GRPC_PORT: String(await freePort()), ...env } });
  onTestFinished(() => test.close());
  await test.signUp('root');
  const alice = await test.signUp('alice');
  await test.api.start();
  return { test, alice, address: `127.0.0.1:${test.api.grpcPort}` };
}

import { describe, expect, it } from 'vitest';
import { readWorkerOptions, WORKER_USAGE, workerPart } from './worker-options.ts';

const CLUSTER_TOKEN = 't'.repeat(32);
const here = (...files: string[]) => ({ cwd: '/home/me', isFile: (path: string) => files.includes(path) });
const read = (args: string[], env: Record<string, string> = { CLUSTER_TOKEN }) =>
  readWorkerOptions(args, env, here());

describe('the options of a worker', () => {
  it('make it wait by itself', () => {
    expect(read([])).toMatchObject({
      waits: true,
      dataDir: '/home/me/data/worker',
      runtime: 'docker',
      dockerHost: '',
      forgets: false,
      env: { CLUSTER_TOKEN, DATA_DIR: '/home/me/data/worker' },
    });
  });

  it('join at once the cluster that the settings name', () => {
    const env = { REDIS_URL: 'redis://r:1', STORE_URL: 'mongodb://db/x', WORKER_ID: 'w-1' };
    expect(read([], env)).toMatchObject({ waits: false, env });
    expect(workerPart(read([], env)!, '/dist', '')).toMatchObject({ args: [], firstArgs: [] });
  });

  it('make it wait all the same, and then not with those settings', () => {
    const env = { CLUSTER_TOKEN, REDIS_URL: 'redis://r:1', STORE_URL: 'mongodb://db/x', WORKER_CPUS: '2' };
    for (const args of [['--wait'], ['--listen', '127.0.0.1:1'], ['--forget']]) {
      const options = read(args, env);
      expect(options).toMatchObject({ waits: true, env: { WORKER_CPUS: '2' } });
      expect(options?.env).not.toHaveProperty('REDIS_URL');
      expect(options?.env).not.toHaveProperty('STORE_URL');
    }
  });

  it('are passed on to the runner', () => {
    const options = read(['--forget', '--listen', '127.0.0.1:7', '--wait'])!;
    expect(workerPart(options, '/dist', 'unix:///d.sock')).toMatchObject({
      module: '/dist/runner/main.js',
      args: ['--wait'],
      firstArgs: ['--forget'],
      env: { RUNNER_LISTEN: '127.0.0.1:7', DOCKER_HOST: 'unix:///d.sock' },
      logFile: '/home/me/data/worker/logs/runner.log',
    });
  });

  it('find the token of the cluster where "npm start" keeps it', () => {
    const tokenAt = (...files: string[]) => {
      try {
        readWorkerOptions([], {}, here(...files));
      } catch (error) {
        return String(error);
      }
      return '';
    };
    // There are no such files here, and the message says which one was to be read.
    expect(tokenAt('/home/me/data/cluster-token')).toMatch(
      /CLUSTER_TOKEN_FILE cannot be read.*\/home\/me\/data\/cl/,
    );
    expect(tokenAt('/home/me/data/cluster-token', '/home/me/data/worker/cluster-token')).toMatch(
      /\/home\/me\/data\/worker\/cluster-token/,
    );
    expect(tokenAt()).toMatch(/CLUSTER_TOKEN is required/);
  });

  it('can be asked for', () => {
    expect(read(['--help'], {})).toBeNull();
  });

  it.each<[string[], Record<string, string>, RegExp]>([
    [['--nope'], { CLUSTER_TOKEN }, /--nope/],
    [['worker-3'], { CLUSTER_TOKEN }, /worker-3/],
    [['--listen', 'here'], { CLUSTER_TOKEN }, /RUNNER_LISTEN must be "<host>:<port>"/],
    [[], { CLUSTER_TOKEN, RUNTIME: 'podman', WORKER_CPUS: 'all' }, /RUNTIME[\s\S]*WORKER_CPUS/],
    [[], { REDIS_URL: 'http://x' }, /REDIS_URL/],
  ])('name what is wrong: %j %j', (args, env, message) => {
    expect(() => read(args, env)).toThrow(message);
  });

  it('explain themselves when one is unknown', () => {
    expect(() => read(['--nope'])).toThrow(WORKER_USAGE);
  });
});

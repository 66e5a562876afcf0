import { describe, expect, it } from 'vitest';
import { readStartOptions, USAGE } from './start-options.ts';

describe('the options of a start', () => {
  it('have defaults', () => {
    expect(readStartOptions([], {}, '/home/me')).toEqual({
      port: 8080,
      grpcPort: 50_051,
      host: null,
      once: false,
      dataDir: '/home/me/data',
      runtime: 'docker',
      redisUrl: null,
      dockerHost: '',
      storeUrl: null,
      hasClusterToken: false,
    });
  });

  it('come from arguments first, then from the environment', () => {
    const env = { PORT: '9000', DATA_DIR: '/srv/cloudai', RUNTIME: 'process', REDIS_URL: '' };
    expect(readStartOptions(['--port', '9001', '--once'], env, '/')).toMatchObject({
      port: 9001,
      once: true,
      dataDir: '/srv/cloudai',
      runtime: 'process',
      redisUrl: null,
    });
    expect(readStartOptions([], env, '/')?.port).toBe(9000);
    expect(readStartOptions([], { GRPC_PORT: '9002' }, '/')?.grpcPort).toBe(9002);
    expect(readStartOptions([], { GRPC_PORT: 'off' }, '/')?.grpcPort).toBeNull();
    expect(readStartOptions([], { GRPC_PORT: '0' }, '/')?.grpcPort).toBeNull();
    expect(readStartOptions([], { CLUSTER_TOKEN_FILE: '/run/token' }, '/')?.hasClusterToken).toBe(true);
  });

  it('can be asked for', () => {
    expect(readStartOptions(['--help'], {}, '/')).toBeNull();
  });

  it.each<[string[], Record<string, string>, RegExp]>([
    [['--port', 'eighty'], {}, /--port must be a number from 1 to 65535, not "eighty"/],
    [[], { PORT: '70000' }, /PORT must be a number/],
    [[], { GRPC_PORT: '70000' }, /GRPC_PORT must be a number from 1 to 65535, or "off", not "70000"/],
    [[], { RUNTIME: 'podman' }, /RUNTIME must be docker, process or scripted, not "podman"/],
    [['--nope'], {}, /--nope/],
    [['start'], {}, /start/],
  ])('name what is wrong: %j %j', (args, env, message) => {
    expect(() => readStartOptions(args, env, '/')).toThrow(message);
  });

  it('explain themselves when one is unknown', () => {
    expect(() => readStartOptions(['--nope'], {}, '/')).toThrow(USAGE);
  });
});

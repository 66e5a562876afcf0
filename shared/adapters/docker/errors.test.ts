import { describe, expect, it } from 'vitest';
import {
  createFault,
  isNamespaceGone,
  isStorageLimitUnsupported,
  pullFault,
  startFault,
  toAppError,
} from './errors.ts';

const answer = (statusCode: number, message: string) =>
  Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${message} `), {
    statusCode,
    json: { message },
  });
const broken = (code: string) => Object.assign(new Error(`connect ${code} /x`), { code });

const oci = 'failed to create shim task: OCI runtime create failed: runc create failed: ';

describe('faults of the engine', () => {
  it.each([
    [
      400,
      `${oci}unable to start container process: exec: "/no/such": stat /no/such: no such file or directory: unknown`,
      'cannot run "/no/such": there is no such file in the image',
    ],
    [
      400,
      'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nosuch": executable file not found in $PATH: unknown',
      'cannot run "nosuch": there is no such command in the image',
    ],
    [
      400,
      `${oci}exec: "/etc/passwd": permission denied: unknown`,
      'cannot run "/etc/passwd": permission denied',
    ],
    [500, 'could not select device driver "" with capabilities: [[gpu]]', 'cannot give GPUs'],
    [500, `${oci}container init was OOM-killed (memory limit too low?): unknown`, 'memory limit is too low'],
    [500, 'unable to find user nosuch: no matching entries in passwd file', 'unable to find user nosuch'],
  ])('at the start, %i %s', (status, message, words) => {
    const fault = startFault(answer(status, message));
    expect(fault.code).toBe('container_start_failed');
    expect(fault.message).toContain(words);
  });

  it('at the start, of a network slot that has just ended, are not of the task', () => {
    const words = `${oci}unable to create new parent process: namespace path: lstat /proc/23797/ns/net: no such file or directory: unknown`;
    for (const status of [400, 404, 500]) {
      const fault = startFault(answer(status, words));
      expect(fault).toMatchObject({ code: 'runtime_unavailable', retryable: true });
      expect(isNamespaceGone(fault.cause, ['abc123', 'slot'])).toBe(true);
    }
  });

  it('at the start that are not of the task may be tried again', () => {
    const words = `${oci}error setting cgroup config for procHooks process: unknown`;
    expect(startFault(answer(500, words))).toMatchObject({ code: 'runtime_unavailable', retryable: true });
    expect(startFault(answer(500, 'write /x: no space left on device')).code).toBe('disk_full');
    expect(startFault(broken('ECONNRESET')).code).toBe('runtime_unavailable');
  });

  it.each([
    [404, 'No such image: cloudai/nope:1', 'image_not_found'],
    [409, 'Conflict. The container name "/x" is already in use by container "a5d9".', 'conflict'],
    [400, 'No command specified', 'container_start_failed'],
    [400, 'Minimum memory limit allowed is 6MB', 'container_start_failed'],
    [500, 'mkdir /var/lib/docker/overlay2/x-init: no space left on device', 'disk_full'],
    [500, 'something else', 'runtime_unavailable'],
  ])('at the creation, %i %s', (status, message, code) => {
    expect(createFault(answer(status, message), 'image', 'name').code).toBe(code);
  });

  it.each([
    [
      "pull access denied for cloudai/nope, repository does not exist or may require 'docker login': denied",
      'image_not_found',
    ],
    ['manifest for busybox:nope not found: manifest unknown: manifest unknown', 'image_not_found'],
    ['no matching manifest for linux/arm64/v8 in the manifest list entries', 'image_not_found'],
    [
      'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
      'image_pull_failed',
    ],
    ['toomanyrequests: You have reached your pull rate limit.', 'image_pull_failed'],
    ['write /var/lib/docker/tmp/GetImageBlob123: no space left on device', 'disk_full'],
  ])('of a pull: %s', (message, code) => {
    expect(pullFault(answer(500, message), 'image').code).toBe(code);
    expect(pullFault(new Error(message), 'image', true).code).toBe(code);
  });

  it.each([
    ['Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', true],
    ['error pulling image configuration: download failed after attempts=6: unexpected EOF', true],
    ['received unexpected HTTP status: 503 Service Unavailable', true],
    ['toomanyrequests: You have reached your pull rate limit.', true],
    ['unauthorized: incorrect username or password', false],
    ['filesystem layer verification failed for digest sha256:0', false],
  ])('of a pull that may pass or not: %s', (message, retryable) => {
    expect(pullFault(new Error(message), 'image', true)).toMatchObject({
      code: 'image_pull_failed',
      retryable,
    });
  });

  it.each(['ENOENT', 'ECONNREFUSED', 'EACCES', 'ECONNRESET', 'ETIMEDOUT'])(
    'of the connection: %s',
    (code) => {
      expect(toAppError(broken(code), 'x')).toMatchObject({ code: 'runtime_unavailable', retryable: true });
      expect(pullFault(broken(code), 'image').code).toBe('runtime_unavailable');
    },
  );

  it('tells a lost namespace from a lost container', () => {
    const gone = answer(409, 'cannot join network of a non running container: abc123');
    expect(isNamespaceGone(gone, ['abc123', 'slot'])).toBe(true);
    expect(isNamespaceGone(answer(404, 'No such container: def456'), ['abc123', 'slot'])).toBe(false);
  });

  it('knows an engine that cannot limit storage', () => {
    const words = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option";
    expect(isStorageLimitUnsupported(answer(500, words))).toBe(true);
    expect(isStorageLimitUnsupported(answer(500, 'other'))).toBe(false);
  });
});

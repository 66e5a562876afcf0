// What the engine's faults mean. The one place that reads the daemon's messages; everything else matches codes.
// The messages below were seen on Docker 20.10 to 28 and are pasted as they came.

import { AppError, messageOf } from '../../errors.ts';

/** How a fault of a connection reads when Node or the SSH client reports it. */
const CONNECTION_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'its socket does not exist; is Docker installed and running?',
  ECONNREFUSED: 'the connection was refused; is Docker running?',
  EACCES: 'permission denied; add the user to the group of the socket (usually "docker")',
  EPERM: 'permission denied; add the user to the group of the socket (usually "docker")',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name cannot be looked up',
};

// connect ENOENT /var/run/docker.sock
// connect ECONNREFUSED 127.0.0.1:2375
// The operation was aborted due to timeout
// socket hang up
// All configured authentication methods failed
function connectionFault(error: unknown, doing: string): AppError {
  const code = (error as { code?: unknown }).code;
  const hint = typeof code === 'string' ? CONNECTION_HINTS[code] : undefined;
  const isLate = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
  const why = isLate ? 'it did not answer in time' : (hint ?? messageOf(error));
  return new AppError(
    'runtime_unavailable',
    `cannot ${doing}: the container engine cannot be reached: ${why}`,
    {
      retryable: true,
      cause: error,
    },
  );
}

/** HTTP status of an answer of the daemon, or null when there was no answer. */
export function statusOf(error: unknown): number | null {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : null;
}

/** The daemon's own words, without what the client puts around them. */
function wordsOf(error: unknown): string {
  const words = (error as { json?: { message?: unknown } } | null)?.json?.message;
  if (typeof words === 'string') return words;
  return messageOf(error)
    .replace(/^\(HTTP code \d+\) .*? - /, '')
    .trim();
}

/** A fault of any call. `doing` completes "cannot …" for the reader of the message. */
export function toAppError(error: unknown, doing: string): AppError {
  if (error instanceof AppError) return error;
  if (statusOf(error) === null) return connectionFault(error, doing);
  const words = wordsOf(error);
  if (isDiskFull(words)) return diskFull(words, error);
  if (statusOf(error) === 404)
    return new AppError('not_found', `cannot ${doing}: ${words}`, { cause: error });
  return new AppError('runtime_unavailable', `cannot ${doing}: the container engine says: ${words}`, {
    retryable: true,
    cause: error,
  });
}

// write /var/lib/docker/tmp/GetImageBlob123: no space left on device
// error creating overlay mount to /var/lib/docker/overlay2/…: no space left on device
// mkdir /var/lib/docker/overlay2/…-init: disk quota exceeded
function isDiskFull(words: string): boolean {
  return /no space left on device|disk quota exceeded/i.test(words);
}

function diskFull(words: string, cause: unknown): AppError {
  return new AppError('disk_full', `the disk of the container engine is full: ${words}`, { cause });
}

// {"message":"No such image: cloudai/nope:1"}
// {"message":"no such image: nope: No such image: nope:latest"}
// {"message":"pull access denied for cloudai/nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"}
// {"message":"manifest for busybox:nope not found: manifest unknown: manifest unknown"}
// {"message":"repository … not found: does not exist or no pull access"}
// {"message":"invalid reference format: repository name must be lowercase"}
// {"message":"no matching manifest for linux/arm64/v8 in the manifest list entries"}
const IMAGE_MISSING =
  /no such image|pull access denied|manifest unknown|repository .* not found|does not exist|invalid reference format|no matching manifest/i;

// {"message":"Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host"}
// {"message":"toomanyrequests: You have reached your pull rate limit."}
/** A fault of a pull: from its answer, or from a line in its stream (which has no HTTP status). */
export function pullFault(error: unknown, image: string, fromStream = false): AppError {
  if (error instanceof AppError) return error;
  if (!fromStream && statusOf(error) === null) return connectionFault(error, `pull the image "${image}"`);
  const words = wordsOf(error);
  if (isDiskFull(words)) return diskFull(words, error);
  if (IMAGE_MISSING.test(words)) return imageNotFound(image, `it cannot be pulled: ${words}`, error);
  return new AppError('image_pull_failed', `the image "${image}" could not be pulled: ${words}`, {
    retryable: MAY_PASS.test(words),
    cause: error,
  });
}

// {"message":"Get \"https://registry-1.docker.io/v2/\": net/http: TLS handshake timeout"}
// {"message":"Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused"}
// {"message":"received unexpected HTTP status: 500 Internal Server Error"}
// error pulling image configuration: download failed after attempts=6: unexpected EOF
// read tcp 10.0.0.2:443: read: connection reset by peer
// {"message":"toomanyrequests: You have reached your pull rate limit."}
const MAY_PASS =
  /timeout|timed out|deadline exceeded|connection (refused|reset)|broken pipe|unexpected EOF|: EOF|no route to host|network is unreachable|temporary failure|no such host|server misbehaving|HTTP status: 5\d\d|status code 5\d\d|internal server error|service unavailable|bad gateway|toomanyrequests|request canceled/i;

export function imageNotFound(image: string, why: string, cause?: unknown): AppError {
  return new AppError('image_not_found', `there is no image "${image}": ${why}`, { cause });
}

/** The API refuses it already, where it has the same list. */
export function imageNotAllowed(image: string): AppError {
  return new AppError(
    'image_not_found',
    `the image "${image}" is not among those that this worker may run (IMAGE_ALLOW): take another, or ask an admin`,
  );
}

// {"message":"Conflict. The container name \"/x\" is already in use by container \"a5d9…\". You have to remove (or rename) that container to be able to reuse that name."}
// {"message":"No command specified"}
// {"message":"Minimum memory limit allowed is 6MB"}
// {"message":"invalid environment variable: =x"}
export function createFault(error: unknown, image: string, name: string): AppError {
  const fault = toAppError(error, 'create the container');
  const status = statusOf(error);
  if (status === null || fault.code === 'disk_full') return fault;
  const words = wordsOf(error);
  if (status === 409) {
    return new AppError('conflict', `the container ${name} is there already`, { cause: error });
  }
  if (IMAGE_MISSING.test(words)) return imageNotFound(image, words, error);
  if (/No command specified/i.test(words)) {
    return startFailed(`the image "${image}" has no command of its own, so the task must name one`, error);
  }
  return status < 500 ? startFailed(words, error) : fault;
}

// {"message":"--storage-opt is supported only for overlay over xfs with 'pquota' mount option"}
export function isStorageLimitUnsupported(error: unknown): boolean {
  return /storage-opt/i.test(wordsOf(error));
}

// start, 409: {"message":"cannot join network of a non running container: 5d54…"}
// start, 404: {"message":"No such container: 5d54…"} where 5d54… is the other container, not the one to start
// Other engines may notice it at the creation already. `names` are the id and the name of the other container.
// start, 400: {"message":"failed to create shim task: OCI runtime create failed: runc create failed: unable to create new parent process: namespace path: lstat /proc/23797/ns/net: no such file or directory: unknown"}
// where the other one has just ended and the engine has not noticed.
export function isNamespaceGone(error: unknown, names: readonly string[]): boolean {
  const words = wordsOf(error);
  if (NAMESPACE_ENDED.test(words)) return true;
  return /cannot join network|no such container/i.test(words) && names.some((name) => words.includes(name));
}

const NAMESPACE_ENDED = /namespace path: l?stat \/proc\/\d+\/ns\//;

// start, 404: {"message":"network cloudai-3f9a2c not found"}
/** Somebody has removed it, for example with `docker network prune`. */
export function isNetworkGone(error: unknown): boolean {
  return statusOf(error) === 404 && /network \S+ not found/i.test(wordsOf(error));
}

/** The container cannot be moved to another namespace, so the attempt must be made anew. */
export function namespaceLost(cause: unknown): AppError {
  return new AppError('runtime_unavailable', 'cannot start the container: its network slot is gone', {
    retryable: true,
    cause,
  });
}

// {"message":"failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/no/such\": stat /no/such: no such file or directory: unknown"}
// {"message":"OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \"nosuch\": executable file not found in $PATH: unknown"}
// {"message":"… exec: \"/etc/passwd\": permission denied: unknown"}
// {"message":"… exec: \"/etc\": is a directory: unknown"}
const EXEC_FAULT =
  /exec: "(.+?)": (?:stat .+?: )?(no such file or directory|executable file not found in \$PATH|permission denied|is a directory|exec format error)/;
const EXEC_WORDS: Readonly<Record<string, string>> = {
  'no such file or directory': 'there is no such file in the image',
  'executable file not found in $PATH': 'there is no such command in the image',
  'permission denied': 'permission denied; it is not an executable file',
  'is a directory': 'it is a directory',
  'exec format error': 'it is made for another kind of machine',
};

// {"message":"could not select device driver \"\" with capabilities: [[gpu]]"}
// {"message":"… container init was OOM-killed (memory limit too low?): unknown"}
// {"message":"unable to find user nosuch: no matching entries in passwd file"}
// {"message":"… error setting cgroup config for procHooks process: … unknown"}
export function startFault(error: unknown): AppError {
  const fault = toAppError(error, 'start the container');
  const status = statusOf(error);
  if (status !== null && NAMESPACE_ENDED.test(wordsOf(error))) return namespaceLost(error);
  if (status === null || fault.code !== 'runtime_unavailable') return fault;
  const words = wordsOf(error);
  const exec = EXEC_FAULT.exec(words);
  if (exec) return startFailed(`cannot run "${exec[1]}": ${EXEC_WORDS[exec[2] ?? ''] ?? exec[2]}`, error);
  if (/device driver .* capabilities: \[\[gpu/i.test(words)) {
    return startFailed('the container engine of this worker cannot give GPUs to containers', error);
  }
  if (/memory limit too low|init was OOM-killed/i.test(words)) {
    return startFailed('the memory limit is too low for the container to start', error);
  }
  if (/unable to find user|no matching entries in passwd/i.test(words)) return startFailed(words, error);
  return status < 500 ? startFailed(words, error) : fault;
}

function startFailed(words: string, cause: unknown): AppError {
  return new AppError('container_start_failed', words, { cause });
}

// 409 {"message":"Cannot kill container: x: Container f2b6… is not running"}
export function isNotRunning(error: unknown): boolean {
  return statusOf(error) === 409 || (statusOf(error) === 500 && /is not running/i.test(wordsOf(error)));
}

// 409 {"message":"removal of container f2b6… is already in progress"}
// 500 {"message":"driver \"overlay2\" failed to remove root filesystem: … device or resource busy"}
export function isRemovalToRepeat(error: unknown): boolean {
  const status = statusOf(error);
  return (
    status === 409 || (status === 500 && /busy|already in progress|could not kill/i.test(wordsOf(error)))
  );
}

// The settings of a task's container: limits, hardening, labels. Pure; this is where to read what a task may do.

import type { ContainerCreateOptions, MountConfig } from 'dockerode';
import { AppError } from '../../errors.ts';
import type { Mount } from '../../model/mounts.ts';
import type { ContainerPolicy } from '../../platform/config/containers.ts';
import type { ContainerSpec } from '../../ports/container-runtime.ts';
import type { EngineFacts } from './engine-facts.ts';

export const LABEL_TASK = 'cloudai.task';
export const LABEL_ATTEMPT = 'cloudai.attempt';
export const LABEL_WORKER = 'cloudai.worker';
export const LABEL_GPUS = 'cloudai.gpus';
/** On containers through which volumes are filled: the name of the volume. */
export const LABEL_INPUT = 'cloudai.input';
/** On a container: the boot of the machine in which it was made, where that is the runner's own machine. */
export const LABEL_BOOT = 'cloudai.boot';

/** Where a program leaves its files and finds those it was given. */
export const OUTPUT_PATH = '/output';
export const INPUT_PATH = '/input';

/**
 * What package managers and entry points need as root of their own container: owning and reading files, dropping
 * to another user, signalling it. Not here: NET_RAW (forged packets), NET_ADMIN (a namespace is used again by the
 * owner's next task and must come back as it was), MKNOD, SYS_*.
 */
const KEPT_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'] as const;

const BYTES_PER_MB = 2 ** 20;
/** The engine's default; programs that share tensors between processes need more, within their memory limit. */
const SHM_MIN_BYTES = 64 * BYTES_PER_MB;
/** Room in the engine's log for what a program prints between a rotation and the runner's next look. */
const LOG_SPARE_BYTES = 64 * BYTES_PER_MB;

/** One name for each attempt: the engine itself refuses a second container for it. */
export function containerName(taskId: string, attempt: number): string {
  return `cloudai-${taskId}-${attempt}`;
}

export const VOLUME_PREFIX = 'cloudai-';

/** The volume with the files an attempt was given. */
export function inputVolumeName(of: { readonly taskId: string; readonly attempt: number }): string {
  return `${VOLUME_PREFIX}input-${of.taskId}-${of.attempt}`;
}

/** The volume with the files an attempt leaves. */
export function outputVolumeName(of: { readonly taskId: string; readonly attempt: number }): string {
  return `${VOLUME_PREFIX}output-${of.taskId}-${of.attempt}`;
}

export function isVolumeName(name: string): boolean {
  return /^cloudai-(input|output)-/.test(name);
}

/** Whose volume it is by its name; null when that is not one of ours. */
export function attemptOfVolume(name: string): { taskId: string; attempt: number } | null {
  const [, taskId, attempt] = /^cloudai-(?:input|output)-(.+)-(\d+)$/.exec(name) ?? [];
  return taskId === undefined ? null : { taskId, attempt: Number(attempt) };
}

/** Ids as NVIDIA's driver gives them are real devices; others (`gpu-0`) are simulated and only shown to the program. */
function isRealGpu(id: string): boolean {
  return /^(GPU|MIG)-[0-9a-f]/.test(id);
}

/** What every container of the project is created with, pause containers included. */
export function hardening(pidsLimit: number) {
  return {
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    PidsLimit: pidsLimit,
    Privileged: false,
    AutoRemove: false,
  };
}

export interface SettingsChoice {
  /** `bridge`, `none` or `container:<id>`. */
  readonly networkMode: string;
  readonly limitStorage: boolean;
  readonly bootId?: string | null;
  /** Text of an attempt that the runner keeps, a line counted with 64 bytes more than it has. */
  readonly logMaxBytes: number;
  readonly policy?: Omit<ContainerPolicy, 'imageAllow'>;
}

/**
 * A text command runs through `/bin/sh -c`, a list is the words of the program. Either replaces the image's
 * ENTRYPOINT and CMD, so what was asked for is exactly what runs; null leaves both as the image has them.
 */
function commandWords(command: ContainerSpec['command']): string[] | null {
  if (command === null) return null;
  if (typeof command === 'string') return ['/bin/sh', '-c', command];
  if (command.length === 0 || command[0] === '') {
    throw new AppError('container_start_failed', 'the command is an empty list; it needs at least a program');
  }
  return [...command];
}

export function containerSettings(
  spec: ContainerSpec,
  facts: EngineFacts,
  choice: SettingsChoice,
): ContainerCreateOptions {
  const { resources, gpuIds } = spec;
  const words = commandWords(spec.command);
  const memory = resources.memoryMb * BYTES_PER_MB;
  const realGpus = gpuIds.filter(isRealGpu);
  const { policy } = choice;
  const secure = hardening(spec.pidsLimit);
  // Set last: a task must not reach for devices that it was not given. With NVIDIA's runtime as the engine's default
  // the variable alone gives them, and CUDA images ask for all; `void` is that runtime's word for none at all.
  const devices = gpuIds.length > 0 ? gpuIds.join(',') : facts.gpuSupport ? 'void' : null;
  const env = {
    ...spec.env,
    CLOUDAI_OUTPUT: OUTPUT_PATH,
    CLOUDAI_INPUT: INPUT_PATH,
    ...(devices === null ? {} : { NVIDIA_VISIBLE_DEVICES: devices }),
  };
  return {
    name: containerName(spec.taskId, spec.attempt),
    Image: spec.image,
    ...(words === null ? {} : { Entrypoint: words }),
    ...(policy?.user ? { User: policy.user } : {}),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [LABEL_TASK]: spec.taskId,
      [LABEL_ATTEMPT]: String(spec.attempt),
      [LABEL_WORKER]: spec.workerId,
      [LABEL_GPUS]: gpuIds.join(','),
      ...(choice.bootId ? { [LABEL_BOOT]: choice.bootId } : {}),
    },
    // For the engine's own shutdown and `docker stop`: a program that the engine asks to end could end well, and nobody
    // could tell that from work that was done (see engine-lives.ts). The runner names its signals itself.
    StopSignal: 'SIGKILL',
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    OpenStdin: false,
    HostConfig: {
      ...secure,
      // Without a profile named here the engine uses its own; nothing makes it use none.
      ...(policy?.seccompProfile
        ? { SecurityOpt: [...secure.SecurityOpt, `seccomp=${policy.seccompProfile}`] }
        : {}),
      CapAdd: [...KEPT_CAPABILITIES],
      // Programs expect to run what they put there; it counts as the task's memory.
      ...(policy?.readOnlyRoot
        ? { ReadonlyRootfs: true, Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,mode=1777' } }
        : {}),
      NetworkMode: choice.networkMode,
      RestartPolicy: { Name: 'no' },
      // The engine refuses more than the machine has; an over-committed worker's task gets all there is.
      ...(resources.cpuMillis > 0
        ? { NanoCpus: Math.min(resources.cpuMillis * 1e6, facts.cpuCores * 1e9) }
        : {}),
      // Swap equal to memory means no swap.
      ...(memory > 0
        ? { Memory: memory, MemorySwap: memory, ShmSize: Math.max(SHM_MIN_BYTES, Math.floor(memory / 2)) }
        : {}),
      ...(choice.limitStorage ? { StorageOpt: { size: `${resources.storageMb}m` } } : {}),
      ...(realGpus.length > 0
        ? { DeviceRequests: [{ Driver: '', DeviceIDs: realGpus, Capabilities: [['gpu']] }] }
        : {}),
      Mounts: mounts(spec),
      ...logSettings(facts, choice.logMaxBytes),
    },
  };
}

/**
 * Volumes, for what is in them can be reached through the engine's API alone, wherever the engine is; and folders of the
 * machine, which were looked at before (host-mounts.ts).
 */
function mounts(spec: ContainerSpec): MountConfig {
  const output = volumeAt(OUTPUT_PATH, outputVolumeName(spec), {
    [LABEL_TASK]: spec.taskId,
    [LABEL_ATTEMPT]: String(spec.attempt),
    [LABEL_WORKER]: spec.workerId,
  });
  const input = { ...volumeAt(INPUT_PATH, inputVolumeName(spec)), ReadOnly: true };
  return [output, ...(spec.hasInput ? [input] : []), ...spec.mounts.map(folderOfHost)];
}

/**
 * Nothing that is mounted in it comes along (the engine would leave that open to writing), and nothing that is mounted later,
 * on either side. Bits of set-user programs do nothing inside, by `no-new-privileges`; the engine has no option by which
 * the folder itself would be without them.
 */
function folderOfHost({ source, target, readOnly }: Mount): MountConfig[number] {
  const BindOptions = { Propagation: 'rprivate' as const, NonRecursive: true };
  return { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly, BindOptions };
}

/** Not filled with what the image has at that path: the program finds what it was given and nothing else. */
export function volumeAt(
  path: string,
  name: string,
  Labels: Readonly<Record<string, string>> = {},
): MountConfig[number] {
  const VolumeOptions = { NoCopy: true, Labels: { ...Labels }, DriverConfig: { Name: 'local', Options: {} } };
  return { Type: 'volume', Target: path, Source: name, VolumeOptions };
}

/**
 * The engine keeps the output so that a restarted runner can read it from the first byte: byte for byte (`json-file`
 * replaces what is not UTF-8), and bounded. A rotated log has lost its start, but not before two files are full, and
 * the runner stops keeping long before: a line counts with 64 bytes more there, which is more than `local` adds to
 * it, so whatever is lost is over the limit. `json-file` writes a control character as six bytes. The log goes away
 * with the container.
 */
function logSettings(facts: EngineFacts, logMaxBytes: number) {
  if (facts.logDriver === null) return {};
  const size = (facts.logDriver === 'local' ? 2 : 6) * logMaxBytes + LOG_SPARE_BYTES;
  const config = { 'max-size': String(size), 'max-file': '2' };
  return {
    LogConfig: {
      Type: facts.logDriver,
      Config: facts.logDriver === 'local' ? { ...config, compress: 'false' } : config,
    },
  };
}

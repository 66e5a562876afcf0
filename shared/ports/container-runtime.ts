// What the runner asks of a container engine. Guarantees that every adapter proves in test/conformance/runtime:
// - Each call ends within a bounded time, `wait` excepted.
// - Faults are AppError: `image_not_found`, `image_pull_failed`, `container_start_failed`, `disk_full`,
//   `runtime_unavailable` (retryable: the engine does not answer), `conflict` (an attempt is created twice),
//   `not_found` (the container is gone), `timed_out` (the caller's signal). Never a vendor error.
// - `remove` and `kill` of what is gone already succeed.
// - What a program finds as `/output` is empty and may be written by the user that its image names; `/input` is read-only.
//   The variables CLOUDAI_OUTPUT and CLOUDAI_INPUT name them, for runtimes that cannot give them these paths.
// - Output reaches the sink whole, in order per stream, as raw bytes, before `output` resolves.

import type { Readable } from 'node:stream';
import type { SeenContainer } from '../model/container.ts';
import type { StoredImage } from '../model/image.ts';
import type { LogStream } from '../model/log-line.ts';
import type { Mount } from '../model/mounts.ts';
import type { Resources } from '../model/resources.ts';
import type { Stray } from '../model/stray.ts';
import type { PullPolicy, TaskNetwork } from '../model/task.ts';
import type { ContainerUsage } from '../model/usage.ts';

/** Whether tasks with a network are kept away from the machine, the cluster's own servers and cloud metadata. */
export interface TaskNetworkFacts {
  readonly guarded: boolean;
  /** Why not; null when they are. */
  readonly why: string | null;
}

export interface RuntimeInfo {
  readonly kind: 'docker' | 'scripted' | 'process';
  readonly version: string;
  readonly os: string;
  readonly arch: string;
  readonly cpuCores: number;
  readonly memoryMb: number;
  /** Free space of the disk that holds images and containers; 0 when the engine is elsewhere and cannot tell. */
  readonly storageMb: number;
  /** Whether it can give real GPUs to containers. */
  readonly gpuSupport: boolean;
  /** Absent where tasks have no network of their own. */
  readonly taskNetwork?: TaskNetworkFacts;
}

/** How the engine does, asked every few seconds. */
export interface EngineHealth {
  /** Room on the disk that holds images and containers; null when the engine is elsewhere and cannot tell. */
  readonly freeMb: number | null;
  /** It answers and makes no networks for containers: for how long, and what it says to that. */
  readonly networkFault: { readonly forMs: number; readonly message: string } | null;
}

export interface ContainerSpec {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
  /** Tasks of different owners never share a network namespace, not even one after the other. */
  readonly ownerId: string;
  readonly image: string;
  readonly command: string | readonly string[] | null;
  readonly env: Readonly<Record<string, string>>;
  readonly resources: Resources;
  /** Devices for this container, and whether they are real. */
  readonly gpuIds: readonly string[];
  readonly network: TaskNetwork;
  readonly pidsLimit: number;
  /** Files were provided with `provideInput` for this attempt. */
  readonly hasInput: boolean;
  /** Folders of the machine. Only those that it was opened to let be mounted; else `container_start_failed`. */
  readonly mounts: readonly Mount[];
}

/** A file to be found below `/input`. */
export interface InputFile {
  /** Relative, `/`-separated, without `.`, `..` or empty parts. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Called once, when its turn has come. */
  open(): Promise<Readable>;
}

/** Something a program left below `/output`. */
export interface OutputEntry {
  /** As the program named it, relative to `/output`. Not checked: it may hold anything a file system allows. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  /** Of a hard link: the path of an entry that came before. */
  readonly target: string | null;
  readonly sizeBytes: number;
  /** The bytes of a file; empty for anything else. The next entry comes when it was read or destroyed. */
  readonly content: Readable;
}

export interface ContainerStatus extends SeenContainer {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
  readonly gpuIds: readonly string[];
}

export interface PullProgress {
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/**
 * Receives raw bytes; none at all say that reading goes on although there is nothing new. A returned promise holds the
 * flow back until it resolves.
 */
export type OutputSink = (stream: LogStream, chunk: Buffer) => void | Promise<void>;

export interface OutputHandle {
  /** Resolves when the output has ended and all of it was given to the sink. */
  readonly done: Promise<void>;
  /** Stops reading. The container goes on. */
  close(): void;
}

export interface ContainerRuntime {
  readonly kind: RuntimeInfo['kind'];
  info(): Promise<RuntimeInfo>;
  /** Costs the engine next to nothing. Answers within ten seconds, or throws `runtime_unavailable`. */
  health(): Promise<EngineHealth>;
  /**
   * Makes the image present after the policy and returns its content id. Pulls of one image at a time are
   * shared by all callers. Throws `image_not_found` or `image_pull_failed`.
   */
  ensureImage(
    image: string,
    policy: PullPolicy,
    options: { signal?: AbortSignal; onProgress?: (progress: PullProgress) => void },
  ): Promise<string>;
  /**
   * Images that `ensureImage` finds present by these names, in no order; one with two names comes twice. Without what
   * the adapter itself needs.
   */
  images(): Promise<StoredImage[]>;
  /**
   * Puts files where `create` of the same task and attempt finds them. A repeat begins anew; `remove` of the container
   * takes them away, and so does `dropInput`, for an attempt that never gets a container.
   */
  provideInput(
    of: { taskId: string; attempt: number; workerId: string },
    files: readonly InputFile[],
    signal?: AbortSignal,
  ): Promise<void>;
  dropInput(of: { taskId: string; attempt: number }): Promise<void>;
  /** Creates, does not start. A container of the same task and attempt that is there already is an error. */
  create(spec: ContainerSpec): Promise<string>;
  /** Connects to the output of a created container, so that not a byte is missed from the start on. */
  attach(containerId: string, sink: OutputSink): Promise<OutputHandle>;
  /** Output of a running or ended container from its first byte on, until it ends. For adoption. */
  replay(containerId: string, sink: OutputSink): Promise<OutputHandle>;
  /** Throws `container_start_failed` with the engine's reason in words. */
  start(containerId: string): Promise<void>;
  /** Resolves when the container has ended. Rejects with `runtime_unavailable` when the engine is cut off. */
  wait(containerId: string, signal?: AbortSignal): Promise<ContainerStatus>;
  inspect(containerId: string): Promise<ContainerStatus | null>;
  /** All containers of this worker that carry the project's labels, ended ones included. */
  list(workerId: string): Promise<ContainerStatus[]>;
  /**
   * What an ended container left below `/output`, in no order; directories without their content count too. Ends early
   * with `runtime_unavailable` when the engine is cut off. Nothing when the program wrote nothing, at little cost.
   */
  readOutput(containerId: string, signal?: AbortSignal): AsyncIterable<OutputEntry>;
  /** One measurement of a running container; null when it has ended or cannot be measured. */
  measure(containerId: string): Promise<ContainerUsage | null>;
  kill(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Kills if need be, removes, and returns only when it is proven gone. */
  remove(containerId: string): Promise<void>;
  /** What is there of all other workers, in no order. Slots and volumes that a container has come once it is gone. */
  strays(workerId: string): Promise<Stray[]>;
  /** As `remove`. Nothing here looks whether it may go. Throws `conflict` for a volume that a container has by now. */
  removeStray(stray: Stray): Promise<void>;
  close(): Promise<void>;
}

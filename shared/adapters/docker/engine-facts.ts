// What the engine is and can do, asked once and kept. Decides nothing.

import { AppError } from '../../errors.ts';
import { freeDiskMb } from '../../platform/disk-space.ts';
import type { RuntimeInfo } from '../../ports/container-runtime.ts';
import { type Connection, LOOK_TIMEOUT_MS } from './connection.ts';

/** The part of the engine's own description that is used here. */
export interface EngineDescription {
  readonly ServerVersion: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Driver: string;
  readonly DriverStatus: readonly (readonly [string, string])[] | null;
  readonly DockerRootDir: string;
  readonly Plugins?: { readonly Log?: readonly string[] | null };
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly CDISpecDirs?: readonly string[] | null;
}

export interface EngineFacts {
  readonly version: string;
  readonly os: string;
  /** In Node's spelling: `x64`, `arm64`, …. */
  readonly arch: string;
  readonly cpuCores: number;
  readonly memoryMb: number;
  readonly rootDir: string;
  readonly gpuSupport: boolean;
  /** The log driver that keeps output byte for byte and whole, if the engine has it. */
  readonly logDriver: 'local' | 'json-file' | null;
  /** Whether a limit on the container's own disk is worth trying. */
  readonly mayLimitStorage: boolean;
}

const ARCHES: Readonly<Record<string, string>> = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64' };

export function readFacts(described: EngineDescription): EngineFacts {
  const logDrivers = described.Plugins?.Log ?? [];
  const backing = described.DriverStatus?.find(([name]) => name === 'Backing Filesystem')?.[1];
  return {
    version: described.ServerVersion,
    os: described.OSType,
    arch: ARCHES[described.Architecture] ?? described.Architecture,
    cpuCores: described.NCPU,
    memoryMb: Math.floor(described.MemTotal / 2 ** 20),
    rootDir: described.DockerRootDir,
    gpuSupport: 'nvidia' in (described.Runtimes ?? {}),
    logDriver: logDrivers.includes('local') ? 'local' : logDrivers.includes('json-file') ? 'json-file' : null,
    // overlay2 can do it on XFS mounted with pquota only, which shows at the first try.
    mayLimitStorage:
      ['btrfs', 'zfs', 'windowsfilter'].includes(described.Driver) ||
      (described.Driver === 'overlay2' && backing === 'xfs'),
  };
}

export interface FactsReader {
  /** The facts; asks the engine until it has answered once. Throws `runtime_unavailable`. */
  get(): Promise<EngineFacts>;
  info(): Promise<RuntimeInfo>;
  /** Room on the engine's disk; null when the engine is on another machine, or is not known yet. */
  freeMb(): Promise<number | null>;
}

export function createFactsReader(connection: Connection): FactsReader {
  let known: Promise<EngineFacts> | null = null;
  let rootDir: string | null = null;

  const describe = async () => {
    const described = await connection.ask('ask the engine what it is', LOOK_TIMEOUT_MS, (abortSignal) =>
      // The types know no options, the call does.
      (connection.docker.info as (options: object) => Promise<EngineDescription>).call(connection.docker, {
        abortSignal,
      }),
    );
    // Something else may listen at that address.
    if (typeof described?.ServerVersion !== 'string' || typeof described.NCPU !== 'number') {
      throw new AppError('runtime_unavailable', 'what answers at DOCKER_HOST is not a container engine', {
        retryable: true,
      });
    }
    rootDir = described.DockerRootDir;
    return readFacts(described);
  };

  return {
    get() {
      known ??= describe().catch((error) => {
        known = null;
        throw error;
      });
      return known;
    },
    async info() {
      const facts = await describe();
      known = Promise.resolve(facts);
      return {
        kind: 'docker',
        version: facts.version,
        os: facts.os,
        arch: facts.arch,
        cpuCores: facts.cpuCores,
        memoryMb: facts.memoryMb,
        storageMb: Math.floor((await freeDiskMb(facts.rootDir)) ?? 0),
        gpuSupport: facts.gpuSupport,
      };
    },
    freeMb: async () => (rootDir === null || !connection.isLocal ? null : freeDiskMb(rootDir)),
  };
}

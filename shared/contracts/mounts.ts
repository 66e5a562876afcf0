// Mounts on the wire. Like http.ts a browser may import this file.

import type { Mount, MountRule } from '../model/mounts.ts';

/** A folder of the worker in the container of a task. */
export interface MountBody {
  /** Of the worker: absolute. One of its runner's MOUNT_ALLOW, or in one. */
  source: string;
  /** In the container: absolute, and not in `/proc`, `/sys`, `/dev`, `/input`, `/output`. */
  target: string;
  read_only: boolean;
}

/** A folder that a worker lets tasks mount, with all that is in it. */
export interface MountRuleBody {
  path: string;
  /** Nothing of it for writing. */
  read_only: boolean;
}

/** What a task mounts and a worker does not let be mounted. */
export interface UnmetMountBody {
  source: string;
  /** As the task wants it. */
  read_only: boolean;
  /** It lets it be mounted, but only read-only. */
  only_read_only: boolean;
}

export function mountOf({ source, target, read_only }: MountBody): Mount {
  return { source, target, readOnly: read_only };
}

export function mountBody({ source, target, readOnly }: Mount): MountBody {
  return { source, target, read_only: readOnly };
}

export function mountRuleOf({ path, read_only }: MountRuleBody): MountRule {
  return { path, readOnly: read_only };
}

export function mountRuleBody({ path, readOnly }: MountRule): MountRuleBody {
  return { path, read_only: readOnly };
}

/** As it is typed: `/data/sets:/data:ro`. Names with a colon cannot be mounted, so it can be read back. */
export function mountText({ source, target, read_only }: MountBody): string {
  return `${source}:${target}${read_only ? ':ro' : ''}`;
}

/** Null for what is not of this form; whether the paths will do is for the API to say. */
export function readMountText(text: string): MountBody | null {
  const [, source, target, mode] = /^([^:]+):([^:]+?)(?::(ro|rw))?$/.exec(text) ?? [];
  return source === undefined || target === undefined ? null : { source, target, read_only: mode === 'ro' };
}

// Settings of what every container of a task may do on a worker, beyond what is the same for all workers.

import { readFileSync } from 'node:fs';
import Joi from 'joi';
import { messageOf } from '../../errors.ts';
import { splitList, type Values } from './reading.ts';

export interface ContainerPolicy {
  /** Patterns with `*`; empty allows every image. */
  readonly imageAllow: readonly string[];
  /** The image's own files cannot be written to; `/tmp` and `/output` can. */
  readonly readOnlyRoot: boolean;
  /** `uid` or `uid:gid` instead of what the image names; null: the image's. */
  readonly user: string | null;
  /** Text of a seccomp profile instead of the engine's; null: the engine's. */
  readonly seccompProfile: string | null;
}

export const IMAGE_ALLOW = Joi.string().allow('').default('');

const seccompProfile = Joi.string().custom(readProfile).messages({
  'seccomp.unreadable': 'cannot be read: {#reason}',
  'seccomp.form': 'names a file that holds no seccomp profile: JSON with "defaultAction"',
});

export const containerSettings = {
  IMAGE_ALLOW,
  CONTAINER_READ_ONLY: Joi.string().valid('on', 'off').default('off'),
  CONTAINER_USER: Joi.string()
    .pattern(/^[1-9]\d{0,9}(:\d{1,10})?$/)
    .messages({
      'string.pattern.base': 'must be numbers, a user or a user and a group, and not root: "1000:1000"',
    }),
  CONTAINER_SECCOMP_FILE: seccompProfile,
};

export function containerPolicy(v: Values): ContainerPolicy {
  return {
    imageAllow: splitList(v.IMAGE_ALLOW),
    readOnlyRoot: v.CONTAINER_READ_ONLY === 'on',
    user: v.CONTAINER_USER ?? null,
    seccompProfile: v.CONTAINER_SECCOMP_FILE ?? null,
  };
}

/** In one line, as the engine takes it. A profile that allows all by default is the admin's own word. */
function readProfile(path: string, { error }: Joi.CustomHelpers): string | Joi.ErrorReport {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    return error('seccomp.unreadable', { reason: messageOf(cause) });
  }
  try {
    const profile: unknown = JSON.parse(text);
    const { defaultAction } = (profile ?? {}) as { defaultAction?: unknown };
    return typeof defaultAction === 'string' ? JSON.stringify(profile) : error('seccomp.form');
  } catch {
    return error('seccomp.form');
  }
}

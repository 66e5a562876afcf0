// The setting that says which folders of this machine tasks may mount. Looks at no disk: what is there is judged when a
// container is made.

import { resolve } from 'node:path';
import Joi from 'joi';
import { forbiddenBy, isWithin, type MountRule, mountPathFault } from '../../model/mounts.ts';
import { splitList, type Values } from './reading.ts';

const MOST_RULES = 64;

export const mountSettings = {
  MOUNT_ALLOW: Joi.string()
    .custom(checkRules)
    .allow('')
    .default('')
    .messages({
      'mounts.many': `must not have more than ${MOST_RULES} entries`,
      'mounts.path': '"{{#entry}}" must be {{#fault}}',
      'mounts.never':
        '"{{#entry}}" would let tasks mount {{#never}}, which is never mounted: name the folders inside one by one',
      'mounts.data': '"{{#entry}}" would let tasks mount the data folder of the runner ({{#never}})',
      'mounts.twice': 'names "{{#entry}}" twice',
      'mounts.inner':
        '"{{#entry}}" is read-only inside {{#outer}}, which may be written to: whoever mounts that can write here, too',
      'mounts.engine': 'needs RUNTIME=docker and an engine on this machine (DOCKER_HOST is {{#host}})',
    }),
};

/** As the setting has them, in its order. */
export function mountRules(v: Values): readonly MountRule[] {
  return splitList(v.MOUNT_ALLOW).map(ruleOf);
}

/** The socket by which the engine is asked; whoever has it has the machine. */
export function socketOf(dockerHost: string): string {
  return dockerHost.startsWith('unix://') ? dockerHost.slice('unix://'.length) : '/var/run/docker.sock';
}

function ruleOf(entry: string): MountRule {
  const readOnly = entry.endsWith(':ro');
  return { path: readOnly ? entry.slice(0, -':ro'.length) : entry, readOnly };
}

function checkRules(text: string, { error, prefs }: Joi.CustomHelpers): string | Joi.ErrorReport {
  const entries = splitList(text);
  if (entries.length > MOST_RULES) return error('mounts.many');
  const {
    DOCKER_HOST: host = '',
    RUNTIME: runtime = 'docker',
    DATA_DIR: data = 'data',
  } = prefs.context ?? {};
  const isHere = host === '' || String(host).startsWith('unix://');
  if (entries.length > 0 && (runtime === 'process' || !isHere))
    return error('mounts.engine', { host: host || 'not set' });
  const rules = entries.map(ruleOf);
  for (const [at, { path, readOnly }] of rules.entries()) {
    const entry = entries[at];
    const fault = mountPathFault(path);
    if (fault !== null) return error('mounts.path', { entry, fault });
    const never = forbiddenBy(path) ?? forbiddenBy(path, [socketOf(String(host))]);
    if (never !== undefined) return error('mounts.never', { entry, never });
    const own = forbiddenBy(path, [resolve(String(data))]);
    if (own !== undefined) return error('mounts.data', { entry, never: own });
    if (rules.some((other, n) => n < at && other.path === path)) return error('mounts.twice', { entry });
    const outer = rules.find((other) => !other.readOnly && other.path !== path && isWithin(path, other.path));
    if (readOnly && outer) return error('mounts.inner', { entry, outer: outer.path });
  }
  return text;
}

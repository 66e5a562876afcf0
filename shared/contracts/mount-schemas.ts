// What a submission may ask to mount, as Joi schemas. What a worker lets be mounted only its runner knows.

import Joi from 'joi';
import { forbiddenBy, MOST_MOUNTS, mountPathFault, mountTargetFault, targetClash } from '../model/mounts.ts';
import type { MountBody, MountRuleBody } from './mounts.ts';

const path = (faultOf: (text: string) => string | null) =>
  Joi.string()
    .custom((text: string, { error }: Joi.CustomHelpers) => {
      const fault = faultOf(text);
      return fault === null ? text : error('mount.path', { fault });
    })
    .required()
    .messages({ 'mount.path': '{{#label}} must be {{#fault}}' });

const ofMachine = path((text) => {
  const fault = mountPathFault(text);
  const kept = fault === null ? forbiddenBy(text) : undefined;
  return kept === undefined ? fault : `a folder without ${kept} in it or around it: that is never mounted`;
});

const mount = Joi.object<MountBody>({
  source: ofMachine,
  target: path(mountTargetFault),
  read_only: Joi.boolean().default(false),
});

export const mountsSchema = Joi.array()
  .items(mount)
  .max(MOST_MOUNTS)
  .custom((mounts: MountBody[], { error }: Joi.CustomHelpers) => {
    const [a, b] = targetClash(mounts) ?? [];
    if (a === undefined) return mounts;
    return a === b ? error('mounts.twice', { a }) : error('mounts.clash', { a, b });
  })
  .messages({
    'array.max': `{{#label}} must hold at most ${MOST_MOUNTS} mounts`,
    'mounts.twice': '{{#label}} must not name the target {{#a}} twice',
    'mounts.clash': '{{#label}} cannot have both targets {{#a}} and {{#b}}: one is in the other',
  });

/** What a worker that is only thought of would let be mounted. */
export const mountRulesSchema = Joi.array()
  .items(Joi.object<MountRuleBody>({ path: ofMachine, read_only: Joi.boolean().default(false) }))
  .unique('path')
  .max(MOST_MOUNTS);

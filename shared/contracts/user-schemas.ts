// What the calls about accounts accept, as Joi schemas.

import Joi from 'joi';
import { ROLES } from '../model/user.ts';
import { passwordText, usernameText } from './schemas.ts';
import type { NewUserBody, PasswordChangeBody, QuotaBody, SignOutBody, UserChangeBody } from './users.ts';

/** Far above any real one: they catch slips of the keyboard. */
const MAX_UNFINISHED = 1_000_000_000;
const MAX_STORAGE_MB = 1_073_741_824;
const MAX_CORES = 100_000_000;
const MAX_MEMORY_MB = 1_000_000_000_000;
const MAX_GPUS = 100_000_000;
/** Requests a second, as in the settings. */
const MAX_RATE = 1_000_000;

const role = Joi.string().valid(...ROLES);

const limit = (max: number) => Joi.number().integer().min(0).max(max).allow(null);

const quota = Joi.object<QuotaBody>({
  unfinished_tasks: limit(MAX_UNFINISHED),
  upload_storage: limit(MAX_STORAGE_MB),
  cpu: Joi.number().min(0).max(MAX_CORES).precision(3).allow(null),
  memory: limit(MAX_MEMORY_MB),
  gpu: limit(MAX_GPUS),
  rate_limit_reads: limit(MAX_RATE),
  rate_limit_writes: limit(MAX_RATE),
})
  .min(1)
  .messages({
    'object.min':
      '"quota" must hold at least one of "unfinished_tasks", "upload_storage", "cpu", "memory", "gpu", "rate_limit_reads", "rate_limit_writes"; null is no limit of its own',
  });

export const newUserSchema = Joi.object<NewUserBody>({
  username: usernameText,
  password: passwordText.required(),
  role: role.default('user'),
}).required();

export const userChangeSchema = Joi.object<UserChangeBody>({
  role,
  disabled: Joi.boolean(),
  password: passwordText,
  quota,
})
  .min(1)
  .required()
  .messages({ 'object.min': '{{#label}} must name at least one of role, disabled, password, quota' });

/** The old one may be anything, as at a login. */
export const passwordChangeSchema = Joi.object<PasswordChangeBody>({
  current_password: Joi.string().max(1_024).required(),
  new_password: passwordText.required(),
}).required();

export const signOutSchema = Joi.object<SignOutBody>({ api_tokens: Joi.boolean().default(false) }).allow(
  null,
);

export interface UserListQuery {
  q?: string;
  limit: number;
  cursor?: string;
}

export const userListSchema = Joi.object<UserListQuery>({
  q: Joi.string().max(64),
  limit: Joi.number().integer().min(1).max(1_000).default(100),
  cursor: Joi.string().max(64),
});

export const usernameParams = Joi.object<{ username: string }>({ username: Joi.string().max(64).required() });

// What the calls about accounts answer, as schemas of the document.

import Joi from 'joi';
import { ERROR_CODES, type ErrorDetail } from '../errors.ts';
import { ROLES } from '../model/user.ts';
import type { ErrorBody, LoginReply, NewTokenReply, TokenBody, UserBody } from './http.ts';
import {
  amount,
  fields,
  list,
  nextCursor,
  oneOf,
  reply,
  text,
  time,
  timeOrNull,
  whole,
  yes,
} from './reply.ts';
import type { AccountBody, QuotaBody, QuotaUseBody, UserListReply } from './users.ts';

export const errorReplySchema = reply<ErrorBody>('Error', {
  statusCode: whole.min(400).max(599),
  error: Joi.string().description('HTTP’s name of the status.'),
  code: oneOf(ERROR_CODES).description('Stable: match on it, never on the text.'),
  message: text.description('For a person: what is wrong, and what to do.'),
  details: list(fields<ErrorDetail>({ field: text, message: text })).description(
    'One for each single fault, for example of a field of the body.',
  ),
});

const user = {
  user_id: Joi.string(),
  username: Joi.string(),
  role: oneOf(ROLES),
  created_at: time,
};
export const userReplySchema = reply<UserBody>('User', user);

export const loginReplySchema = reply<LoginReply>('Login', {
  token: Joi.string().description('To be sent as `Authorization: Bearer <token>`.'),
  expires_at: time,
  user: userReplySchema,
});

const token = { token_id: Joi.string(), name: Joi.string(), created_at: time, last_used_at: timeOrNull };
const tokenReplySchema = reply<TokenBody>('Token', token);
export const newTokenReplySchema = reply<NewTokenReply>('NewToken', {
  ...token,
  token: Joi.string().description('Shown this one time.'),
});
export const tokenListReplySchema = reply<{ tokens: TokenBody[] }>('TokenList', {
  tokens: list(tokenReplySchema),
});

const limit = whole.min(0).allow(null);
export const accountReplySchema = reply<AccountBody>('Account', {
  ...user,
  disabled: yes,
  quota: reply<QuotaBody>('Quota', {
    unfinished_tasks: limit.description('Tasks that have not ended; null is no limit, as for all of these.'),
    upload_storage: limit.description('MB of uploads.'),
    cpu: amount.min(0).allow(null).description('Cores that placed tasks hold at a time.'),
    memory: limit.description('MB, the same.'),
    gpu: limit.description('Devices, the same.'),
    rate_limit_reads: limit.description(
      'Requests a second that read, averaged over 10 s; 0 is any number, null what the settings say.',
    ),
    rate_limit_writes: limit.description('Those that write, the same.'),
  }),
  used: reply<QuotaUseBody>('QuotaUse', {
    unfinished_tasks: amount,
    upload_storage: amount,
    cpu: amount,
    memory: amount,
    gpu: amount,
  }),
});
export const userListReplySchema = reply<UserListReply>('AccountList', {
  users: list(accountReplySchema),
  next_cursor: nextCursor,
});

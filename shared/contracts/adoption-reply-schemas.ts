// What a waiting runner answers, as the API checks it before it believes a word. Fields that are not known are let
// through: a newer runner may say more.

import Joi from 'joi';
import { ADOPTION_REFUSALS, type AdoptionRefusal, type HelloReply, type SettingsReply } from './adoption.ts';

/** A nonce, key or proof: 32 bytes, with room for another kind. */
const bytes = Joi.string().base64().max(128).required();

export const helloReplySchema = Joi.object<HelloReply>({ nonce: bytes, public_key: bytes, proof: bytes })
  .required()
  .unknown();

export const settingsReplySchema = Joi.object<SettingsReply>({ proof: bytes }).required().unknown();

export const adoptionRefusalSchema = Joi.object<AdoptionRefusal>({
  code: Joi.string()
    .valid(...ADOPTION_REFUSALS)
    .required(),
  message: Joi.string().allow('').required(),
})
  .required()
  .unknown();

// What a waiting runner accepts while it is adopted, as Joi schemas. The messages themselves are in adoption.ts.

import Joi from 'joi';
import { WORKER_ID_PATTERN } from '../model/worker.ts';
import {
  ADOPTION_VERSION,
  type ClusterSettings,
  type HelloRequest,
  type SettingsRequest,
} from './adoption.ts';

/** Of a sealed message with the longest settings below, and some room. */
export const ADOPTION_BODY_MAX_BYTES = 32 * 1_024;

const base64 = (bytes: number) =>
  Joi.string()
    .base64()
    .length(Math.ceil(bytes / 3) * 4);
const workerId = Joi.string().pattern(WORKER_ID_PATTERN, 'letters, digits, ".", "_" and "-"').required();
const nonce = base64(32).required();
const url = Joi.string().max(4_096).required();

/** Looked at first: another version may have other fields. */
export const adoptionVersionSchema = Joi.object<{ version: number }>({
  version: Joi.number().integer().strict().required(),
}).unknown();

export const helloRequestSchema = Joi.object<HelloRequest>({
  version: Joi.valid(ADOPTION_VERSION).required(),
  worker_id: workerId,
  address: Joi.string().max(255).required(),
  nonce,
  public_key: base64(32).required(),
}).required();

export const settingsRequestSchema = Joi.object<SettingsRequest>({
  nonce,
  proof: base64(32).required(),
  sealed: Joi.object({
    iv: base64(12).required(),
    data: Joi.string().base64().max(24_576).required(),
    tag: base64(16).required(),
  }).required(),
}).required();

/** The form alone; what the values must be like is said where settings are read. */
export const clusterSettingsSchema = Joi.object<ClusterSettings>({
  STORE_URL: url,
  REDIS_URL: url,
  REDIS_PREFIX: Joi.string().max(64).required(),
  FILES_URL: url,
  WORKER_LEASE_SECONDS: Joi.number().strict().required(),
  WORKER_ID: workerId,
  WORKER_ADDRESS: Joi.string().max(255).required(),
}).required();

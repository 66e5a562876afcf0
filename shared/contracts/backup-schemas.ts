// What a restore accepts: its query, and what a backup says of itself.

import Joi from 'joi';
import { BACKUP_FORMAT, BACKUP_FORMAT_VERSION, type BackupManifest, DATABASE_NAME } from './backups.ts';

export interface RestoreQuery {
  dry_run: boolean;
}

export const restoreSchema = Joi.object<RestoreQuery>({ dry_run: Joi.boolean().default(false) });

/** Later releases may say more. */
export const manifestSchema = Joi.object<BackupManifest>({
  format: Joi.string().valid(BACKUP_FORMAT).required(),
  format_version: Joi.number().integer().min(1).max(BACKUP_FORMAT_VERSION).required(),
  created_at: Joi.string().isoDate().required(),
  release: Joi.string().max(64).required(),
  schema_version: Joi.number().integer().min(1).required(),
  database: Joi.object({
    file: Joi.string().valid(DATABASE_NAME).required(),
    size_bytes: Joi.number().integer().min(0).required(),
    sha256: Joi.string()
      .pattern(/^[0-9a-f]{64}$/)
      .required(),
  })
    .unknown()
    .required(),
}).unknown();

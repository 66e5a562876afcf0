// The settings that processes take, and reading those of a file that ships them as a process would.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadApiConfig } from '../../shared/platform/config/api.ts';
import { loadRunnerConfig } from '../../shared/platform/config/runner.ts';
import { loadSchedulerConfig } from '../../shared/platform/config/scheduler.ts';
import { filled, makeSecrets, read, root } from './shipping.ts';

export const SETTINGS = new Set(
  readdirSync(`${root}/shared/platform/config`)
    .filter((name) => !name.endsWith('.test.ts'))
    .flatMap((name) => [...read(`shared/platform/config/${name}`).matchAll(/^ {2}([A-Z][A-Z_]+)[:,]/gm)])
    .map(([, name]) => name),
);
export const ROLES = ['api', 'scheduler', 'runner'] as const;
export type Role = (typeof ROLES)[number];
const LOADERS = { api: loadApiConfig, scheduler: loadSchedulerConfig, runner: loadRunnerConfig };
export const isRole = (role: unknown): role is Role => ROLES.includes(role as Role);

/** As a process reads them, each secret in a file of the test. @throws what the process would say */
export function loadAs(role: Role, env: Readonly<Record<string, unknown>>): void {
  const folder = temporaryFolder();
  makeSecrets(folder);
  const texts = Object.entries(env).map(([name, value]) => [
    name,
    filled(String(value).replace(/^\/run\/secrets\/(cloudai\/)?/, `${folder}/`)),
  ]);
  LOADERS[role](Object.fromEntries(texts));
}

/** Gone when the test is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cloudai-shipping-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

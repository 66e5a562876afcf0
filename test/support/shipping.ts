// Reading what ships CloudAI: files of infra, compose's variables, and secrets made as its users make them.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
export const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: documents whose form is what is checked.
export type Yaml = any;

/** `${NAME:-default}` of compose as its default, which may hold another. */
export function filled(text: string): string {
  const inner = text.replace(/\$\{\w+:-([^${}]*)\}/g, '$1');
  return inner === text ? text : filled(inner);
}

export function makeSecrets(folder: string): void {
  execFileSync('sh', [`${root}/infra/make-secrets.sh`, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
}

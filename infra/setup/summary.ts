// The words after a good start: where everything is and what to try next. Only text, no decisions.

import { relative } from 'node:path';
import type { Admin } from './admin-account.ts';
import { ADMIN, tokenFile } from './admin-account.ts';

export interface SummaryOptions {
  readonly url: string;
  readonly dataDir: string;
  readonly admin: Admin;
  readonly image: string;
  /** Folder the person is in, to show short paths. */
  readonly cwd: string;
  readonly dashboard: boolean;
}

export function summaryLines({ url, dataDir, admin, image, cwd, dashboard }: SummaryOptions): string[] {
  const file = short(tokenFile(dataDir), cwd);
  const body = `{"docker_image":"${image}","command":"echo hello","cpu_required":0.5,"memory_required":64}`;
  const lines = ['', `CloudAI is up: ${url}${dashboard ? '  (dashboard and API)' : '  (API)'}`];
  if (admin.kind === 'created') {
    lines.push(`  user      ${ADMIN}`, `  password  ${admin.password}  (shown only now: write it down)`);
  }
  if (admin.kind === 'unknown') {
    lines.push(
      `  The records have accounts already, and ${file} holds no valid token of one (${admin.why}).`,
      `  Sign in with your own: npx cloudai login --url ${url}`,
    );
    return [...lines, `  logs      ${short(dataDir, cwd)}/logs`, ''];
  }
  return [
    ...lines,
    `  token     ${admin.token}  (kept in ${file})`,
    `  logs      ${short(dataDir, cwd)}/logs`,
    '',
    'Try next, in another terminal:',
    `  export CLOUDAI_URL=${url} CLOUDAI_TOKEN=$(cat ${quoted(file)})`,
    `  curl -X POST $CLOUDAI_URL/api/tasks -H "Authorization: Bearer $CLOUDAI_TOKEN" -H "Content-Type: application/json" -d '${body}'`,
    '  curl $CLOUDAI_URL/api/tasks -H "Authorization: Bearer $CLOUDAI_TOKEN"',
    '  npx cloudai list-tasks',
    '',
  ];
}

function short(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near !== '' && !near.startsWith('..') ? near : path;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

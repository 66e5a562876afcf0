// The words after a good start: where everything is and what to try next. Only text, no decisions.

import { join, relative } from 'node:path';
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
  readonly machines: {
    /** Where the cluster's token is kept; null when the person gave one. */
    readonly tokenFile: string | null;
    /** Other machines can reach the records and the queues. */
    readonly isShared: boolean;
  };
}

export function summaryLines(options: SummaryOptions): string[] {
  const { url, dataDir, admin, image, cwd, dashboard } = options;
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
    ...machineLines(options),
    '',
  ];
}

function machineLines({ machines: { tokenFile, isShared }, cwd }: SummaryOptions): string[] {
  const kept = tokenFile === null ? null : short(tokenFile, cwd);
  if (isShared) {
    return [
      `To add a machine${kept === null ? '' : ` (the token of this cluster is in ${kept})`}:`,
      '  CLUSTER_TOKEN=<token> npm run worker                    on that machine',
      '  npx cloudai register worker-2 <that machine>:50052      here',
    ];
  }
  // Where that command looks by itself.
  const isFound = kept === join('data', 'cluster-token');
  const from =
    kept === null ? 'CLUSTER_TOKEN=<token> ' : isFound ? '' : `CLUSTER_TOKEN_FILE=${quoted(kept)} `;
  return [
    'To add a second worker on this machine:',
    `  ${from}npm run worker`,
    '  npx cloudai register worker-2 localhost:50052',
    'For other machines the records and queues must be where they can reach them: docs/GETTING_STARTED.md',
  ];
}

function short(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near !== '' && !near.startsWith('..') ? near : path;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

// The volume that all containers of a run share. CloudAI mounts nothing of a machine into a task, so the engines of the
// run are given an OCI runtime that adds it: a few lines of shell around runc.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../infra/setup/commands.ts';
import { EFFECTS_FILE, MARKS_FOLDER, SHARED_PATH } from './jobs.ts';

export interface SharedVolume {
  readonly dir: string;
  /** For the command line of dockerd. */
  readonly engineArguments: readonly string[];
}

export async function makeSharedVolume(folder: string): Promise<SharedVolume> {
  const dir = join(folder, 'shared');
  await mkdir(join(dir, MARKS_FOLDER), { recursive: true });
  await writeFile(join(dir, EFFECTS_FILE), '');
  // Root of a container has not all rights of root here.
  for (const path of [dir, join(dir, MARKS_FOLDER)]) await chmod(path, 0o777);
  await chmod(join(dir, EFFECTS_FILE), 0o666);
  const runc = findProgram('runc');
  if (!runc) throw new Error('the fault suite needs runc, which comes with Docker');
  const mount = `{"destination":"${SHARED_PATH}","type":"bind","source":"${dir}","options":["rbind","rw"]}`;
  const script = join(folder, 'runc-with-volume');
  await writeFile(
    script,
    [
      '#!/bin/sh',
      'creates=; bundle=; before=',
      'for word; do',
      '  case "$before" in --bundle) bundle=$word ;; esac',
      '  case "$word" in create) creates=yes ;; esac',
      '  before=$word',
      'done',
      'if [ -n "$creates" ] && [ -n "$bundle" ]; then',
      `  sed -i 's#"mounts":\\[#"mounts":[${mount},#' "$bundle/config.json"`,
      'fi',
      `exec ${runc} "$@"`,
      '',
    ].join('\n'),
    { mode: 0o755 },
  );
  return {
    dir,
    engineArguments: ['--add-runtime', `with-volume=${script}`, '--default-runtime', 'with-volume'],
  };
}

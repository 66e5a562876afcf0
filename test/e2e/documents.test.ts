// Commands of the documents do what they say they do: blocks with the remark `run` are typed into a real shell against a
// real cluster, in the order of the document, and each command must end with 0. Which blocks have to have a remark, and
// which there are: test/rules/commands.test.ts. Also understood: `<!-- typed, not shown: secure123 -->`.
//
// What a reader puts in, the test puts in: `<token>`, `<task id>`, `task-…` (the newest task), `upload-…`, the name of the
// worker, and images that would have to be fetched.

import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { blocksToRun, userDocuments } from '../support/documents.ts';
import type { Fenced } from '../support/markdown.ts';
import { TEST_IMAGE, uniqueName } from '../support/servers.ts';
import { TypedShell } from '../support/typed-shell.ts';

const root = resolve(import.meta.dirname, '../..');
const documents = userDocuments()
  .map((path) => ({ path, blocks: blocksToRun(path) }))
  .filter(({ blocks }) => blocks.length > 0);

/** In the place of images of a registry; it has no Python, so nothing waits for what such tasks print. */
const FETCHED_IMAGES = /\b(?:python:3\.9|ubuntu:latest)\b/g;

/** As a reader has them: npx in the folder of CloudAI, and a curl that tells when it was refused. */
const PROGRAMS = {
  cloudai: `exec "${process.execPath}" "${root}/dist/cli/main.js" "$@"`,
  npx: '[ "$1" = cloudai ] || { echo "npx $1 is not for this test" >&2; exit 127; }; shift; exec cloudai "$@"',
  curl: `exec "${process.env.CURL_PATH ?? '/usr/bin/curl'}" --silent --show-error --fail-with-body --max-time 30 "$@"`,
};

/** Containers of a worker's name are its own on a machine. */
const worker = uniqueName('w-');
let cluster: Cluster;

beforeAll(async () => {
  // Room for what the documents ask for, whatever this machine has.
  const env = {
    WORKER_CPUS: '8',
    WORKER_MEMORY_MB: '65536',
    WORKER_STORAGE_MB: '20480',
    STOP_GRACE_SECONDS: '1',
  };
  cluster = await startCluster({ runners: [{ id: worker, env }] });
  await cluster.signIn('admin');
  // As `npm start` does.
  const first = await cluster.submit({
    docker_image: TEST_IMAGE,
    command: 'echo hello',
    memory_required: 64,
  });
  await cluster.ended(first.task_id);
  await mkdir(`${cluster.dataDir}/bin`);
  for (const [name, script] of Object.entries(PROGRAMS)) {
    await writeFile(`${cluster.dataDir}/bin/${name}`, `#!/bin/sh\n${script}\n`);
    await chmod(`${cluster.dataDir}/bin/${name}`, 0o755);
  }
});
afterAll(() => cluster?.stop());

describe.each(documents)('$path', ({ path, blocks }) => {
  let reader: Reader;
  let isBroken = false;

  beforeAll(async () => {
    reader = await Reader.open(cluster, path);
  });
  afterAll(() => reader?.close());

  for (const block of blocks) {
    it(`line ${block.line}: ${block.lines[0]}`, async ({ skip }) => {
      // Later blocks stand on what this one has made.
      if (isBroken) skip('a block above did not succeed');
      isBroken = true;
      await reader.type(path, block);
      isBroken = false;
    });
  }
});

/** Somebody who goes through one document, in a home of their own. */
class Reader {
  readonly #cluster: Cluster;
  readonly #shell: TypedShell;
  #token: string;

  private constructor(of: Cluster, shell: TypedShell) {
    this.#cluster = of;
    this.#shell = shell;
    this.#token = of.token;
  }

  static async open(of: Cluster, document: string): Promise<Reader> {
    const home = `${of.dataDir}/readers/${document.replaceAll('/', '-')}`;
    await mkdir(home, { recursive: true });
    await symlink(`${root}/docs`, `${home}/docs`);
    const shell = await TypedShell.open({
      cwd: home,
      env: {
        HOME: home,
        XDG_CONFIG_HOME: `${home}/.config`,
        PATH: `${of.dataDir}/bin:${dirname(process.execPath)}:${process.env.PATH}`,
        CLOUDAI_URL: of.url,
      },
    });
    return new Reader(of, shell);
  }

  async type(path: string, { lines, remarks, line }: Fenced): Promise<void> {
    const hidden = remarks.get('typed, not shown')?.split(/,\s*/) ?? [];
    for (const command of commandsOf(lines)) {
      const typed = await Promise.all(command.map((one) => this.#putIn(one)));
      const shown = await this.#shell.run(typed, hidden.splice(0));
      const [code] = (await this.#shell.run(['echo $?'])).slice(-1);
      expect(code, `${path}:${line}: ${typed.join('\n')}\n${shown.join('\n')}`).toBe('0');
      const [, token] = /"token":"([^"]+)"/.exec(shown.join('')) ?? [];
      this.#token = token ?? this.#token;
    }
  }

  close(): void {
    this.#shell.close();
  }

  async #putIn(line: string): Promise<string> {
    let text = line
      .replaceAll('localhost:8080', new URL(this.#cluster.url).host)
      .replaceAll('<token>', this.#token)
      .replaceAll(/\bworker-1\b/g, worker)
      .replaceAll(FETCHED_IMAGES, TEST_IMAGE);
    if (/<task id>|task-…|task-<id>/.test(text)) {
      const { body } = await this.#cluster.call<{ tasks: { task_id: string }[] }>(
        'GET',
        '/api/tasks?limit=1',
      );
      text = text.replaceAll(/<task id>|task-…|task-<id>/g, body.tasks[0]?.task_id ?? 'no task');
    }
    if (text.includes('upload-…')) {
      const { body } = await this.#cluster.call<{ uploads: { upload_id: string }[] }>('GET', '/api/uploads');
      text = text.replaceAll('upload-…', body.uploads[0]?.upload_id ?? 'no upload');
    }
    return text;
  }
}

/** Each with its further lines: those after a backslash, and those of a here-document. */
function commandsOf(lines: readonly string[]): string[][] {
  const commands: string[][] = [];
  let end: string | null = null;
  for (const line of lines) {
    const last = commands.at(-1);
    if (end !== null || last?.at(-1)?.endsWith('\\')) {
      last?.push(line);
      if (line === end) end = null;
      continue;
    }
    if (line.trim() === '' || line.startsWith('#')) continue;
    commands.push([line]);
    end = /<<'?(\w+)'?/.exec(line)?.[1] ?? null;
  }
  return commands;
}

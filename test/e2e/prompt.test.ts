// The prompt and completion as a person at a terminal meets them: the built program on a pseudo-terminal, against the
// real system.

import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { Pty, type PtyOptions } from '../support/pty.ts';
import { TEST_IMAGE } from '../support/servers.ts';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const PROMPT = 'master> ';
let cluster: Cluster;
let open: Pty[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.signIn('alice');
  // As `npm install` would put it on the PATH.
  await mkdir(`${cluster.dataDir}/bin`);
  await symlink(main, `${cluster.dataDir}/bin/cloudai`);
});
afterEach(() => {
  for (const pty of open) pty.kill();
  open = [];
});
afterAll(() => cluster?.stop());

function spawn(file: string, args: readonly string[], { env, ...options }: PtyOptions = {}): Pty {
  const home = { HOME: cluster.dataDir, XDG_CONFIG_HOME: `${cluster.dataDir}/config` };
  const pty = new Pty(file, args, {
    env: { ...home, LANG: 'C.UTF-8', CLOUDAI_URL: cluster.url, ...env },
    ...options,
  });
  open.push(pty);
  return pty;
}

async function openPrompt(options: PtyOptions = {}, args: readonly string[] = []): Promise<Pty> {
  const pty = spawn(process.execPath, [main, ...args], options);
  await pty.waitsAfter(PROMPT);
  return pty;
}

/** The next prompt after something that is on the screen by then. */
const promptAfter = (text: string) => new RegExp(`${text}[\\s\\S]*\\n${PROMPT.trim()}$`);

const signedIn = () => ({ CLOUDAI_TOKEN: cluster.token });

describe('the prompt', () => {
  it('greets, signs in by asking, runs commands, and leaves at Ctrl-D', async () => {
    const pty = await openPrompt();
    expect(pty.screen()).toContain(`CloudAI at ${cluster.url}, not signed in`);
    pty.enter('login --username alice');
    await pty.shows('Password:');
    pty.enter('secure123');
    await pty.shows(promptAfter('Signed in to .* as alice'));
    pty.enter(`cloudai task ${TEST_IMAGE} -mem 0.0625 -name "from the prompt" --wait -- echo 'a  b'`);
    await pty.shows(promptAfter('a {2}b\n[\\s\\S]*completed'));
    expect(pty.all()).not.toContain('secure123');
    pty.press('ctrl-d');
    expect(await pty.exitCode()).toBe(0);
    expect(pty.cursorHidden).toBe(false);
  });

  it('greets whom it knows, and remembers what was typed before', async () => {
    const first = await openPrompt({ env: signedIn() });
    expect(first.screen()).toMatch(/signed in as alice \(admin\): 1 worker, 0 running, 0 waiting/);
    first.enter('workers --quiet');
    await first.shows(promptAfter('workers --quiet\nw-'));
    first.enter('list-tasks --token a-secret');
    await first.shows(promptAfter('cloudai login'));
    first.enter('exit');
    expect(await first.exitCode()).toBe(0);

    const second = await openPrompt({ env: signedIn() });
    second.press('up');
    await second.waitsAfter('exit');
    second.press('up');
    await second.waitsAfter('workers --quiet');
    second.press('enter');
    await second.shows(promptAfter('workers --quiet\nw-'));
    // In one piece, as in a paste: first what was typed, then the way out.
    second.type('# done\r\x04');
    expect(await second.exitCode()).toBe(0);
    expect(await readFile(`${cluster.dataDir}/config/cloudai/history`, 'utf8')).not.toContain('a-secret');
  });

  it('completes a command, an option and a task’s id, and names the command that was meant', async () => {
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      memory_required: 64,
      command: 'true',
    });
    await cluster.ended(task_id);
    const pty = await openPrompt({ env: signedIn() });
    pty.type('lis');
    pty.press('tab');
    await pty.waitsAfter('list-tasks ');
    pty.type('--al');
    pty.press('tab');
    await pty.waitsAfter('list-tasks --all ');
    pty.press('ctrl-c');
    await pty.shows(/--all \^C\nmaster>$/);
    pty.type(`get ${task_id.slice(0, -4)}`);
    pty.press('tab');
    await pty.waitsAfter(`get ${task_id} `);
    pty.press('enter');
    await pty.shows(promptAfter('state +completed'));
    pty.enter('wrokers');
    await pty.shows(promptAfter('Did you mean workers?'));
    pty.press('ctrl-c');
    await pty.shows(promptAfter('To leave: exit'));
  });

  it('comes back at Ctrl-C from a command, and what it watched goes on', async () => {
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      memory_required: 64,
      command: 'echo begun; exec sleep 60',
    });
    const pty = await openPrompt({ env: signedIn() });
    pty.enter(`logs -f ${task_id}`);
    await pty.shows(/\nbegun$/);
    pty.press('ctrl-c');
    await pty.shows(/\^C\nmaster>$/);
    expect((await cluster.task(task_id)).status).toBe('running');
    pty.enter(`cancel ${task_id} --force`);
    await pty.shows(promptAfter('is being stopped|is cancelled'));
    // It reads on however often that happens.
    for (let times = 0; times < 12; times += 1) pty.enter('# again');
    await pty.shows(promptAfter('(# again[\\s\\S]*){12}'));
    expect(pty.all()).not.toContain('Warning');
    // Also from a question.
    pty.enter('login');
    await pty.shows('Username:');
    pty.press('ctrl-c');
    await pty.waitsAfter(PROMPT);
    pty.enter('queue');
    await pty.shows(promptAfter('Nothing waits'));
    pty.press('ctrl-d');
    expect(await pty.exitCode()).toBe(0);
  });

  it('asks outside of it too, and a person who leaves the question gets 130', async () => {
    for (const key of ['ctrl-c', 'ctrl-d'] as const) {
      const pty = spawn(process.execPath, [main, 'login', '--username', 'alice']);
      await pty.shows('Password:');
      pty.type('typed');
      pty.press(key);
      expect(await pty.exitCode()).toBe(130);
      expect(pty.all()).not.toContain('typed');
      expect(pty.cursorHidden).toBe(false);
    }
  });

  it('fits a narrow terminal, and one that changes', async () => {
    const pty = await openPrompt({ env: signedIn(), columns: 40 });
    pty.enter('workers');
    await pty.shows(promptAfter('WORKER +STATE'));
    expect(pty.screen()).not.toContain('NETWORK IN');
    pty.resize(160);
    pty.enter('workers');
    await pty.shows(promptAfter('NETWORK IN'));
  });

  it('opens without a cluster, a profile or a history that can be used, and says so', async () => {
    const config = `${cluster.dataDir}/broken/cloudai`;
    await mkdir(`${config}/history`, { recursive: true });
    await writeFile(`${config}/config.json`, 'nonsense');
    const env = { XDG_CONFIG_HOME: `${cluster.dataDir}/broken` };
    const pty = await openPrompt({ env }, ['--url', 'http://127.0.0.1:9999']);
    expect(pty.screen()).toMatch(/not remembered[\s\S]*config.json is not JSON/);
    pty.enter('exit');
    expect(await pty.exitCode()).toBe(0);
  });

  it('has no colour where none is wanted', async () => {
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      const pty = await openPrompt({ env: { ...signedIn(), ...env } });
      pty.enter('workers');
      await pty.shows(promptAfter('ready'));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
      expect(pty.raw).not.toMatch(/\x1b\[\d+m/);
    }
  });

  it('is none where nobody types', async () => {
    const pty = spawn('bash', ['-c', `echo workers | "${process.execPath}" "${main}"; echo code $?`]);
    await pty.exitCode();
    expect(pty.all()).toMatch(/Usage: cloudai[\s\S]*\ncode 2$/);
  });
});

describe('completion in a shell', () => {
  const paths = () => ({
    PATH: `${cluster.dataDir}/bin:${process.env.PATH}`,
    ...signedIn(),
    PS1: '$ ',
    PROMPT: '$ ',
  });
  const { ZSH_PATH: zsh = '', FISH_PATH: fish = '' } = process.env;

  async function workerId(): Promise<string> {
    const { body } = await cluster.call<{ workers: { worker_id: string }[] }>('GET', '/workers');
    return body.workers[0]?.worker_id ?? '';
  }

  /** Names of commands, and ids of the cluster. Leaves an empty line. */
  async function completes(pty: Pty, id: string): Promise<void> {
    pty.type('cloudai list-t');
    pty.press('tab');
    await pty.waitsAfter('$ cloudai list-tasks ');
    pty.press('ctrl-u');
    pty.type(`cloudai drain ${id.slice(0, 4)}`);
    pty.press('tab');
    await pty.waitsAfter(`drain ${id} `);
    pty.press('ctrl-u');
  }

  it('works in bash', async () => {
    const id = await workerId();
    await cluster.submit({ docker_image: TEST_IMAGE, memory_required: 64, command: 'true' });
    const pty = spawn('bash', ['--norc', '-i'], { env: paths() });
    await pty.waitsAfter('$ ');
    pty.enter('source <(cloudai completion bash)');
    await pty.waitsAfter('$ ');
    await completes(pty, id);
    pty.type(`A=1 cloudai drain ${id.slice(0, 4)}`);
    pty.press('tab');
    await pty.waitsAfter(`drain ${id} `);
    pty.press('ctrl-u');
    // What has the signs in it at which bash ends a word.
    pty.type('cloudai task cloudai/busybox:lo');
    pty.press('tab');
    await pty.waitsAfter('task cloudai/busybox:local ');
    pty.type('--network=no');
    pty.press('tab');
    await pty.waitsAfter('--network=none ');
    pty.press('ctrl-u');
    await writeFile(`${cluster.dataDir}/two words.txt`, '');
    pty.type(`cloudai upload ${cluster.dataDir}/two`);
    pty.press('tab');
    await pty.waitsAfter("two words.txt' ");
  });

  it.skipIf(zsh === '')('works in zsh', async () => {
    const id = await workerId();
    const pty = spawn(zsh, ['-f', '-i'], { env: paths() });
    await pty.waitsAfter('$ ');
    pty.enter('autoload -U compinit && compinit -u && source <(cloudai completion zsh)');
    await pty.waitsAfter('$ ');
    await completes(pty, id);
    pty.type('cloudai webhooks del');
    pty.press('tab');
    await pty.shows(/delete +-- tell it nothing more/);
  });

  it.skipIf(fish === '')('works in fish', async () => {
    const id = await workerId();
    const begin = 'function fish_prompt; echo \\$\\ ; end; cloudai completion fish | source';
    const pty = spawn(fish, ['--no-config', '--init-command', begin], { env: paths() });
    await pty.waitsAfter('$ ');
    await completes(pty, id);
    pty.type('cloudai webhooks de');
    pty.press('tab');
    await pty.shows(/delete +\(tell it nothing more\)/);
  });
});

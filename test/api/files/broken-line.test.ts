// The command line moving large files over a line that breaks: it goes on by itself, in a later run, and over another
// copy of the API, and what arrives is what was sent.

import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage, type World } from '../../support/cli-stage.ts';
import { type CutLine, openCutLine } from '../../support/cut-line.ts';
import { tempDir } from '../../support/servers.ts';
import { type FileStage, openFileStage } from './stage.ts';

const MB = 1_048_576;
const SIZE = 12 * MB + 345;
/** Heads of calls, and what was under way when the line was cut. */
const SLACK = 3 * MB;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

let stage: FileStage;
let cli: CliStage;
let line: CutLine;
let folder: Awaited<ReturnType<typeof tempDir>>;
let local: string;
let bytes: Buffer;

beforeAll(async () => {
  stage = await openFileStage();
  cli = await openCliStage();
  folder = await tempDir();
});
afterAll(async () => {
  await folder?.remove();
  await cli?.close();
  await stage?.close();
});
beforeEach(async () => {
  line = await openCutLine(stage.url);
  bytes = randomBytes(SIZE);
  local = join(folder.path, 'large.bin');
  await writeFile(local, bytes);
});
afterEach(() => line.close());

const cloudai = (words: string[], { env, ...world }: World = {}) =>
  cli.cloudai(words, {
    env: { CLOUDAI_URL: line.url, CLOUDAI_TOKEN: stage.alice.token, CLOUDAI_RETRY_SECONDS: '30', ...env },
    ...world,
  });
const kept = async (path: string) =>
  sha256(Buffer.from(await (await stage.fetch(stage.alice, 'GET', `/api/files/${path}`)).arrayBuffer()));
const remembered = () => readdir(join(cli.home, 'cloudai', 'uploads')).catch(() => []);
const impatient = { env: { CLOUDAI_RETRY_SECONDS: '0.2' } };

describe('an upload', () => {
  it('that is cut goes on by itself, and says so', async () => {
    line.cutAfter(7 * MB, 'sent');
    const told = await cloudai(['upload', local, 'a.bin']);
    expect(told).toMatchObject({ code: 0, out: 'a.bin (12 MB)\n' });
    expect(told.err).toMatch(
      /^a.bin: cannot reach .+; tries again for 30 s\n(.+\n)*a.bin: goes on at \d\d%\n$/,
    );
    expect(await kept('a.bin')).toBe(sha256(bytes));
    expect(line.sent).toBeLessThan(SIZE + SLACK);
    expect(await remembered()).toEqual([]);
  });

  it('whose line stays dead goes on in a later run, over another copy of the API', async () => {
    line.cutAfter(7 * MB, 'sent', true);
    expect(await cloudai(['upload', local, 'b.bin'], impatient)).toMatchObject({ code: 3, out: '' });
    const [name = ''] = await remembered();
    const file = join(cli.home, 'cloudai', 'uploads', name);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain(stage.alice.token);
    const copy = await stage.test.copy();
    line.leadTo(await copy.api.start());
    line.mend();
    const told = await cloudai(['upload', local, 'b.bin']);
    expect(told).toMatchObject({ code: 0, err: expect.stringMatching(/^b.bin: goes on at \d\d%\n$/) });
    expect(await kept('b.bin')).toBe(sha256(bytes));
    expect(line.sent).toBeLessThan(SIZE + SLACK);
    expect(await remembered()).toEqual([]);
    await copy.close();
  });

  it('that was stopped by Ctrl-C goes on, and says beforehand that it will', async () => {
    const stop = new AbortController();
    line.when(7 * MB, () => stop.abort());
    const told = await cloudai(['upload', local, 'c.bin'], { signal: stop.signal });
    expect(told).toMatchObject({ code: 130, out: '' });
    expect(told.err).toContain('The same command goes on where it stopped.');
    expect((await cloudai(['upload', local, 'c.bin'])).err).toMatch(/goes on at \d\d%/);
    expect(await kept('c.bin')).toBe(sha256(bytes));
    expect(line.sent).toBeLessThan(SIZE + SLACK);
  });

  it('whose process is killed goes on in another', async () => {
    const main = resolve(import.meta.dirname, '../../../cli/main.ts');
    const env = {
      ...process.env,
      XDG_CONFIG_HOME: cli.home,
      CLOUDAI_URL: line.url,
      CLOUDAI_TOKEN: stage.alice.token,
    };
    const words = ['--import', 'tsx', main, 'upload', local, 'killed.bin'];
    const child = spawn(process.execPath, words, { env, stdio: 'ignore' });
    const exit = once(child, 'exit');
    line.when(7 * MB, () => child.kill('SIGKILL'));
    expect((await exit)[1]).toBe('SIGKILL');
    expect((await cloudai(['upload', local, 'killed.bin'])).err).toMatch(/goes on at \d\d%/);
    expect(await kept('killed.bin')).toBe(sha256(bytes));
    expect(line.sent).toBeLessThan(SIZE + SLACK);
  });

  it('of a file that has changed since begins anew', async () => {
    line.cutAfter(7 * MB, 'sent', true);
    await cloudai(['upload', local, 'd.bin'], impatient);
    const other = randomBytes(SIZE);
    await writeFile(local, other);
    await utimes(local, new Date(1e9), new Date(1e9));
    line.mend();
    const told = await cloudai(['upload', local, 'd.bin']);
    expect(told).toMatchObject({ code: 0, err: expect.stringContaining('has changed since') });
    expect(await kept('d.bin')).toBe(sha256(other));
    expect(await stage.test.store.uploads.listOpen(stage.alice.id, 9)).toEqual([]);
  });

  it('that the cluster has forgotten begins anew', async () => {
    line.cutAfter(7 * MB, 'sent', true);
    await cloudai(['upload', local, 'e.bin'], impatient);
    const [upload] = await stage.test.store.uploads.listOpen(stage.alice.id, 9);
    await stage.test.store.uploads.remove(upload!);
    line.mend();
    const told = await cloudai(['upload', local, 'e.bin']);
    expect(told).toMatchObject({ code: 0, err: expect.stringContaining('begins anew') });
    expect(await kept('e.bin')).toBe(sha256(bytes));
  });

  it('of what is there already sends nothing, unless it is forced', async () => {
    expect((await cloudai(['upload', local, 'f.bin'])).code).toBe(0);
    const before = line.sent;
    expect(await cloudai(['upload', local, 'f.bin'])).toEqual({
      code: 0,
      out: 'f.bin (12 MB, there already)\n',
      err: '',
    });
    expect(line.sent - before).toBeLessThan(10_000);
    expect((await cloudai(['upload', local, 'f.bin', '--force', '--json'])).code).toBe(0);
    expect(line.sent - before).toBeGreaterThan(SIZE);
  });

  it('is sent once when two runs send it', async () => {
    const both = await Promise.all([
      cloudai(['upload', local, 'g.bin']),
      cloudai(['upload', local, 'g.bin']),
    ]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await kept('g.bin')).toBe(sha256(bytes));
  });
});

describe('a download', () => {
  it('that is cut goes on by itself, and in a later run', async () => {
    await cloudai(['upload', local, 'h.bin']);
    const before = line.received;
    line.cutAfter(5 * MB, 'received');
    const target = join(folder.path, 'back.bin');
    const told = await cloudai(['get-file', 'h.bin', target]);
    expect(told).toMatchObject({ code: 0, err: expect.stringMatching(/^h.bin: cannot reach/) });
    expect(sha256(await readFile(target))).toBe(sha256(bytes));
    expect(line.received - before).toBeLessThan(SIZE + SLACK);

    line.cutAfter(5 * MB, 'received', true);
    const later = join(folder.path, 'later.bin');
    expect((await cloudai(['get-file', 'h.bin', later], impatient)).code).toBe(3);
    line.mend();
    expect((await cloudai(['get-file', 'h.bin', later])).code).toBe(0);
    expect(sha256(await readFile(later))).toBe(sha256(bytes));
    expect(line.received - before).toBeLessThan(2 * (SIZE + SLACK));
  });
});

import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { fileBodyOf, type PlayedFiles, playFiles, sha256 } from '../test/support/played-files.ts';
import { TASK_ID } from '../test/support/small-api.ts';
import { LocalFolder } from './files/local-folder.ts';
import { partNames } from './files/part-names.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];
let folder: string;

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai, folder } = stage);
});
afterEach(() => stage.close());

const downloads = () => api.asked.filter(({ path }) => path.includes('/files/')).map(({ path }) => path);
const ranges = () => api.asked.flatMap(({ headers }) => headers.range ?? []);
const textOf = (path: string) => readFile(join(folder, path), 'utf8');

describe('lists', () => {
  it('show a user’s files, page after page', async () => {
    api.on('GET /api/files', ({ query }) => ({
      files: [
        query.cursor
          ? fileBodyOf('out/b.txt', 'bb')
          : fileBodyOf('data.csv', 'x'.repeat(1_536), { task_id: null, attempt: null }),
      ],
      total: { files: 2, bytes: 1_538 },
      next_cursor: query.cursor ? null : 'more',
    }));
    const told = await cloudai(['files', 'alice']);
    expect(told).toMatchObject({ code: 0, err: '2 files, 1.5 KB in all.\n' });
    expect(told.out).toMatch(/^PATH +SIZE +TASK +TYPE +AGE\n/);
    expect(told.out).toMatch(/\ndata.csv +1.5 KB +\(upload\)/);
    expect(told.out).toMatch(new RegExp(`\nout/b.txt +2 B +${TASK_ID}`));
    expect(api.asked.map(({ query }) => query)).toEqual([
      { limit: '1000', user: 'alice' },
      { limit: '999', user: 'alice', cursor: 'more' },
    ]);
    expect((await cloudai(['files', '--limit', '1', '--quiet'])).out).toBe('data.csv\n');
  });

  it('show a task’s files and check whose it is', async () => {
    playFiles(api, { 'a.txt': 'a', 'b/c.txt': 'cc' });
    const told = await cloudai(['task-files', TASK_ID, 'Alice']);
    expect(told).toMatchObject({ code: 0, err: '2 files, 3 B of attempt 1.\n' });
    expect(told.out).toMatch(/^PATH +SIZE +TYPE +AGE\na.txt +1 B/);
    const wrong = await cloudai(['task-files', TASK_ID, 'bob']);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain(`${TASK_ID} is a task of alice, not of bob`);
    expect(JSON.parse((await cloudai(['task-files', TASK_ID, '--json'])).out).files).toHaveLength(2);
  });

  it('say when there is nothing', async () => {
    playFiles(api, {});
    expect((await cloudai(['task-files', TASK_ID])).out).toContain('left no files');
    expect(await cloudai(['download', TASK_ID, 'alice', join(folder, 'none')])).toMatchObject({
      code: 0,
      err: expect.stringContaining('left no files'),
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('download', () => {
  const contents = { 'model.bin': 'weights '.repeat(10_000), 'logs/epoch 1.txt': 'grüße €', empty: '' };
  let played: PlayedFiles;
  beforeEach(() => {
    played = playFiles(api, contents);
  });

  it('brings the whole tree and says where it is', async () => {
    const told = await cloudai(['download', TASK_ID, 'alice', folder]);
    expect(told).toEqual({ code: 0, out: `3 files, 78.1 KB in ${folder}\n`, err: '' });
    for (const [path, content] of Object.entries(contents)) expect(await textOf(path)).toBe(content);
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([
      'empty',
      'logs',
      'logs/epoch 1.txt',
      'model.bin',
    ]);
  });

  it('fetches nothing twice', async () => {
    await cloudai(['download', TASK_ID, folder]);
    await writeFile(join(folder, 'logs/epoch 1.txt'), 'changed!!!!');
    const before = downloads().length;
    const told = await cloudai(['download', TASK_ID, folder]);
    expect(told.out).toContain('(2 of them there before)');
    expect(downloads().slice(before)).toEqual([`/api/tasks/${TASK_ID}/files/logs/epoch%201.txt`]);
    expect(await textOf('logs/epoch 1.txt')).toBe(contents['logs/epoch 1.txt']);
  });

  it('prints the list with places and sums for scripts', async () => {
    const { out, err } = await cloudai(['download', TASK_ID, folder, '--json'], { progress: true });
    expect(err).toBe('');
    const { files, ...rest } = JSON.parse(out);
    expect(rest).toEqual({ task_id: TASK_ID, attempt: 1, folder });
    expect(files[1]).toMatchObject({
      path: 'logs/epoch 1.txt',
      local_path: join(folder, 'logs/epoch 1.txt'),
      status: 'downloaded',
      sha256: sha256(contents['logs/epoch 1.txt']),
    });
    expect((await cloudai(['download', TASK_ID, folder, '--quiet'])).out).toBe(
      ['model.bin', 'logs/epoch 1.txt', 'empty'].map((path) => `${join(folder, path)}\n`).join(''),
    );
  });

  it('goes on where an earlier run was cut off', async () => {
    await writeFile(join(folder, 'model.bin.part'), contents['model.bin'].slice(0, 30_000));
    expect((await cloudai(['download', TASK_ID, folder])).code).toBe(0);
    expect(ranges()).toEqual(['bytes=30000-']);
    expect(await textOf('model.bin')).toBe(contents['model.bin']);
    expect(await readdir(folder)).not.toContain('model.bin.part');
  });

  it('goes on by itself when the connection breaks, and gives up when nothing comes any more', async () => {
    played.cutAfter = 30_000;
    expect((await cloudai(['download', TASK_ID, folder])).code).toBe(0);
    expect(ranges()).toEqual(['bytes=30000-', 'bytes=60000-']);
    expect(await textOf('model.bin')).toBe(contents['model.bin']);

    await rm(join(folder, 'model.bin'));
    played.cutAfter = 0;
    const told = await cloudai(['download', TASK_ID, folder], { env: { CLOUDAI_RETRY_SECONDS: '0.3' } });
    expect(told.code).toBe(1);
    expect(told.err).toMatch(/^model.bin: cannot reach .+; tries again for 0.3 s\n/);
    expect(told.err).toMatch(/\ncloudai: 1 of 3 files failed\n {2}model.bin: cannot reach /);
  });

  it.each([
    ['of another version', 'other bytes '.repeat(1_000)],
    ['longer than the file', 'x'.repeat(100_000)],
    ['as long as the file', 'x'.repeat(80_000)],
  ])('begins anew with a part %s', async (_what, part) => {
    await writeFile(join(folder, 'model.bin.part'), part);
    expect((await cloudai(['download', TASK_ID, folder])).code).toBe(0);
    expect(await textOf('model.bin')).toBe(contents['model.bin']);
  });

  it('takes a file that comes whole although a part was asked for', async () => {
    played.ignoresRanges = true;
    await writeFile(join(folder, 'model.bin.part'), contents['model.bin'].slice(0, 30_000));
    expect((await cloudai(['download', TASK_ID, folder])).code).toBe(0);
    expect(await textOf('model.bin')).toBe(contents['model.bin']);
  });

  it('names the file whose bytes are wrong, and brings the others', async () => {
    played.corrupts = 'model.bin';
    played.list.push(fileBodyOf('gone.txt', 'x'));
    const told = await cloudai(['download', TASK_ID, folder]);
    expect(told.code).toBe(1);
    expect(told.err).toMatch(
      /^cloudai: 2 of 4 files failed\n {2}model.bin: its bytes .*\n {2}gone.txt: no file/,
    );
    expect(told.out).toContain('2 files');
    expect((await readdir(folder)).sort()).toEqual(['empty', 'logs']);
  });

  it('keeps a part and a file of that name apart', async () => {
    const files = { x: 'the file', 'x.part': 'another file', 'x.part.part': 'one more' };
    played = playFiles(api, files);
    expect((await cloudai(['download', TASK_ID, folder])).code).toBe(0);
    for (const [path, content] of Object.entries(files)) expect(await textOf(path)).toBe(content);
  });

  it('takes no more bytes than were listed', async () => {
    played.list.splice(1);
    played.list[0] = { ...fileBodyOf('model.bin', contents['model.bin']), size_bytes: 10 };
    const told = await cloudai(['download', TASK_ID, folder]);
    expect(told).toMatchObject({ code: 1, err: expect.stringContaining('longer than the 10 bytes') });
  });

  it('stops when it is told to, and leaves the part', async () => {
    const stop = new AbortController();
    api.on('GET /api/tasks/:id/files/.+', (_asked, reply) => {
      const head = { etag: `"${sha256(contents['model.bin'])}"`, 'content-length': '80000' };
      reply.writeHead(200, head).write(contents['model.bin'].slice(0, 10_000));
      setTimeout(() => stop.abort(), 50);
    });
    played.list.splice(1);
    const told = await cloudai(['download', TASK_ID, folder], { signal: stop.signal });
    expect(told.code).toBe(130);
    expect(await readdir(folder)).toEqual(['model.bin.part']);
  });

  it('shows how far it is on a terminal only', async () => {
    const world = { progress: true };
    const { err } = await cloudai(['download', TASK_ID, folder], world);
    expect(err).toMatch(/\r +\d+% \[[=> ]+\] {2}.+ of 78.1 KB {2}\d of 3 files/);
    expect(err).toMatch(/\r +\r$/);
    expect((await cloudai(['download', TASK_ID, folder, '--quiet'], world)).err).toBe('');
  });
});

describe('the words of download', () => {
  const here = process.cwd();
  beforeEach(() => {
    playFiles(api, { 'a.txt': 'a' });
    process.chdir(folder);
  });
  afterEach(() => process.chdir(here));

  it.each([
    [['alice', './output'], 'output'],
    [['ALICE', 'output'], 'output'],
    [['./output'], 'output'],
    [['out/put'], 'out/put'],
    [['alice'], TASK_ID],
    [[], TASK_ID],
  ])('%j put the files where they say', async (words, target) => {
    expect((await cloudai(['download', TASK_ID, ...words])).code).toBe(0);
    expect(await textOf(`${target}/a.txt`)).toBe('a');
  });

  it.each([[['bob']], [['bob', './output']]])('%j name someone else', async (words) => {
    const told = await cloudai(['download', TASK_ID, ...words]);
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toContain(`${TASK_ID} is a task of alice, not of bob`);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a hostile name', () => {
  it.each(['../outside', '/tmp/cloudai-outside', 'a/../../outside', 'a\\..\\..\\b', 'nul\0', ''])(
    '%j is refused, and told, and the rest comes',
    async (path) => {
      const played = playFiles(api, { 'good.txt': 'good' });
      played.list.push(fileBodyOf(path, 'evil'));
      const told = await cloudai(['download', TASK_ID, join(folder, 'in')]);
      expect(told.code).toBe(1);
      expect(told.err).toContain('its name must be');
      expect(await readdir(folder, { recursive: true })).toEqual(['in', 'in/good.txt']);
    },
  );

  it('cannot go through a link that lies in the folder', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'cloudai-outside-'));
    await mkdir(join(folder, 'in'));
    await symlink(outside, join(folder, 'in/link'));
    await symlink(join(outside, 'target'), join(folder, 'in/file'));
    await symlink(join(outside, 'target'), join(folder, 'in/half.part'));
    playFiles(api, { 'link/passwd': 'evil', 'link/deeper/x': 'evil', file: 'good', half: 'good' });
    const told = await cloudai(['download', TASK_ID, join(folder, 'in')]);
    expect(told.code).toBe(1);
    expect(told.err).toContain('link/passwd: ');
    expect(told.err).toContain('is a link');
    expect(await readdir(outside)).toEqual([]);
    expect((await lstat(join(folder, 'in/file'))).isSymbolicLink()).toBe(false);
    expect(await textOf('in/file')).toBe('good');
    await rm(outside, { recursive: true });
  });

  it('never has a place outside, whatever it is', async () => {
    const root = new LocalFolder(folder);
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', 'a', 'b', '\\', '..\\'),
      fc.string({ maxLength: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
        const path = parts.join('/');
        const place = await root.placeOf(path).catch(() => null);
        if (place !== null) expect(place).toBe(`${folder}/${path}`);
      }),
    );
  });

  it.each(['CON', 'a/nul.txt', 'b:c', 'what?', 'dot.', 'space '])(
    '%j is no name on Windows',
    async (path) => {
      await expect(new LocalFolder(folder, 'win32').placeOf(path)).rejects.toThrow('Windows');
      expect(await new LocalFolder(folder).placeOf(path)).toBe(join(folder, path));
    },
  );
});

describe('the names of parts', () => {
  const name = fc.constantFrom('x', 'x.part', 'x.part.part', 'y', 'a/x', 'a/x.part', '€'.repeat(85));

  it('are new, each another, the same each time, and fit a file system', () => {
    expect([...partNames(['a/b'])]).toEqual([['a/b', 'a/b.part']]);
    fc.assert(
      fc.property(fc.uniqueArray(name), (paths) => {
        const parts = [...partNames(paths).values()];
        expect(new Set([...paths, ...parts]).size).toBe(2 * paths.length);
        expect([...partNames(paths).values()]).toEqual(parts);
        for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
      }),
    );
  });
});

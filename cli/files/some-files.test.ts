import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../../test/support/cli-stage.ts';
import { playFiles, sha256 } from '../../test/support/played-files.ts';
import { Status, TASK_ID } from '../../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];
let folder: string;

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai, folder } = stage);
});
afterEach(() => stage.close());

const ranges = () => api.asked.flatMap(({ headers }) => headers.range ?? []);
const textOf = (path: string) => readFile(join(folder, path), 'utf8');

describe('part of what a task left', () => {
  const contents = { 'model.bin': 'm', 'logs/a.txt': 'a', 'logs/b.json': 'b', 'deep/c.json': 'c' };
  beforeEach(() => {
    playFiles(api, contents);
  });

  it.each([
    [['model.bin'], ['model.bin']],
    [['logs'], ['logs/a.txt', 'logs/b.json']],
    [
      ['./logs/', 'model.bin'],
      ['logs/a.txt', 'logs/b.json', 'model.bin'],
    ],
    [['*.json'], ['deep/c.json', 'logs/b.json']],
    [['logs/*.json'], ['logs/b.json']],
  ])('is what %j say', async (words, expected) => {
    const target = join(folder, 'out');
    const told = await cloudai(['download', TASK_ID, target, ...words.flatMap((word) => ['--path', word])]);
    expect(told).toMatchObject({ code: 0, err: '' });
    const found = await readdir(target, { recursive: true, withFileTypes: true });
    const names = found
      .filter((entry) => entry.isFile())
      .map((one) => relative(target, join(one.parentPath, one.name)));
    expect(names.sort()).toEqual(expected);
  });

  it('that is not there makes no folder', async () => {
    const told = await cloudai(['download', TASK_ID, join(folder, 'out'), '--path', 'mode']);
    expect(told).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('none of its 4 files fits'),
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('an archive', () => {
  const packed = Buffer.from('packed bytes \0\xff', 'latin1');
  let breaks = false;
  beforeEach(() => {
    breaks = false;
    playFiles(api, { a: 'a' });
    api.on('GET /api/tasks/:id/archive', ({ query }, reply) => {
      reply.writeHead(200, {
        'content-type': query.format === 'zip' ? 'application/zip' : 'application/gzip',
      });
      if (!breaks) return void reply.end(packed);
      reply.write(packed, () => reply.destroy());
    });
  });

  it.each([
    ['out.tar.gz', 'tar.gz'],
    ['out.tgz', 'tar.gz'],
    ['out.zip', 'zip'],
  ])('goes to %s', async (name, format) => {
    const told = await cloudai(['download', TASK_ID, 'alice', '--archive', join(folder, name)]);
    expect(told).toEqual({ code: 0, out: `15 B in ${join(folder, name)}\n`, err: '' });
    expect(api.asked.at(-1)?.query.format).toBe(format);
    expect((await readFile(join(folder, name))).equals(packed)).toBe(true);
  });

  it('goes to standard output as it is, but not to a terminal', async () => {
    const bytes: Buffer[] = [];
    const outBytes = async (chunk: Uint8Array) => void bytes.push(Buffer.from(chunk));
    expect(await cloudai(['download', TASK_ID, '--archive', '-'], { outBytes })).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    expect(Buffer.concat(bytes).equals(packed)).toBe(true);
    expect(await cloudai(['download', TASK_ID, '--archive', '-'])).toMatchObject({ code: 2, out: '' });
  });

  it('that breaks off leaves nothing', async () => {
    breaks = true;
    const told = await cloudai(['download', TASK_ID, '--archive', join(folder, 'out.zip')]);
    expect(told).toMatchObject({ code: 3, out: '' });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([['out.rar'], ['out.zip', '--path', 'a']])('refuses %j', async (...words) => {
    expect((await cloudai(['download', TASK_ID, '--archive', ...words])).code).toBe(2);
    expect((await cloudai(['download', TASK_ID, 'alice', './x', '--archive', 'out.zip'])).code).toBe(2);
  });
});

describe('an upload that is wanted back', () => {
  const content = 'a,b\n'.repeat(1_000);
  beforeEach(() => {
    const head = {
      etag: `"${sha256(content)}"`,
      'content-type': 'text/csv',
      'last-modified': 'Thu, 01 Jan 2026 10:00:00 GMT',
    };
    api.on('HEAD /api/files/in/a.csv', () => new Status(200, null, { ...head, 'content-length': '4000' }));
    api.on('GET /api/files/in/a.csv', ({ headers }, reply) => {
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
      const range = { 'content-range': `bytes ${from}-3999/4000` };
      reply.writeHead(from > 0 ? 206 : 200, {
        ...head,
        'content-length': 4_000 - from,
        ...(from > 0 ? range : {}),
      });
      reply.end(content.slice(from));
    });
  });

  it('comes under its own name, another, or into a folder, and once only', async () => {
    for (const [given, place] of [
      [folder, 'a.csv'],
      [join(folder, 'b.csv'), 'b.csv'],
    ] as const) {
      const told = await cloudai(['get-file', 'in/a.csv', given, '--user', 'bob']);
      expect(told).toEqual({ code: 0, out: `3.9 KB in ${join(folder, place)}\n`, err: '' });
      expect(await textOf(place)).toBe(content);
    }
    expect(api.asked.map(({ query }) => query.user)).toEqual(['bob', 'bob', 'bob', 'bob']);
    const again = await cloudai(['get-file', 'in/a.csv', folder]);
    expect(again.out).toContain('there before');
  });

  it('goes on where it broke off', async () => {
    await writeFile(join(folder, 'a.csv.part'), content.slice(0, 1_000));
    expect((await cloudai(['get-file', 'in/a.csv', folder])).code).toBe(0);
    expect(ranges()).toEqual(['bytes=1000-']);
    expect(await textOf('a.csv')).toBe(content);
  });

  it('goes to standard output', async () => {
    let out = '';
    const outBytes = async (chunk: Uint8Array) => {
      out += Buffer.from(chunk).toString();
    };
    expect((await cloudai(['get-file', 'in/a.csv', '-'], { outBytes })).code).toBe(0);
    expect(out).toBe(content);
  });

  it('may not be there', async () => {
    expect((await cloudai(['get-file', 'none.csv'])).code).toBe(1);
    expect((await cloudai(['get-file', '../a'])).code).toBe(2);
  });
});

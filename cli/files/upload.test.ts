import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../../test/support/cli-stage.ts';
import { fileBodyOf, sha256 } from '../../test/support/played-files.ts';
import { makeTaskBody, refusal, Status } from '../../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];
let folder: string;

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai, folder } = stage);
});
afterEach(() => stage.close());

describe('upload', () => {
  beforeEach(() =>
    api.on('PUT /api/files/.+', ({ path, body }) => {
      const name = decodeURIComponent(path.slice('/api/files/'.length));
      const content = (body as Buffer | undefined)?.toString() ?? '';
      return new Status(201, fileBodyOf(name, content, { task_id: null, attempt: null }));
    }),
  );
  const sent = () =>
    api.asked
      .filter(({ method }) => method === 'PUT')
      .map(({ path, body }) => [decodeURIComponent(path), (body as Buffer | undefined)?.toString() ?? ''])
      .sort();

  it('sends a file under its own name or another', async () => {
    await writeFile(join(folder, 'data.csv'), 'a,b\n1,2\n');
    const file = join(folder, 'data.csv');
    expect(await cloudai(['upload', file])).toEqual({ code: 0, out: 'data.csv (8 B)\n', err: '' });
    await cloudai(['upload', file, 'in/table.csv']);
    await cloudai(['upload', file, 'in/']);
    expect(sent()).toEqual([
      ['/api/files/data.csv', 'a,b\n1,2\n'],
      ['/api/files/in/data.csv', 'a,b\n1,2\n'],
      ['/api/files/in/table.csv', 'a,b\n1,2\n'],
    ]);
  });

  it('sends a folder with all files in it, and leaves out links', async () => {
    const data = join(folder, 'data');
    await mkdir(join(data, 'deep er'), { recursive: true });
    await writeFile(join(data, 'a'), 'A');
    await writeFile(join(data, 'deep er/b'), '');
    await symlink('/etc/passwd', join(data, 'link'));
    const told = await cloudai(['upload', data]);
    expect(told).toMatchObject({ code: 0, out: 'data/a (1 B)\ndata/deep er/b (0 B)\n' });
    expect(told.err).toBe(`left out as no regular files: ${join(data, 'link')}\n`);
    await cloudai(['upload', data, 'other/place/', '--quiet']);
    expect(sent().map(([path]) => path)).toEqual([
      '/api/files/data/a',
      '/api/files/data/deep er/b',
      '/api/files/other/place/a',
      '/api/files/other/place/deep er/b',
    ]);
    expect(JSON.parse((await cloudai(['upload', data, '--json'])).out).files).toHaveLength(2);
  });

  it('names what failed and sends the rest', async () => {
    await writeFile(join(folder, 'a'), 'A');
    await writeFile(join(folder, 'b'), 'B');
    api.on('PUT /api/files/.+', ({ path }) =>
      path.endsWith('a')
        ? refusal(413, 'too_large', 'a file may have at most 1 MB')
        : new Status(201, fileBodyOf('x/b', 'B')),
    );
    const told = await cloudai(['upload', folder, 'x']);
    expect(told).toMatchObject({ code: 1, out: 'x/b (1 B)\n' });
    expect(told.err).toContain('x/a: a file may have at most 1 MB');
  });

  it('sees bytes that changed on their way', async () => {
    await writeFile(join(folder, 'a'), 'A');
    api.on('PUT /api/files/.+', () => new Status(201, fileBodyOf('a', 'other')));
    expect(await cloudai(['upload', join(folder, 'a')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('other bytes arrived'),
    });
  });

  it.each<[string, (path: string) => Promise<string[]>]>([
    ['what is not there', async (path) => [join(path, 'none')]],
    ['an empty folder', async (path) => [path]],
    [
      'a name that is none',
      async (path) => {
        await writeFile(join(path, 'a'), '');
        return [join(path, 'a'), '../b'];
      },
    ],
  ])('refuses %s before anything is sent', async (_what, prepare) => {
    const words = await prepare(folder);
    expect((await cloudai(['upload', ...words])).code).toBe(2);
    expect(api.asked).toEqual([]);
  });

  it('leaves out what is there already, unless it is told to send it', async () => {
    await writeFile(join(folder, 'a'), 'A');
    await writeFile(join(folder, 'b'), 'B');
    const there = { 'x/a': 'A', 'x/b': 'other' };
    api.on('HEAD /api/files/.+', ({ path }) => {
      const content = there[path.slice('/api/files/'.length) as keyof typeof there];
      return new Status(200, null, {
        etag: `"${sha256(content)}"`,
        'content-length': String(content.length),
        'content-type': 'text/plain',
        'last-modified': 'Thu, 01 Jan 2026 10:00:00 GMT',
      });
    });
    const told = await cloudai(['upload', folder, 'x']);
    expect(told).toMatchObject({ code: 0, out: 'x/a (1 B, there already)\nx/b (1 B)\n' });
    expect(sent()).toEqual([['/api/files/x/b', 'B']]);
    const { files } = JSON.parse((await cloudai(['upload', folder, 'x', '--json'])).out);
    expect(files.map(({ path, status }: { path: string; status: string }) => [path, status])).toEqual([
      ['x/a', 'present'],
      ['x/b', 'uploaded'],
    ]);
    await cloudai(['upload', join(folder, 'a'), 'x/a', '--force']);
    expect(sent()).toContainEqual(['/api/files/x/a', 'A']);
  });

  it('says what cannot be read', async () => {
    await writeFile(join(folder, 'a'), 'A');
    await writeFile(join(folder, 'b'), 'B');
    api.on('HEAD /api/files/.+', async ({ path }) => {
      if (path.endsWith('/a')) await rm(join(folder, 'a'));
      return refusal(404, 'not_found', 'none');
    });
    const told = await cloudai(['upload', folder, 'x']);
    expect(told).toMatchObject({ code: 1, out: 'x/b (1 B)\n' });
    expect(told.err).toContain('x/a: ENOENT');
  });
});

describe('other commands', () => {
  it('delete an upload', async () => {
    api.on('DELETE /api/files/.+', () => new Status(204, null));
    expect(await cloudai(['delete-file', 'in/a b.csv'])).toMatchObject({ code: 0 });
    expect(api.asked[0]?.path).toBe('/api/files/in/a%20b.csv');
    api.on('DELETE /api/files/.+', () => refusal(404, 'not_found', 'there is no upload x'));
    expect(await cloudai(['delete-file', 'x'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no upload'),
    });
  });

  it('list unfinished uploads and give one up', async () => {
    const id = `upload-${'0a'.repeat(10)}`;
    const upload = {
      upload_id: id,
      path: 'in/big.bin',
      size_bytes: 1_000,
      offset: 999,
      content_type: 'text/plain',
      sha256: null,
      state: 'waiting',
      created_at: '2026-01-01T10:00:00.000Z',
      expires_at: '2026-01-02T10:00:00.000Z',
    };
    let list = [upload];
    api.on('GET /api/uploads', () => ({ uploads: list }));
    api.on('DELETE /api/uploads/.+', () => new Status(204, null));
    expect((await cloudai(['uploads'])).out).toMatch(
      /\nupload-0a0a\w+ +in\/big.bin +1000 B +99% +waiting +1m\n$/,
    );
    expect((await cloudai(['uploads', '--quiet'])).out).toBe(`${id}\n`);
    list = [];
    expect((await cloudai(['uploads'])).out).toBe('No unfinished uploads.\n');
    expect((await cloudai(['delete-upload', id])).code).toBe(0);
    expect(api.asked.at(-1)).toMatchObject({
      path: `/api/uploads/${id}`,
      headers: { 'tus-resumable': '1.0.0' },
    });
  });

  it('name uploads as inputs of a task', async () => {
    api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
    expect((await cloudai(['task', 'a', '-file', 'in/a.csv', '--file', 'b c.bin'])).code).toBe(0);
    expect(api.asked[0]?.body).toEqual({ docker_image: 'a', files: ['in/a.csv', 'b c.bin'] });
  });
});

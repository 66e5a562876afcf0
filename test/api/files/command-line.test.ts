// What users type about files, against a real API: up, listed, down again, and down again after a break.

import { mkdir, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../../shared/model/task.ts';
import { type CliStage, openCliStage } from '../../support/cli-stage.ts';
import { tempDir } from '../../support/servers.ts';
import { readTree, unpack } from '../../support/unpack.ts';
import type { Person } from '../harness.ts';
import { type FileStage, openFileStage } from './stage.ts';

let stage: FileStage;
let cli: CliStage;
let folder: Awaited<ReturnType<typeof tempDir>>;
let task: Task;

const contents: Record<string, string> = {
  'model/weights.bin': 'w'.repeat(500_000),
  'logs/epoch 1.txt': 'grüße €',
  '50%25 #?.csv': '1,2\n',
  empty: '',
};

beforeAll(async () => {
  stage = await openFileStage();
  cli = await openCliStage();
  folder = await tempDir();
  task = await stage.task(stage.alice);
  for (const [path, content] of Object.entries(contents)) await stage.leave(task, path, content);
});
afterAll(async () => {
  await folder?.remove();
  await cli?.close();
  await stage?.close();
});

const cloudai = (line: string[], as: Person = stage.alice) =>
  cli.cloudai(line, { env: { CLOUDAI_URL: stage.url, CLOUDAI_TOKEN: as.token } });
const expectTree = async (path: string) => {
  const tree = await readTree(path);
  expect(Object.fromEntries([...tree].map(([name, file]) => [name, file.content.toString()]))).toEqual(
    contents,
  );
};

describe('files on the command line', () => {
  it('go up as a folder, are listed, and may be deleted', async () => {
    await mkdir(`${folder.path}/data/deep`, { recursive: true });
    await writeFile(`${folder.path}/data/a.csv`, 'a,b\n');
    await writeFile(`${folder.path}/data/deep/ü #.txt`, 'ü');
    const up = await cloudai(['upload', `${folder.path}/data`, 'inputs']);
    expect(up).toEqual({ code: 0, out: 'inputs/a.csv (4 B)\ninputs/deep/ü #.txt (2 B)\n', err: '' });
    const listed = await cloudai(['files', 'alice', '--json']);
    const uploads = JSON.parse(listed.out).files.filter(
      ({ task_id }: { task_id: unknown }) => task_id === null,
    );
    expect(uploads).toMatchObject([
      { path: 'inputs/a.csv', content_type: 'text/csv' },
      { path: 'inputs/deep/ü #.txt', content_type: 'text/plain' },
    ]);
    expect((await cloudai(['files', 'alice'], stage.admin)).out).toContain('inputs/a.csv');
    expect((await cloudai(['files', 'alice'], stage.bob)).code).toBe(4);
    expect((await cloudai(['delete-file', 'inputs/deep/ü #.txt'])).code).toBe(0);
    expect((await cloudai(['delete-file', 'inputs/deep/ü #.txt'])).code).toBe(1);
  });

  it('of a task come down as they were', async () => {
    expect((await cloudai(['task-files', task.id, 'alice', '--quiet'])).out.split('\n').sort()).toEqual(
      ['', ...Object.keys(contents)].sort(),
    );
    const target = `${folder.path}/output`;
    const told = await cloudai(['download', task.id, 'alice', target]);
    expect(told).toMatchObject({ code: 0, err: '' });
    await expectTree(target);
  });

  it('come down in one archive, or some of them', async () => {
    const file = `${folder.path}/all.tar.gz`;
    const told = await cloudai(['download', task.id, '--archive', file]);
    expect(told).toMatchObject({ code: 0, out: expect.stringContaining(`in ${file}\n`) });
    await mkdir(`${folder.path}/unpacked`);
    await unpack(file, 'tar.gz', `${folder.path}/unpacked`);
    await expectTree(`${folder.path}/unpacked`);
    const some = `${folder.path}/some`;
    expect((await cloudai(['download', task.id, some, '--path', '*.csv', '--path', 'logs'])).code).toBe(0);
    expect([...(await readTree(some)).keys()].sort()).toEqual(['50%25 #?.csv', 'logs/epoch 1.txt']);
  });

  it('come down once only, and the rest of one that was cut off', async () => {
    const target = `${folder.path}/output`;
    const file = `${target}/model/weights.bin`;
    await truncate(file, 123_456);
    await rename(file, `${file}.part`);
    const { read } = stage.files;
    const ranges: unknown[] = [];
    stage.files.read = (id, range) => {
      ranges.push(range);
      return read(id, range);
    };
    const told = await cloudai(['download', task.id, target]);
    stage.files.read = read;
    expect(told).toMatchObject({ code: 0, out: expect.stringContaining('(3 of them there before)') });
    expect(ranges).toEqual([{ start: 123_456, end: 500_000 }]);
    await expectTree(target);
    expect(await readFile(file, 'utf8')).toBe(contents['model/weights.bin']);
  });

  it('of someone else’s task do not come', async () => {
    const told = await cloudai(['download', task.id, 'bob', `${folder.path}/bob`]);
    expect(told).toMatchObject({ code: 2, err: expect.stringContaining('a task of alice, not of bob') });
    expect((await cloudai(['download', task.id, `${folder.path}/bob`], stage.bob)).code).toBe(1);
    expect((await cloudai(['download', task.id, 'alice', `${folder.path}/admin`], stage.admin)).code).toBe(0);
    await expectTree(`${folder.path}/admin`);
  });
});

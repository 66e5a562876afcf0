import { mkdir, rmdir, symlink, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../../../test/support/servers.ts';
import { createHostMounts } from './host-mounts.ts';

let root: string;
const at = (path: string) => `${root}/${path}`;
const wish = (path: string, readOnly = false) => ({ source: at(path), target: '/t', readOnly });

beforeAll(async () => {
  const dir = await tempDir();
  root = dir.path;
  for (const folder of ['open/in/deep', 'open/shelf', 'outside', 'openly']) {
    await mkdir(at(folder), { recursive: true });
  }
  await writeFile(at('open/file'), '');
  for (const [to, from] of [
    ['outside', 'open/out'],
    ['open/in', 'open/near'],
    ['open/shelf', 'open/to-shelf'],
    ['open/nothing', 'open/broken'],
    ['open/round', 'open/round'],
    ['open', 'door'],
  ] as const) {
    await symlink(at(to), at(from));
  }
  return dir.remove;
});

const host = () =>
  createHostMounts(
    [
      { path: at('open'), readOnly: false },
      { path: at('open/shelf'), readOnly: true },
      { path: at('door'), readOnly: true },
    ],
    [at('open/in/engine.sock')],
  );

describe('a folder of the machine', () => {
  it.each([
    ['a folder that is named', 'open/in/deep', 'open/in/deep'],
    ['a link that stays inside', 'open/near/deep', 'open/in/deep'],
  ])('is resolved: %s', async (_what, asked, real) => {
    expect(await host().resolve([wish(asked)])).toEqual([wish(real)]);
  });

  it('may be reached by a rule that is a link itself, as far as all rules allow', async () => {
    expect(await host().resolve([wish('door/shelf', true)])).toEqual([wish('open/shelf', true)]);
  });

  it('that was resolved is confirmed until a link stands in its place', async () => {
    const dir = await tempDir();
    onTestFinished(dir.remove);
    for (const folder of ['disk/a', 'disk/b']) await mkdir(`${dir.path}/${folder}`, { recursive: true });
    await symlink(`${dir.path}/disk`, `${dir.path}/data`);
    const mounts = createHostMounts([{ path: `${dir.path}/data`, readOnly: true }], []);
    const asked = { source: `${dir.path}/data/a`, target: '/t', readOnly: true };
    const resolved = await mounts.resolve([asked]);
    expect(resolved).toEqual([{ ...asked, source: `${dir.path}/disk/a` }]);
    await mounts.confirm(resolved);
    await rmdir(`${dir.path}/disk/a`);
    await symlink(`${dir.path}/disk/b`, `${dir.path}/disk/a`);
    await expect(mounts.confirm(resolved)).rejects.toMatchObject({
      code: 'container_start_failed',
      message: expect.stringContaining('exchanged for a link'),
    });
  });

  it.each([
    ['it is in no rule', 'outside', 'does not let'],
    ['it only begins like one', 'openly', 'does not let'],
    ['a link leads out', 'open/out', 'leads out'],
    ['it is not there', 'open/none', 'has no folder'],
    ['a link leads nowhere', 'open/broken', 'has no folder'],
    ['a link goes round', 'open/round', 'cannot look'],
    ['it is a file', 'open/file', 'something else than a folder'],
    ['it is below a file', 'open/file/x', 'has no folder'],
    ['it may only be read', 'open/shelf', 'only read-only'],
    ['a link leads to what may only be read', 'open/to-shelf', 'leads out'],
    ['the socket of the engine is in it', 'open/in', 'leads out'],
  ])('is refused when %s', async (_what, asked, why) => {
    await expect(host().resolve([wish(asked)])).rejects.toMatchObject({
      code: 'container_start_failed',
      message: expect.stringContaining(why),
    });
  });

  it('is refused where nothing may be mounted', async () => {
    await expect(createHostMounts([], []).resolve([wish('open', true)])).rejects.toThrow('does not let');
    expect(await createHostMounts([], []).resolve([])).toEqual([]);
  });

  it('that the system keeps is refused, also by a rule that is a link to it', async () => {
    const dir = await tempDir();
    onTestFinished(dir.remove);
    await symlink('/proc', `${dir.path}/kernel`);
    const rules = [{ path: `${dir.path}/kernel`, readOnly: false }];
    const mount = { source: `${dir.path}/kernel`, target: '/t', readOnly: true };
    await expect(createHostMounts(rules, []).resolve([mount])).rejects.toThrow('leads out');
  });
});

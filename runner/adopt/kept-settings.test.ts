import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeSettings } from '../../test/support/played-adoption.ts';
import { tempDir } from '../../test/support/servers.ts';
import { KeptSettings } from './kept-settings.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

const settings = makeSettings({ REDIS_URL: 'redis://:hunter2-hunter2@127.0.0.1:6379' });

describe('kept settings', () => {
  it('come back as they were, from a file that is closed to others, until they are dropped', async () => {
    const kept = new KeptSettings(join(dir, 'data'));
    expect(await kept.load()).toBeNull();
    await kept.keep({ settings, hasJoined: true });
    expect(await new KeptSettings(join(dir, 'data')).load()).toEqual({ settings, hasJoined: true });
    expect((await stat(kept.path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'data'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(dir, 'data'))).toEqual(['cluster-settings.json']);
    await kept.drop();
    await kept.drop();
    expect(await kept.load()).toBeNull();
  });

  it('are replaced by newer ones, and closed again when somebody opened them', async () => {
    const kept = new KeptSettings(dir);
    await kept.keep({ settings, hasJoined: false });
    await chmod(kept.path, 0o644);
    expect(await kept.load()).toEqual({ settings, hasJoined: false });
    expect((await stat(kept.path)).mode & 0o777).toBe(0o600);
    await kept.keep({ settings: { ...settings, WORKER_ID: 'worker-4' }, hasJoined: false });
    expect((await kept.load())?.settings.WORKER_ID).toBe('worker-4');
  });

  it.each([
    ['half a file', '{"settings":{"STORE_URL":"sqlite:/x","REDIS_URL":"redis://:hunter2-hunter2@'],
    ['a part missing', JSON.stringify({ settings: { STORE_URL: 'hunter2-hunter2' } })],
    ['another form', JSON.stringify(settings)],
    ['a null', 'null'],
    ['nothing', ''],
    ['no object', '["hunter2-hunter2"]'],
  ])('that are damaged (%s) are named without what is in them', async (_what, text) => {
    const kept = new KeptSettings(dir);
    await writeFile(kept.path, text);
    const error = await kept.load().catch((cause) => cause);
    expect(error).toMatchObject({ code: 'bad_config', message: expect.stringContaining(kept.path) });
    expect(error.message).not.toContain('hunter2');
  });
});

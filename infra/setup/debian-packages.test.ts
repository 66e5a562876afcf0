import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { DebianPackages } from './debian-packages.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

/** A program in the place of apt-get: notes how it was called, then does what the script says. */
async function packagesWith(script: string): Promise<DebianPackages> {
  const apt = join(dir, 'apt-get');
  await writeFile(apt, `#!/bin/sh\ncalls=${dir}/calls\necho "$DEBIAN_FRONTEND $*" >> $calls\n${script}\n`);
  await chmod(apt, 0o755);
  return new DebianPackages({ logFile: join(dir, 'apt.log'), apt, isRoot: true });
}

const calls = async () => (await readFile(join(dir, 'calls'), 'utf8')).trim().split('\n');
const quiet = () => undefined;

describe('Debian packages', () => {
  it('are installed without questions after one update of the lists', async () => {
    const packages = await packagesWith('echo done');
    await packages.install(['docker.io', 'iptables'], quiet);
    await packages.install(['redis-server'], quiet);
    const seen = await calls();
    expect(seen).toHaveLength(3);
    expect(seen[0]).toBe('noninteractive update');
    expect(seen[1]).toMatch(/^noninteractive install -y --no-install-recommends .* docker\.io iptables$/);
    expect(seen[2]).toMatch(/ redis-server$/);
    expect(await readFile(join(dir, 'apt.log'), 'utf8')).toBe('done\ndone\ndone\n');
  });

  it('are tried once more with fresh lists', async () => {
    const packages = await packagesWith('[ "$1" = update ] || [ "$(wc -l < $calls)" -gt 3 ] || exit 100');
    await packages.install(['redis-server'], quiet);
    expect((await calls()).map((line) => line.split(' ')[1])).toEqual([
      'update',
      'install',
      'update',
      'install',
    ]);
  });

  it('wait while another apt holds the lock', async () => {
    const notes: string[] = [];
    const packages = await packagesWith(
      '[ "$(wc -l < $calls)" -gt 1 ] || { echo "E: Could not get lock /var/lib/apt/lists/lock" >&2; exit 100; }',
    );
    await packages.install(['redis-server'], (text) => notes.push(text));
    expect(notes).toContain('waiting for another apt to end');
    expect((await calls()).map((line) => line.split(' ')[1])).toEqual(['update', 'update', 'install']);
  });

  it('that cannot be had fail with the end of what apt said and where the rest is', async () => {
    const packages = await packagesWith('echo "E: Unable to locate package nothing" >&2; exit 100');
    const error = await packages.install(['nothing'], quiet).catch((fault) => fault);
    expect(error.message).toContain('could not install nothing (exit code 100)');
    expect(error.message).toContain('E: Unable to locate package nothing');
    expect(error.message).toContain(join(dir, 'apt.log'));
  });

  it('are not for a plain user, nor for a system without apt', async () => {
    const logFile = join(dir, 'apt.log');
    for (const packages of [
      new DebianPackages({ logFile, isRoot: false }),
      new DebianPackages({ logFile, apt: null, isRoot: true }),
    ]) {
      expect(packages.available).toBe(false);
      await expect(packages.install(['redis-server'], quiet)).rejects.toThrow(/only as root on Debian/);
    }
  });
});

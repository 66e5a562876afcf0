import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { codeHash, MINIMUM_NODE, nodeFault, packagesFault, webHash } from './checkout.mjs';

const root = resolve(import.meta.dirname, '../..');
let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

async function put(path: string, content: unknown): Promise<void> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), typeof content === 'string' ? content : JSON.stringify(content));
}

describe('the version of Node', () => {
  it.each(['v20.19.0', 'v20.20.2', 'v22.0.0', 'v24.1.0'])('%s will do', (version) => {
    expect(nodeFault(version)).toBeNull();
  });

  it.each(['v20.18.9', 'v18.19.0', 'v8.0.0'])('%s is refused with what is needed', (version) => {
    expect(nodeFault(version)).toContain(`needs Node 20.19 or newer; this is ${version}`);
  });

  it('is the one package.json asks for', async () => {
    const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(engines.node).toBe(`>=${MINIMUM_NODE.join('.')}`);
  });
});

describe('installed packages', () => {
  const lock = {
    packages: {
      '': { name: 'x' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/@s/b': { version: '2.0.0' },
      'node_modules/only-mac': { version: '1.0.0', optional: true },
    },
  };
  const installed = {
    packages: {
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/@s/b': { version: '2.0.0' },
    },
  };
  const install = async (record: unknown) => {
    await put('package-lock.json', lock);
    await put('node_modules/.package-lock.json', record);
    await put('node_modules/a/package.json', '{}');
    await put('node_modules/a/node_modules/@s/b/package.json', '{}');
  };

  it('are missing in a fresh checkout, and after an install that was cut off', async () => {
    await put('package-lock.json', lock);
    expect(packagesFault(dir)).toBe('not installed yet');
    await put('node_modules/a/package.json', '{}');
    expect(packagesFault(dir)).toBe('not installed yet');
  });

  it('are right when all that is not optional has its version', async () => {
    await install(installed);
    expect(packagesFault(dir)).toBeNull();
  });

  it('are wrong when a version differs or one is missing, from the record or from the disk', async () => {
    await install({ packages: { ...installed.packages, 'node_modules/a': { version: '0.9.0' } } });
    expect(packagesFault(dir)).toBe('a is 0.9.0, wanted is 1.0.0');
    await install({ packages: { 'node_modules/a': { version: '1.0.0' } } });
    expect(packagesFault(dir)).toBe('@s/b 2.0.0 is missing');
    await install(installed);
    await put('package-lock.json', {
      packages: { ...lock.packages, 'node_modules/c': { version: '3.0.0' } },
    });
    await put('node_modules/.package-lock.json', {
      packages: { ...installed.packages, 'node_modules/c': { version: '3.0.0' } },
    });
    expect(packagesFault(dir)).toBe('c 3.0.0 is missing');
  });

  it('are right in this checkout', () => {
    expect(packagesFault(root)).toBeNull();
  });
});

describe('the hash of what is built', () => {
  it('changes with code and settings, and with nothing else', async () => {
    await put('api/main.ts', 'a');
    await put('tsconfig.json', '{}');
    const before = codeHash(dir);
    await put('api/main.test.ts', 'a test');
    await put('docs/x.md', 'a document');
    await put('web/page.ts', 'a page');
    await put('api/node_modules/x/index.ts', 'not ours');
    expect(codeHash(dir)).toBe(before);
    await put('tsconfig.json', '{"a":1}');
    const after = codeHash(dir);
    expect(after).not.toBe(before);
    await put('api/deep/new.ts', '');
    expect(codeHash(dir)).not.toBe(after);
  });

  it('sees a line that moves from one file to the next', async () => {
    await put('api/a.ts', 'xy');
    await put('api/b.ts', '');
    const before = codeHash(dir);
    await put('api/a.ts', 'x');
    await put('api/b.ts', 'y');
    expect(codeHash(dir)).not.toBe(before);
  });

  it('of the dashboard follows the client and the contract', async () => {
    await put('web/index.html', '<html>');
    const before = webHash(dir);
    await put('api/main.ts', 'a');
    expect(webHash(dir)).toBe(before);
    await put('shared/contracts/http.ts', 'b');
    expect(webHash(dir)).not.toBe(before);
  });
});

describe('the bootstrap', () => {
  it('says how it is used', async () => {
    const wrong = promisify(execFile)(process.execPath, [
      join(import.meta.dirname, 'bootstrap.mjs'),
      'dance',
    ]);
    await expect(wrong).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('start|worker|test|build'),
    });
  });
});

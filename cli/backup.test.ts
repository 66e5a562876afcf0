import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RestoreReply } from '../shared/contracts/backups.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { refusal } from '../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];
let here: string;
beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
  here = await mkdtemp(join(tmpdir(), 'cloudai-backup-'));
});
afterEach(async () => {
  await stage.close();
  await rm(here, { recursive: true });
});

const ARCHIVE = Buffer.from('a backup, all of it');
const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function playBackup(sent = ARCHIVE): void {
  api.on('GET /api/backup', (_asked, reply) => {
    reply.writeHead(200, { 'content-length': sent.length, 'x-checksum-sha256': sum(ARCHIVE) });
    reply.end(sent);
  });
}

const REPLY: RestoreReply = {
  dry_run: true,
  backup: { created_at: '2026-01-01T10:00:00.000Z', release: '0.1.0\x1b[2J', schema_version: 9 },
  tasks_now: 5,
  tasks_in_backup: 3,
  tasks_lost: 3,
  unfinished_tasks_lost: 2,
  tasks_again: 1,
  users_lost: 1,
  safety_copy: null,
};

/** Says what it was asked for. */
function playRestore(): void {
  api.on('POST /api/restore', ({ query }) =>
    query.dry_run === 'true' ? REPLY : { ...REPLY, dry_run: false, safety_copy: '/data/before.db' },
  );
}

const asked = () => api.asked.map(({ query, body }) => [query.dry_run, String(body)]);

describe('backup', () => {
  it('is a file that only its owner can read', async () => {
    playBackup();
    const path = join(here, 'cloudai.tar');
    expect(await cloudai(['backup', path])).toMatchObject({ code: 0, out: `19 B in ${path}\n` });
    expect(await readFile(path)).toEqual(ARCHIVE);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { code, out } = await cloudai(['backup', path, '--json']);
    expect({ code, out: JSON.parse(out) }).toEqual({
      code: 0,
      out: { file: path, size_bytes: 19, sha256: sum(ARCHIVE) },
    });
  });

  it('goes to standard output, but to no terminal', async () => {
    playBackup();
    const got: Uint8Array[] = [];
    const outBytes = async (bytes: Uint8Array) => void got.push(bytes);
    expect(await cloudai(['backup', '-'], { outBytes })).toMatchObject({ code: 0, out: '' });
    expect(Buffer.concat(got)).toEqual(ARCHIVE);
    expect(await cloudai(['backup', '-'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('terminal'),
    });
  });

  it('that came otherwise than it was announced is none, and the old one stays', async () => {
    const path = join(here, 'cloudai.tar');
    await writeFile(path, 'the old one');
    playBackup(Buffer.from('a backup, all of iT'));
    expect(await cloudai(['backup', path])).toMatchObject({
      code: 1,
      err: expect.stringContaining('other bytes'),
    });
    expect(await readFile(path, 'utf8')).toBe('the old one');
    expect(await readdir(here)).toEqual(['cloudai.tar']);
    api.on('GET /api/backup', () => refusal(409, 'conflict', 'use mongodump'));
    expect(await cloudai(['backup', path])).toMatchObject({
      code: 1,
      err: expect.stringContaining('mongodump'),
    });
  });
});

describe('restore', () => {
  const file = async () => {
    const path = join(here, 'old.tar');
    await writeFile(path, ARCHIVE);
    return path;
  };

  it('tells what will be gone, asks, and names the way back', async () => {
    playRestore();
    const path = await file();
    const no = await cloudai(['restore', path], { answers: ['yes'] });
    expect(no).toMatchObject({ code: 1, out: '', err: expect.stringContaining('nothing was changed') });
    expect(no.err).toContain('3 tasks of now would be gone: not in the backup, 2 of them unfinished.');
    expect(no.err).toContain('1 task that ended since would run again.');
    expect(no.err).not.toContain('\x1b');
    expect(asked()).toEqual([['true', String(ARCHIVE)]]);
    const yes = await cloudai(['restore', path], { answers: ['restore'] });
    expect(yes).toMatchObject({ code: 0, out: expect.stringContaining('/data/before.db') });
    expect(asked().slice(1)).toEqual([
      ['true', String(ARCHIVE)],
      ['false', String(ARCHIVE)],
    ]);
  });

  it('asks nobody with --yes, and changes nothing with --dry-run', async () => {
    playRestore();
    const path = await file();
    expect(await cloudai(['restore', path, '--yes', '--quiet'])).toMatchObject({
      code: 0,
      out: '/data/before.db\n',
    });
    const { out } = await cloudai(['restore', path, '--dry-run', '--json']);
    expect(JSON.parse(out)).toEqual(REPLY);
    expect(asked().map(([dryRun]) => dryRun)).toEqual(['false', 'true']);
    const alone = await cloudai(['restore', path]);
    expect(alone).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(api.asked).toHaveLength(2);
  });

  it('of what is no backup says how to look into it, not how options are written', async () => {
    api.on('POST /api/restore', () => refusal(400, 'invalid_request', 'this is no backup of CloudAI'));
    const told = await cloudai(['restore', await file(), '--dry-run']);
    expect(told).toMatchObject({ code: 2, err: expect.stringContaining('tar -tvf') });
    expect(told.err).not.toContain('--help');
  });

  it('of nothing is refused before anything is asked', async () => {
    expect(await cloudai(['restore', join(here, 'none'), '--yes'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no such file'),
    });
    expect(await cloudai(['restore', here, '--yes'])).toMatchObject({ code: 2 });
    expect(api.asked).toEqual([]);
  });
});

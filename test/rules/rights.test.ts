// Which role may do what stands in shared/model alone: no room decides by the name of a role.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const ROOMS = ['api', 'cli', 'web'];
const BY_NAME = /\brole\b[^\n;]{0,3}[!=]==? ?'(admin|user|viewer)'/;

it('decides by the rights of a role, never by its name', () => {
  const sources = ROOMS.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('node_modules'))
      .map((path) => join(room, path)),
  );
  expect(sources.length).toBeGreaterThan(300);
  const deciding = sources.filter((path) => BY_NAME.test(readFileSync(join(root, path), 'utf8')));
  expect(deciding).toEqual([]);
  expect("if (by.role !== 'admin') throw").toMatch(BY_NAME);
});

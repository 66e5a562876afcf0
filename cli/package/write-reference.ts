// `npm run docs:cli`: writes docs/CLI.md anew.

import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describeProgram } from '../program.ts';
import { readVersion } from '../version.ts';
import { reference } from './reference.ts';

const root = resolve(import.meta.dirname, '../..');
const version = readVersion();
const frame = await readFile(resolve(root, 'cli/package/reference.template.md'), 'utf8');
await writeFile(resolve(root, 'docs/CLI.md'), reference(describeProgram(version), frame, { version }));

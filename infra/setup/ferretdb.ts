// FerretDB as the MongoDB server of the tests: built once from infra/ferretdb, then kept.

import { ensureGoProgram, type GoProgramOptions } from './go-program.ts';
import type { Note } from './progress.ts';

export const FERRETDB_VERSION = '1.24.2';

/** The program, built if these sources were not built yet. @throws {AppError} `bad_config`, `internal`. */
export function ensureFerretdb(options: GoProgramOptions, note: Note): Promise<string> {
  const program = {
    title: 'FerretDB',
    version: FERRETDB_VERSION,
    folder: 'ferretdb',
    target: '.',
    flags: ['-tags=ferretdb_no_postgresql'],
    instead: 'Set MONGODB_URL or install mongod to do without it; behind a proxy, set GOPROXY.',
  };
  return ensureGoProgram(program, options, note);
}

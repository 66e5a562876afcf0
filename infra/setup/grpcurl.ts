// grpcurl as a gRPC client that is not ours, for tests: the one that is named or on the PATH, else built once from the
// version that infra/grpcurl pins, where there is Go.

import { existsSync } from 'node:fs';
import { AppError } from '../../shared/errors.ts';
import type { Environment } from '../../shared/platform/config/reading.ts';
import { findProgram } from './commands.ts';
import { ensureGoProgram, type GoProgramOptions } from './go-program.ts';
import type { Note } from './progress.ts';

const GRPCURL_VERSION = '1.9.3';

/** Null where it cannot be had. @throws {AppError} `bad_config`, `internal`. */
export async function ensureGrpcurl(
  env: Environment,
  options: GoProgramOptions,
  note: Note,
): Promise<string | null> {
  const { GRPCURL_PATH: given } = env;
  if (given) {
    if (existsSync(given)) return given;
    throw new AppError('bad_config', `GRPCURL_PATH is ${given}, where there is no file`);
  }
  const installed = findProgram('grpcurl', options.path);
  if (installed !== null) return installed;
  // For one test nobody has to get a toolchain.
  if (findProgram('go', options.path) === null) return null;
  const program = {
    title: 'grpcurl',
    version: GRPCURL_VERSION,
    folder: 'grpcurl',
    target: 'github.com/fullstorydev/grpcurl/cmd/grpcurl',
    flags: [],
    instead: 'Set GRPCURL_PATH to do without it; behind a proxy, set GOPROXY.',
  };
  return ensureGoProgram(program, options, note);
}

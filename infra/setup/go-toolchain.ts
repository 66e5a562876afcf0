// Finds or fetches a Go that is new enough. Asks only what the machine's own settings lead to (GOPROXY,
// GOTOOLCHAIN, apt's sources); it must never name a host.

import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { findProgram, lastLines, runProgram } from './commands.ts';
import type { DebianPackages } from './debian-packages.ts';
import type { Note } from './progress.ts';

/** What `infra/ferretdb/go.mod` asks for. */
const NEEDED = { major: 1, minor: 24 };
/** Fetched where Go is older than its own switching of toolchains (1.21). An ordinary Go module. */
const TOOLCHAIN = 'go1.24.3';
const SWITCHES_ITSELF = { major: 1, minor: 21 };

const ASK_DEADLINE_MS = 30_000;
const FETCH_DEADLINE_MS = 10 * 60_000;

export interface GoToolchain {
  readonly program: string;
  readonly version: string;
}

export interface GoOptions {
  readonly packages: DebianPackages;
  /** Output of what is run. */
  readonly logFile: string;
  /** For tests: where programs are looked for. */
  readonly path?: string;
}

/** @throws {AppError} `bad_config` saying what to install or to set. */
export async function ensureGo(options: GoOptions, note: Note): Promise<GoToolchain> {
  const find = () => findProgram('go', options.path);
  let program = find();
  if (program === null && options.packages.available) {
    await options.packages.install(['golang-go'], note);
    program = find();
  }
  if (program === null) throw noGo('there is no Go on the PATH');
  const version = await versionOf(program, options);
  if (isAtLeast(version, NEEDED)) return { program, version };
  if (!isAtLeast(version, SWITCHES_ITSELF)) return fetchToolchain(program, version, options, note);
  // A Go of this age fetches a newer one by itself, unless it is told not to.
  const wish = (await ask(program, ['env', 'GOTOOLCHAIN'], options)).trim();
  if (/auto|path/.test(wish)) return { program, version };
  throw noGo(
    `Go is ${version}, and GOTOOLCHAIN=${wish} keeps it from fetching a newer one (auto would let it)`,
  );
}

async function fetchToolchain(
  old: string,
  oldVersion: string,
  options: GoOptions,
  note: Note,
): Promise<GoToolchain> {
  const module = `golang.org/toolchain@v0.0.1-${TOOLCHAIN}.${goPlatform()}`;
  note(`fetching ${TOOLCHAIN}, as the one here is ${oldVersion}`);
  const outside = join(options.logFile, '..', 'go');
  await mkdir(outside, { recursive: true });
  const { code, fault, output } = await runProgram(old, ['mod', 'download', '-json', module], {
    deadlineMs: FETCH_DEADLINE_MS,
    logFile: options.logFile,
    cwd: outside,
    env: { GOFLAGS: '', GOWORK: 'off' },
  });
  const dir = /"Dir": ("(?:[^"\\]|\\.)*")/.exec(output)?.[1];
  if (code !== 0 || dir === undefined) {
    throw noGo(`Go is ${oldVersion}, and a newer one could not be fetched (${fault ?? `exit code ${code}`}):
${lastLines(output, 6)}`);
  }
  const root = JSON.parse(dir) as string;
  await makeRunnable(root);
  const program = join(root, 'bin', 'go');
  return { program, version: await versionOf(program, options) };
}

/** The module cache keeps files without the right to run them. */
async function makeRunnable(root: string): Promise<void> {
  const tools = join(root, 'pkg', 'tool');
  const folders = [join(root, 'bin'), ...(await readdir(tools)).map((name) => join(tools, name))];
  for (const folder of folders) {
    for (const name of await readdir(folder)) await chmod(join(folder, name), 0o755);
  }
}

async function versionOf(program: string, options: GoOptions): Promise<string> {
  const answer = await ask(program, ['version'], options);
  const version = /\bgo(\d+\.\d+\S*)/.exec(answer)?.[1];
  if (version === undefined) throw noGo(`${program} does not tell its version:\n${lastLines(answer, 3)}`);
  return version;
}

async function ask(program: string, args: readonly string[], { logFile }: GoOptions): Promise<string> {
  const { code, fault, output } = await runProgram(program, args, { deadlineMs: ASK_DEADLINE_MS, logFile });
  if (code === 0) return output;
  throw noGo(
    `${program} ${args.join(' ')} failed (${fault ?? `exit code ${code}`}):\n${lastLines(output, 3)}`,
  );
}

function isAtLeast(version: string, wanted: { major: number; minor: number }): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major > wanted.major || (major === wanted.major && minor >= wanted.minor);
}

/** In Go's own words, e.g. `linux-arm64`. */
function goPlatform(): string {
  const arch: Partial<Record<string, string>> = { x64: 'amd64', ia32: '386', arm: 'armv6l' };
  return `${process.platform}-${arch[process.arch] ?? process.arch}`;
}

function noGo(why: string): AppError {
  return new AppError(
    'bad_config',
    `the tests need a server that speaks MongoDB's protocol, and ${why}.\n` +
      '  Set MONGODB_URL, or install mongod, or install Go 1.24 or newer.',
  );
}

// First step of `npm start`, `npm run worker`, `npm test`, `npm run build` and of packing: checks Node, installs packages,
// builds, hands over.
// Plain JavaScript on Node's own modules: it runs before any package is there. Nothing of CloudAI itself in here.

import { fork, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeHash, contractFiles, nodeFault, packagesFault, webHash } from './checkout.mjs';

const root = resolve(import.meta.dirname ?? '.', '../..');
const INSTALL_DEADLINE_MS = 15 * 60_000;
const BUILD_DEADLINE_MS = 5 * 60_000;

/** Two signals this close are one Ctrl-C: npm passes on what the terminal has already sent. */
const SAME_KEYSTROKE_MS = 500;
/** Signals of the process group while a step runs; the step gets them from the terminal as well. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

await main(process.argv[2], process.argv.slice(3));

async function main(command, args) {
  const old = nodeFault(process.version);
  if (old) fail(old);
  if (!['start', 'worker', 'test', 'build', 'client', 'cli'].includes(command)) {
    fail('usage: node infra/setup/bootstrap.mjs start|worker|test|build|client|cli [arguments]');
  }
  await installPackages();
  if (command === 'client') return declareClient();
  if (command === 'cli') return buildCli();
  await buildCode();
  // A worker shows no pages.
  if (command !== 'worker') await buildWeb();
  if (command !== 'build') await handOver(join(root, 'dist/infra/setup', `${command}.js`), args);
}

async function installPackages() {
  const why = packagesFault(root);
  if (!why) return;
  say(`Packages: ${why}. Installing with "npm ci", this takes a minute …`);
  const quiet = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  if (!(await runStep(npmCommand(['ci', ...quiet]), INSTALL_DEADLINE_MS)).ok) {
    // Some registries lack packages for other systems that the lock file names, and `npm ci` is strict about it.
    say('"npm ci" failed; trying "npm install" …');
    await mustRun(npmCommand(['install', '--no-save', ...quiet]), INSTALL_DEADLINE_MS);
  }
  const still = packagesFault(root);
  if (still) fail(`The packages were installed, yet ${still}. Remove node_modules and try again.`);
}

/** Started by npm, its own script is named in the environment; otherwise it is looked for on the PATH. */
function npmCommand(args) {
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) return [process.execPath, npm, ...args];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', ...args];
}

async function buildCode() {
  const stamp = join(root, 'dist/.built-from');
  const hash = codeHash(root);
  if (read(stamp) === hash && existsSync(join(root, 'dist/infra/setup/start.js'))) return;
  say('Building …');
  rmSync(stamp, { force: true });
  await mustRun(
    [process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
    BUILD_DEADLINE_MS,
  );
  const cli = join(root, 'dist/cli/main.js');
  if (existsSync(cli)) chmodSync(cli, 0o755);
  // Read as they are by the compiled code beside them.
  for (const path of contractFiles(root)) copyFileSync(join(root, path), join(root, 'dist', path));
  writeFileSync(stamp, hash);
}

/** What programs in TypeScript need beside the built code: see client/index.ts. Always anew, for it takes a second. */
async function declareClient() {
  const typescript = [process.execPath, 'node_modules/typescript/bin/tsc'];
  await mustRun([...typescript, '-p', 'tsconfig.client.json'], BUILD_DEADLINE_MS);
}

/** What the package `cloudai` holds: see cli/package/vite.config.ts. Always anew, for it takes a second. */
async function buildCli() {
  const config = ['--config', 'cli/package/vite.config.ts', '--logLevel', 'warn'];
  await mustRun([process.execPath, 'node_modules/vite/bin/vite.js', 'build', ...config], BUILD_DEADLINE_MS);
  chmodSync(join(root, 'cli/dist/cloudai.js'), 0o755);
}

async function buildWeb() {
  if (!existsSync(join(root, 'web/vite.config.ts'))) return;
  const stamp = join(root, 'dist/.web-built-from');
  const hash = webHash(root);
  if (read(stamp) === hash && existsSync(join(root, 'dist/web/index.html'))) return;
  say('Building the dashboard …');
  rmSync(stamp, { force: true });
  const vite = [process.execPath, 'node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn'];
  await mustRun(vite, BUILD_DEADLINE_MS);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, hash);
}

/**
 * Runs the program in a session of its own, so that a Ctrl-C reaches it exactly once: through here.
 * Should this process be killed, the program sees its channel close and stops by itself.
 */
async function handOver(program, args) {
  const { TLS_CERT_FILE, NODE_EXTRA_CA_CERTS } = process.env;
  // The API that it starts is asked over TLS then, and Node reads this before its first line.
  const env = TLS_CERT_FILE && !NODE_EXTRA_CA_CERTS ? { NODE_EXTRA_CA_CERTS: TLS_CERT_FILE } : {};
  const child = fork(program, args, {
    cwd: root,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - lastMs < SAME_KEYSTROKE_MS) return;
      lastMs = now;
      child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
  const [code, signal] = await new Promise((done, refused) => {
    child.once('error', refused);
    child.once('exit', (...how) => done(how));
  });
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 1));
}

/** Runs one step and ends this process when it fails. */
async function mustRun(command, deadlineMs) {
  const { ok, how } = await runStep(command, deadlineMs);
  if (!ok) fail(`${how}: ${command.join(' ').replaceAll(`${root}/`, '')}`);
}

/** Runs one step with its output shown. A Ctrl-C ends the step and then this process. */
async function runStep([program, ...args], deadlineMs) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  let stoppedBy = null;
  const pass = (signal) => {
    stoppedBy = signal;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
  }, deadlineMs);
  const how = await new Promise((done) => {
    child.once('error', (error) => done(error.message));
    child.once('exit', (code, signal) => done(code === 0 ? null : (signal ?? `exit code ${code}`)));
  });
  clearTimeout(timer);
  for (const name of SIGNALS) process.off(name, pass);
  if (stoppedBy) process.exit(stoppedBy === 'SIGINT' ? 130 : 143);
  return {
    ok: how === null,
    how: late ? `not done after ${deadlineMs / 60_000} minutes` : `failed (${how})`,
  };
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

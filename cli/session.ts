// One run of the CLI: who is asked as whom, and how the answer is shown. Commands get one and print only through it.

import { ApiError, type Client, type ClientOptions, createClient } from '../client/client.ts';
import type { Live, LiveOptions } from '../client/live.ts';
import { CliError, EXIT } from './exit.ts';
import type { CliIo } from './io.ts';
import { type Profile, profilePath, readProfile } from './profile.ts';
import { type Column, renderTable } from './table.ts';

export const DEFAULT_URL = 'http://localhost:8080';

/** Options every command has. */
export interface GlobalOptions {
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export class Session {
  readonly io: CliIo;
  readonly url: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly profile: Profile;
  readonly profilePath: string;
  readonly #token: string | undefined;
  #limitedUntil = Number.NEGATIVE_INFINITY;

  private constructor(io: CliIo, options: GlobalOptions, profile: Profile, path: string) {
    this.io = io;
    this.profile = profile;
    this.profilePath = path;
    this.json = options.json ?? false;
    this.quiet = options.quiet ?? false;
    this.url = checkUrl(options.url ?? (io.env.CLOUDAI_URL || profile.url || DEFAULT_URL));
    this.#token = options.token ?? (io.env.CLOUDAI_TOKEN || profile.sign_ins[this.url]?.token);
  }

  static async open(io: CliIo, options: GlobalOptions): Promise<Session> {
    const path = profilePath(io.env);
    return new Session(io, options, await readProfile(path), path);
  }

  /** For calls that need a sign-in, and as the right person where it is there for those that do not. */
  get client(): Client {
    return createClient({ ...this.#calls, token: this.#token });
  }

  /** For what is done with a sign-in that may be another than the one that commands use. */
  clientWith(token: string): Client {
    return createClient({ ...this.#calls, token });
  }

  /** For signing in: an old token must not get in the way. */
  get anonymous(): Client {
    return createClient(this.#calls);
  }

  get #calls(): ClientOptions {
    return {
      url: this.url,
      // Ctrl-C ends any call, whether the command that makes it thought of that or not.
      signal: this.io.signal,
      onRateLimited: (seconds) => this.#onRateLimited(seconds),
    };
  }

  /** Once for all calls that wait at the same time. */
  #onRateLimited(seconds: number): void {
    const now = performance.now();
    if (now < this.#limitedUntil) return;
    this.#limitedUntil = now + seconds * 1_000;
    void this.remark(`rate limited, waiting ${seconds} s`);
  }

  /** What happens in the cluster, as it happens; whoever asks for it closes it. */
  async openLive(onState: LiveOptions['onState']): Promise<Live> {
    // Most commands need no socket, and all start faster without it.
    const { createLive } = await import('../client/live.ts');
    return createLive({ url: this.url, token: this.#token, onState });
  }

  /** One way of showing a result for each reader: scripts (`--json`), pipes (`--quiet`: ids), people. */
  async show(result: { json: unknown; ids?: readonly string[]; text: () => string }): Promise<void> {
    if (this.json) return this.io.out(`${JSON.stringify(result.json, null, 2)}\n`);
    if (this.quiet) return this.io.out((result.ids ?? []).map((id) => `${id}\n`).join(''));
    return this.io.out(result.text());
  }

  /** A remark beside the result; scripts do not get it. */
  async remark(text: string): Promise<void> {
    if (!this.json && !this.quiet) await this.io.err(`${text}\n`);
  }

  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
    return renderTable(rows, columns, this.io.columns);
  }
}

function checkUrl(url: string): string {
  const given = /^[a-z]+:\/\//i.test(url) ? url : `http://${url}`;
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new CliError(EXIT.usage, `"${url}" is not an address`, `Write it like ${DEFAULT_URL}.`);
  }
  return given.replace(/\/+$/, '');
}

/** A task id that needs no looking up. */
export const FULL_ID = /^task-[0-9a-hjkmnp-tv-z]{26}$/;
/** How many of the newest tasks a shortened id is looked up among. */
const LOOKED_AT = 1_000;

/**
 * The full id for a full one, or for the beginning or end of exactly one of the newest tasks.
 * @throws {CliError} when none or several match.
 */
export async function findTaskId(client: Client, given: string): Promise<string> {
  const id = given.toLowerCase();
  if (FULL_ID.test(id)) return id;
  const advice = 'Give the whole id; "cloudai list-tasks" shows it.';
  if (!/^(task-)?[0-9a-z]{4,}$/.test(id)) {
    throw new CliError(EXIT.usage, `"${given}" is not a task id`, advice);
  }
  const bare = id.replace(/^task-/, '');
  const { tasks } = await client.listTasks({ limit: LOOKED_AT });
  const found = tasks.filter(({ task_id }) => task_id.startsWith(`task-${bare}`) || task_id.endsWith(bare));
  return (
    theOne(
      given,
      found.map(({ task_id }) => task_id),
      { what: 'tasks', advice },
    ) ?? notAmong(given)
  );
}

function notAmong(given: string): never {
  throw new ApiError(404, 'not_found', `no task "${given}" among your newest ${LOOKED_AT}`);
}

/**
 * The worker's id for a whole one, or for the beginning or end of exactly one. What fits none is given back as it is: a
 * task may be meant for a worker that is yet to join, and the API says what is wrong elsewhere.
 * @throws {CliError} when several match.
 */
export async function findWorkerId(client: Client, given: string): Promise<string> {
  // Where workers are not shown to this person, whole ids still do.
  const workers = await client.listWorkers().catch((error: unknown) => {
    if (error instanceof ApiError) return [];
    throw error;
  });
  const ids = workers.map(({ worker_id }) => worker_id);
  if (given === '' || ids.includes(given)) return given;
  const advice = 'Give the whole id; "cloudai workers" shows it.';
  return (
    theOne(
      given,
      ids.filter((id) => isShortFor(given, id)),
      { what: 'workers', advice },
    ) ?? given
  );
}

/** Beginning or end, but a number only as a whole: `worker-1` is not short for `worker-10`. */
function isShortFor(given: string, id: string): boolean {
  if (id.startsWith(given)) {
    return !(/(^|[^0-9a-z])\d+$/i.test(given) && /^\d+($|[^0-9a-z])/i.test(id.slice(given.length)));
  }
  if (!id.endsWith(given)) return false;
  return !(/^\d+($|[^0-9a-z])/i.test(given) && /(^|[^0-9a-z])\d+$/i.test(id.slice(0, -given.length)));
}

/** How many of those that match are named. */
const NAMED = 5;

function theOne(
  given: string,
  found: readonly string[],
  { what, advice }: { what: string; advice: string },
): string | null {
  if (found.length <= 1) return found[0] ?? null;
  const more = found.length > NAMED ? `, and ${found.length - NAMED} more` : '';
  const named = `${found.slice(0, NAMED).join(', ')}${more}`;
  throw new CliError(EXIT.usage, `"${given}" fits ${found.length} ${what}: ${named}`, advice);
}

// Where what may stand at the cursor is looked up: ids and names from the cluster, files on this machine. Asks briefly,
// remembers for a few seconds, and is silent when nothing can be had: a missing suggestion is no error.

import type { Client } from '../../client/client.ts';
import { age } from '../../client/words.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { HISTORY_METRICS } from '../../shared/model/history.ts';
import { familiarImage } from '../../shared/model/image.ts';
import { TASK_STATES } from '../../shared/model/task.ts';
import { WEBHOOK_EVENTS } from '../../shared/model/webhook.ts';
import { plain } from '../table.ts';
import type { Candidate, Place } from './complete.ts';
import { localFiles } from './local-files.ts';

export interface SourceWorld {
  /** A client for what the line and the profile say. */
  client(settings: Place['settings']): Promise<Client>;
  readonly home: string | undefined;
  now(): number;
}

const DEADLINE_MS = 1_000;
const KEPT_MS = 5_000;
/** Tasks looked at, newest first. */
const TASKS = 200;
const USERS = 1_000;
/** More than that nobody reads. */
const SHOWN = 100;

type Found = { readonly value: string; readonly what: string };
type Ask = (client: Client, signal: AbortSignal, now: number) => Promise<Found[]>;

const tasks: Ask = async (client, signal, now) =>
  (await recentTasks(client, signal)).map((task) => ({
    value: task.task_id,
    what: [task.status, task.name, task.docker_image, `${age(task.submitted_at, now)} ago`]
      .filter((part) => part !== '')
      .join(', '),
  }));

const workers: Ask = async (client, signal) =>
  (await client.listWorkers({ signal })).map(({ worker_id, state }) => ({ value: worker_id, what: state }));

/** What tasks used before, and what workers have. */
const images: Ask = async (client, signal) => {
  // Either alone is worth something: an older API knows no images.
  const [used, present] = await Promise.all([
    recentTasks(client, signal).catch(() => []),
    client.images({ signal }).then(
      (reply) => reply.images,
      () => [],
    ),
  ]);
  const workers = new Map(
    present.map(({ image, worker_count: count }) => [
      image,
      `on ${count} ${count === 1 ? 'worker' : 'workers'}`,
    ]),
  );
  const known = counted(used, 'docker_image');
  const names = new Set(known.map(({ value }) => value));
  return [
    ...known.map(({ value, what }) => {
      const where = workers.get(familiarImage(value));
      return { value, what: where ? `${what}, ${where}` : what };
    }),
    ...[...workers].filter(([value]) => !names.has(value)).map(([value, what]) => ({ value, what })),
  ];
};

/** Admins see all accounts; others know of those whose tasks they see. */
const users: Ask = async (client, signal) => {
  const listed = await client.listUsers({ limit: USERS }, { signal }).catch(() => null);
  if (listed === null) return counted(await recentTasks(client, signal), 'user');
  return listed.users.map(({ username, role, disabled }) => ({
    value: username,
    what: disabled ? `${role}, disabled` : role,
  }));
};

const tags: Ask = async (client, signal) =>
  counted(
    (await recentTasks(client, signal)).filter(({ tag }) => tag !== ''),
    'tag',
  );

const uploads: Ask = async (client, signal) =>
  (await client.listFiles({ limit: 1_000, signal })).files
    .filter(({ task_id }) => task_id === null)
    .map(({ path }) => ({ value: path, what: '' }));

const webhooks: Ask = async (client, signal) =>
  (await client.listWebhooks({ signal })).map(({ webhook_id, url }) => ({ value: webhook_id, what: url }));

const deliveries: Ask = async (client, signal) =>
  (await client.listDeliveries({}, { signal })).deliveries.map(({ delivery_id, state, event }) => ({
    value: delivery_id,
    what: `${event}, ${state}`,
  }));

const tokens: Ask = async (client, signal) =>
  (await client.listTokens({ signal })).map(({ token_id, name }) => ({ value: token_id, what: name }));

/** `disk=ssd`, the most frequent first. */
const labels: Ask = async (client, signal) => {
  const counts = new Map<string, number>();
  for (const worker of await client.listWorkers({ signal })) {
    for (const [name, value] of Object.entries(worker.labels)) {
      counts.set(`${name}=${value}`, (counts.get(`${name}=${value}`) ?? 0) + 1);
    }
  }
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([value, count]) => ({ value, what: `${count} ${count === 1 ? 'worker' : 'workers'}` }));
};

/** By the name of the argument or of the option's value. */
const ASKED: Readonly<Record<string, Ask>> = {
  task: tasks,
  tasks,
  worker: workers,
  workers,
  image: images,
  user: users,
  tag: tags,
  label: labels,
  path: uploads,
  'webhook-id': webhooks,
  'delivery-id': deliveries,
  'token-id': tokens,
};

/** One or several of these, with commas. */
const LISTED: Readonly<Record<string, readonly string[]>> = {
  state: TASK_STATES,
  states: TASK_STATES,
  events: WEBHOOK_EVENTS,
  metric: HISTORY_METRICS,
};

const LOCAL: Readonly<Record<string, 'file' | 'folder'>> = { file: 'file', files: 'file', folder: 'folder' };

export class CompletionSources {
  readonly #world: SourceWorld;
  readonly #kept = new Map<string, { readonly at: number; readonly found: Found[] }>();

  constructor(world: SourceWorld) {
    this.#world = world;
  }

  /** What was looked up before is looked up anew: a command may have changed it. */
  forget(): void {
    this.#kept.clear();
  }

  /** All that may stand there and begins with what is typed. */
  async candidates(place: Place): Promise<readonly Candidate[]> {
    const { wanted, part, lead } = place;
    if (wanted === null) return place.candidates;
    const found = await this.#found(wanted, part, place.settings).catch(() => []);
    const looked = found.slice(0, SHOWN).map(({ value, what, done }) => ({
      value: `${lead}${value}`,
      what: plain(what),
      done,
    }));
    // A name that would steer the terminal, or be two lines to a shell, is for the person to type.
    return [...place.candidates, ...looked].filter(({ value }) => plain(value) === value);
  }

  async #found(wanted: string, part: string, settings: Place['settings']): Promise<Candidate[]> {
    const local = LOCAL[wanted];
    if (local) return localFiles(part, local, this.#world.home);
    const listed = LISTED[wanted];
    if (listed) return fromList(listed, part);
    const ask = ASKED[wanted];
    if (!ask) return [];
    const all = await this.#ask(wanted, ask, settings);
    if (wanted === 'label' && part.includes(',')) return moreValues(all, part);
    return all.filter(({ value }) => fits(value, part)).map((one) => ({ ...one, done: true }));
  }

  async #ask(wanted: string, ask: Ask, settings: Place['settings']): Promise<Found[]> {
    const now = this.#world.now();
    const client = await this.#world.client(settings);
    const key = `${wanted} ${client.url} ${settings.token ?? ''}`;
    const kept = this.#kept.get(key);
    if (kept && now - kept.at < KEPT_MS) return kept.found;
    // A cluster that is away is not waited for at every key.
    const found = await ask(client, AbortSignal.timeout(DEADLINE_MS), now).catch(() => []);
    // Of a person's few kinds of things; those of other addresses and times are not worth keeping.
    for (const [old, { at }] of this.#kept) if (now - at >= KEPT_MS) this.#kept.delete(old);
    this.#kept.set(key, { at: now, found });
    return found;
  }
}

/** The beginning, or that of an id without the word before its dash, which commands take too. */
function fits(value: string, part: string): boolean {
  return value.startsWith(part) || (part !== '' && value.startsWith(`task-${part.toLowerCase()}`));
}

function fromList(listed: readonly string[], part: string): Candidate[] {
  const named = part.split(',');
  const last = named.pop() ?? '';
  return listed
    .filter((one) => one.startsWith(last) && !named.includes(one))
    .map((one) => ({ value: [...named, one].join(','), what: '', done: true }));
}

/** A label with some of its values, `disk=ssd,`, and one more of them. */
function moreValues(all: readonly Found[], part: string): Candidate[] {
  const [label = '', first = ''] = part.split('=', 2);
  const named = first.split(',').slice(0, -1);
  const typed = part.slice(0, part.lastIndexOf(',') + 1);
  return all
    .filter(({ value }) => value.startsWith(`${label}=`))
    .map(({ value, what }) => ({ value: value.slice(label.length + 1), what }))
    .filter(({ value }) => !named.includes(value))
    .map(({ value, what }) => ({ value: `${typed}${value}`, what, done: true }))
    .filter(({ value }) => value.startsWith(part));
}

async function recentTasks(client: Client, signal: AbortSignal): Promise<TaskBody[]> {
  return (await client.listTasks({ limit: TASKS }, { signal })).tasks;
}

/** Each one once, the most frequent first. */
function counted(among: readonly TaskBody[], of: 'docker_image' | 'user' | 'tag'): Found[] {
  const counts = new Map<string, number>();
  for (const { [of]: value } of among) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([value, count]) => ({ value, what: `${count} ${count === 1 ? 'task' : 'tasks'}` }));
}

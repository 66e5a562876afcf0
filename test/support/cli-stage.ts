// The command line run inside a test: its own home folder, a small real API, and everything it says kept.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliIo } from '../../cli/io.ts';
import { runCli } from '../../cli/program.ts';
import type { Screen } from '../../cli/screen/screen.ts';
import { type SmallApi, startSmallApi } from './small-api.ts';

export interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What is around one run: environment, answers to questions, standard input, the terminal. */
export interface World {
  readonly env?: Record<string, string>;
  readonly answers?: string[];
  readonly input?: string;
  readonly columns?: number;
  readonly color?: boolean;
  readonly screen?: Screen;
  /** Standard error is a terminal. */
  readonly progress?: boolean;
  readonly signal?: AbortSignal;
  /** Absent on a terminal. */
  readonly outBytes?: (bytes: Uint8Array) => Promise<void>;
}

export interface Running {
  /** Grows as it goes. */
  readonly told: { readonly out: string; readonly err: string };
  readonly ended: Promise<Told>;
}

export interface CliStage {
  readonly api: SmallApi;
  /** Stands for `~/.config`. */
  readonly home: string;
  readonly profileFile: string;
  /** Empty, for the files of a test. */
  readonly folder: string;
  cloudai(argv: string[], world?: World): Promise<Told>;
  /** The same, to be looked at while it runs. */
  start(argv: string[], world?: World): Running;
  close(): Promise<void>;
}

export async function openCliStage(): Promise<CliStage> {
  const api = await startSmallApi();
  const place = await mkdtemp(join(tmpdir(), 'cloudai-cli-'));
  const [home, folder] = [join(place, 'home'), join(place, 'files')];
  for (const path of [home, folder]) await mkdir(path);
  const start = (argv: string[], world: World = {}): Running => {
    const { screen } = world;
    const told = { out: '', err: '' };
    const answers = [...(world.answers ?? [])];
    const io: CliIo = {
      out: async (text) => {
        told.out += text;
      },
      err: async (text) => {
        told.err += text;
      },
      env: { CLOUDAI_URL: api.url, CLOUDAI_TOKEN: 'a-token', XDG_CONFIG_HOME: home, ...world.env },
      outBytes: world.outBytes,
      columns: world.columns ?? null,
      color: world.color ?? false,
      openScreen: screen ? async () => screen : null,
      progress: world.progress ?? false,
      interactive: world.answers !== undefined,
      signal: world.signal ?? new AbortController().signal,
      ask: async () => answers.shift() ?? '',
      readInput: async () => world.input ?? '',
      now: () => Date.parse('2026-01-01T10:01:00.000Z'),
    };
    return { told, ended: runCli(argv, io, '1.2.3').then((code) => ({ code, ...told })) };
  };
  return {
    api,
    home,
    folder,
    profileFile: join(home, 'cloudai', 'config.json'),
    start,
    cloudai: (argv, world) => start(argv, world).ended,
    close: async () => {
      await api.close();
      await rm(place, { recursive: true });
    },
  };
}

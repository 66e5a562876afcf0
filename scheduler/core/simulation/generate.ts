// Makes up a workload that looks like those of real clusters. Pure: the same options, machines and seed, the same tasks.
//
// What is known of real ones, and kept here:
// - Few users submit most of the work, each again and again the same few kinds of job (D. Feitelson, "Workload Modeling for
//   Computer Systems Performance Evaluation", 2015, chapter 8: locality of sampling). So users have weights by Zipf's law
//   and kinds of their own, and what is learned of a kind's run time is worth something.
// - Jobs come in bursts of very different size, more by day than by night (the same, chapters 3 and 9).
// - Most tasks are short, and the few long ones hold most of the resources (C. Reiss et al., "Heterogeneity and Dynamicity of
//   Clouds at Scale: Google Trace Analysis", SoCC 2012). The tail is Pareto's with an exponent near 0.7 (M. Tirmazi et al.,
//   "Borg: the Next Generation", EuroSys 2020, section 7). So run times are log-normal with such a tail.
// - Requests are round numbers, small ones most often, and rarely more than half of a machine (Reiss); most tasks with GPUs
//   want one (Q. Weng et al., "MLaaS in the Wild", NSDI 2022).

import { NO_DEMAND } from '../../../shared/model/labels.ts';
import {
  DIMENSIONS,
  type Dimension,
  NO_RESOURCES,
  type Resources,
  resourceShape,
  sumResources,
} from '../../../shared/model/resources.ts';
import type { Dice } from './dice.ts';
import type { TraceTask, TraceWorker } from './trace.ts';

export interface GenerateOptions {
  readonly tasks: number;
  readonly users: number;
  readonly hours: number;
  /**
   * What all tasks hold over their run times, as a part of what the cluster has in those hours: of the GPUs, and of the
   * scarcest of the rest.
   */
  readonly load: number;
  /** Part of the tasks that want GPUs, about. */
  readonly gpu: number;
  /** Tasks of one burst, on average, about. */
  readonly burst: number;
  /** Kinds of job of one user, about. */
  readonly kinds: number;
}

export const GENERATE_DEFAULTS: GenerateOptions = {
  tasks: 10_000,
  users: 20,
  hours: 24,
  load: 0.8,
  gpu: 0,
  burst: 8,
  kinds: 4,
};

export interface Generated {
  /** In order of `atMs`, the first at 0. */
  readonly tasks: readonly TraceTask[];
  /** Less than was asked for where so few tasks, none longer than a quarter of the time, cannot make more. */
  readonly load: number;
}

interface JobKind extends Pick<TraceTask, 'user' | 'need' | 'kValue' | 'priority' | 'image' | 'tag'> {
  readonly medianMs: number;
}

interface Person {
  readonly plain: readonly JobKind[];
  readonly onGpus: readonly JobKind[];
}

type Draft = Omit<TraceTask, 'runMs' | 'atMs'> & { runMs: number; atMs: number };

const HOUR_MS = 3_600_000;
/** Sums of weights. */
const CORES = { of: [500, 1_000, 2_000, 4_000, 8_000, 16_000], sums: [20, 55, 75, 90, 97, 100] };
const GPUS = { of: [1, 2, 4, 8], sums: [70, 85, 95, 100] };
const PRIORITIES = { of: [1, 3, 5, 7, 9], sums: [10, 25, 75, 92, 100] };
const K_VALUES = { of: [1.5, 3, 5], sums: [15, 80, 100] };
/** Part of the kinds whose run time is of the tail. */
const LONG_PART = 0.08;
const MEDIAN_RUN_MS = 300_000;
const RUN_SIGMA = 1.5;
const TAIL_EXPONENT = 0.7;
/** Of the runs of one kind among themselves. */
const KIND_SIGMA = 0.35;
/** The longest run, as a part of the whole time: else the last one would go on alone for as long again. */
const LONGEST_PART = 0.25;
const BURST_EXPONENT = 1.2;
const LARGEST_BURST = 2_000;
/** Of all tasks: a made-up trace is to be more than one burst. */
const LARGEST_PART = 0.02;
const BURST_GAP_MS = 500;
/** How much more comes at the height of the day than on average. */
const DAILY = 0.5;

export function generate(options: GenerateOptions, workers: readonly TraceWorker[], dice: Dice): Generated {
  const endMs = options.hours * HOUR_MS;
  const people = peopleOf(options, workers, dice, endMs);
  const zipf = sumsOf(people.map((_, at) => 1 / (at + 1)));
  const drafts: Draft[] = [];
  const largestBurst = Math.ceil(options.tasks * LARGEST_PART);
  while (drafts.length < options.tasks) {
    const { plain, onGpus } = people[dice.weighted(zipf)] as Person;
    const wantsGpus = onGpus.length > 0 && dice.next() < options.gpu;
    const kind = dice.pick(wantsGpus ? onGpus : plain);
    const size = Math.min(burstSize(options.burst, dice), largestBurst, options.tasks - drafts.length);
    let atMs = momentOfDay(endMs, dice);
    for (let one = 0; one < size; one += 1) {
      drafts.push(draftOf(kind, Math.min(Math.floor(atMs), endMs - 1), dice));
      atMs += dice.exponential(BURST_GAP_MS);
    }
  }
  drafts.sort((a, b) => a.atMs - b.atMs);
  const firstMs = drafts[0]?.atMs ?? 0;
  for (const draft of drafts) draft.atMs -= firstMs;
  return { tasks: drafts, load: stretch(drafts, workers, options.load, endMs) };
}

function draftOf(kind: JobKind, atMs: number, dice: Dice): Draft {
  const { medianMs, user, need, kValue, priority, image, tag } = kind;
  const runMs = dice.logNormal(medianMs, KIND_SIGMA);
  return { atMs, user, need, runMs, kValue, priority, image, tag, labels: NO_DEMAND, worker: null };
}

function peopleOf(
  { users, kinds, gpu }: GenerateOptions,
  workers: readonly TraceWorker[],
  dice: Dice,
  endMs: number,
): Person[] {
  const largest = halfOf(usualOf(workers));
  const withGpus = gpu > 0 ? mostGpus(workers) : null;
  const some = () => 1 + Math.floor(dice.exponential(Math.max(0, kinds - 0.5)));
  return Array.from({ length: users }, (_, at) => {
    const user = `user-${at + 1}`;
    const make = (needOf: () => Resources) => (_: unknown, which: number) =>
      jobKind(user, which, needOf(), endMs, dice);
    const plain = Array.from(
      { length: some() },
      make(() => plainNeed(largest, dice)),
    );
    const onGpus =
      withGpus === null || withGpus.gpus === 0
        ? []
        : Array.from({ length: some() }, (one, which) =>
            make(() => gpuNeed(withGpus, dice))(one, plain.length + which),
          );
    return { plain, onGpus };
  });
}

function jobKind(user: string, which: number, need: Resources, endMs: number, dice: Dice): JobKind {
  const isLong = dice.next() < LONG_PART;
  const medianMs = isLong
    ? dice.boundedPareto(TAIL_EXPONENT, Math.min(HOUR_MS, endMs / 8), endMs * LONGEST_PART)
    : dice.logNormal(MEDIAN_RUN_MS, RUN_SIGMA);
  return {
    user,
    need,
    medianMs,
    priority: one(PRIORITIES, dice),
    kValue: one(K_VALUES, dice),
    image: `registry.example/${user}/job-${which + 1}:1`,
    tag: `job-${which + 1}`,
  };
}

function plainNeed(largest: Resources, dice: Dice): Resources {
  const cpuMillis = Math.min(one(CORES, dice), largest.cpuMillis);
  // Two GB a core, most often; in whole steps of half a GB.
  const memoryMb = Math.ceil(dice.logNormal((cpuMillis / 1_000) * 2_048, 0.7) / 512) * 512;
  const storageMb = largest.storageMb === 0 ? 0 : 1_024 * Math.ceil(dice.exponential(2));
  return {
    cpuMillis,
    memoryMb: Math.min(memoryMb, largest.memoryMb),
    gpus: 0,
    storageMb: Math.min(storageMb, largest.storageMb),
  };
}

function gpuNeed(largest: Resources, dice: Dice): Resources {
  const gpus = Math.min(one(GPUS, dice), largest.gpus);
  const part = gpus / largest.gpus;
  const least = (of: 'cpuMillis' | 'memoryMb', step: number) =>
    Math.min(
      largest[of],
      Math.max(step, Math.floor((largest[of] * part * (0.3 + 0.7 * dice.next())) / step) * step),
    );
  return { cpuMillis: least('cpuMillis', 500), memoryMb: least('memoryMb', 512), gpus, storageMb: 0 };
}

/** The size of which there are most machines. */
function usualOf(workers: readonly TraceWorker[]): Resources {
  const counts = new Map<string, { readonly capacity: Resources; count: number }>();
  for (const { capacity } of workers) {
    const shape = resourceShape(capacity);
    const known = counts.get(shape) ?? { capacity, count: 0 };
    known.count += 1;
    counts.set(shape, known);
  }
  return [...counts.values()].reduce((best, next) => (next.count > best.count ? next : best)).capacity;
}

function mostGpus(workers: readonly TraceWorker[]): Resources {
  return workers.reduce((best, { capacity }) => (capacity.gpus > best.gpus ? capacity : best), NO_RESOURCES);
}

/** Requests are rarely for more than half of a machine (Reiss). */
function halfOf({ cpuMillis, memoryMb, storageMb }: Resources): Resources {
  const half = (amount: number) => Math.floor(amount / 2);
  return { cpuMillis: half(cpuMillis), memoryMb: half(memoryMb), gpus: 0, storageMb: half(storageMb) };
}

/** Discrete Pareto, scaled to the mean that is asked for; its own is about 4.5. */
function burstSize(mean: number, dice: Dice): number {
  return Math.max(1, Math.round((dice.boundedPareto(BURST_EXPONENT, 1, LARGEST_BURST) * mean) / 4.5));
}

/** More by day: by rejection from a rate that swings with the hour. */
function momentOfDay(endMs: number, dice: Dice): number {
  for (;;) {
    const atMs = dice.next() * endMs;
    const rate = 1 + DAILY * Math.sin((2 * Math.PI * (atMs / HOUR_MS - 8)) / 24);
    if (dice.next() * (1 + DAILY) < rate) return atMs;
  }
}

/**
 * Stretches run times so that the load becomes what was asked for: first those of the tasks with GPUs, by one factor, for
 * the load of the GPUs, then those of the others for the load of the rest. None gets longer than LONGEST_PART of the whole
 * time, or shorter than a second. Returns the least of both loads.
 */
function stretch(drafts: Draft[], workers: readonly TraceWorker[], load: number, endMs: number): number {
  const capacity = sumResources(workers.map((worker) => worker.capacity));
  const held = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };
  const longestMs = Math.max(1_000, Math.round(endMs * LONGEST_PART));
  const stretched = (runMs: number, factor: number) =>
    Math.min(longestMs, Math.max(1_000, Math.round(runMs * factor)));
  const reach = (some: readonly Draft[], dimensions: readonly Dimension[]): number => {
    const heldAt = (factor: number) => {
      const sum = { ...held };
      for (const { need, runMs } of some) {
        const part = stretched(runMs, factor) / endMs;
        for (const one of DIMENSIONS) sum[one] += need[one] * part;
      }
      return sum;
    };
    const loadAt = (factor: number) => {
      const sum = heldAt(factor);
      return Math.max(...dimensions.map((one) => (capacity[one] === 0 ? 0 : sum[one] / capacity[one])));
    };
    // By bisection of the logarithm: the load grows with the factor.
    let [low, high] = [-20, 20];
    for (let round = 0; round < 40; round += 1) {
      const middle = (low + high) / 2;
      if (loadAt(2 ** middle) < load) low = middle;
      else high = middle;
    }
    const factor = 2 ** high;
    const reached = loadAt(factor);
    Object.assign(held, heldAt(factor));
    for (const draft of some) draft.runMs = stretched(draft.runMs, factor);
    return reached;
  };
  const onGpus = drafts.filter(({ need }) => need.gpus > 0);
  const plain = drafts.filter(({ need }) => need.gpus === 0);
  const loads = [
    ...(onGpus.length === 0 ? [] : [reach(onGpus, ['gpus'])]),
    ...(plain.length === 0 ? [] : [reach(plain, ['cpuMillis', 'memoryMb', 'storageMb'])]),
  ];
  return Math.min(...loads);
}

function one<T>({ of, sums }: { of: readonly T[]; sums: readonly number[] }, dice: Dice): T {
  return of[dice.weighted(sums)] as T;
}

function sumsOf(weights: readonly number[]): number[] {
  let sum = 0;
  return weights.map((weight) => {
    sum += weight;
    return sum;
  });
}

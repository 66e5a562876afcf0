// Amounts of resources in words for a person. Pure.

import type { Dimension, Resources, Shortfall } from '../../shared/model/resources.ts';

const NAMES: Readonly<Record<Dimension, string>> = {
  cpuMillis: 'cores',
  memoryMb: 'memory',
  gpus: 'GPUs',
  storageMb: 'storage',
};

/** `4 cores`, `1 GPU`, `64 GB memory`. */
export function describeAmount(dimension: Dimension, amount: number): string {
  const number = bareAmount(dimension, amount);
  switch (dimension) {
    case 'cpuMillis':
      return `${number} ${amount === 1000 ? 'core' : 'cores'}`;
    case 'gpus':
      return `${number} ${amount === 1 ? 'GPU' : 'GPUs'}`;
    default:
      return `${number} ${NAMES[dimension]}`;
  }
}

/** Without the name of the dimension: `4`, `512 MB`, `64 GB`. Exact: what is no round GB stays in MB. */
export function bareAmount(dimension: Dimension, amount: number): string {
  if (dimension === 'cpuMillis') return String(amount / 1000);
  if (dimension === 'gpus') return String(amount);
  const gb = amount / 1024;
  return amount >= 1024 && Number.isInteger(gb * 10) ? `${gb} GB` : `${amount} MB`;
}

/** `4 cores and 64 GB memory`, of the missing dimensions. */
export function describeNeed(missing: readonly Shortfall[]): string {
  return joinWords(missing.map(({ dimension, required }) => describeAmount(dimension, required)));
}

/** `1.5 cores free of 4 and 2 GB memory free of 8 GB`, of the missing dimensions. */
export function describeFree(missing: readonly Shortfall[], capacity: Resources): string {
  return joinWords(
    missing.map(({ dimension, available }) => {
      const free =
        missing.length === 1 ? bareAmount(dimension, available) : describeAmount(dimension, available);
      return `${free} free of ${bareAmount(dimension, capacity[dimension])}`;
    }),
  );
}

/** `16 GB` for one dimension, `2 cores and 16 GB memory` for more. */
export function describeHave(missing: readonly Shortfall[]): string {
  const [only] = missing;
  if (only && missing.length === 1) return bareAmount(only.dimension, only.available);
  return joinWords(missing.map(({ dimension, available }) => describeAmount(dimension, available)));
}

export function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `a moment`, `12 s`, `3 min`, `2 h`. */
export function describeSpan(ms: number): string {
  if (ms < 1_000) return 'a moment';
  if (ms < 120_000) return `${Math.ceil(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.ceil(ms / 60_000)} min`;
  return `${Math.ceil(ms / 3_600_000)} h`;
}

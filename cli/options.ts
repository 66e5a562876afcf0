// How the words given to options are read, with faults that say what was expected. Pure.

import { InvalidArgumentError } from 'commander';
import { type MountBody, readMountText } from '../shared/contracts/mounts.ts';
import type { LogStream } from '../shared/model/log-line.ts';
import { TASK_STATES, type TaskState } from '../shared/model/task.ts';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../shared/model/webhook.ts';

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** Zero or more; what is too large is for the API to say. */
export function amount(text: string): number {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError('It must not be below zero.');
  return value;
}

export function wholeNumber(text: string): number {
  const value = amount(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

export function positive(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('It must be 1 or more.');
  return value;
}

/** As `amount`, or no limit at all. */
export function amountLimit(text: string): number | 'none' {
  if (text.toLowerCase() === 'none') return 'none';
  if (!/^\d+(?:\.\d+)?$/.test(text)) throw new InvalidArgumentError('It must be a number or none.');
  return amount(text);
}

/** As `wholeNumber`, or no limit at all. */
export function limit(text: string): number | 'none' {
  if (text.toLowerCase() === 'none') return 'none';
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number or none.');
  return wholeNumber(text);
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds of `90s`, `10m`, `1h30m`, `2d`; a number alone is seconds. */
export function seconds(text: string): number {
  if (/^\d+$/.test(text)) return wholeNumber(text);
  if (!/^(?:\d+[smhd])+$/.test(text)) {
    throw new InvalidArgumentError('It must be a time such as 90s, 10m, 1h30m or 2d.');
  }
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g)) {
    sum += Number(count) * SECONDS[unit as keyof typeof SECONDS];
  }
  return wholeNumber(String(sum));
}

/** One word or several with commas. */
export function words(text: string): string[] {
  return text.split(',').map((one) => one.trim());
}

/** One whole number or several with commas. */
export function codes(text: string): number[] {
  const named = words(text);
  if (named.some((one) => !/^\d+$/.test(one))) {
    throw new InvalidArgumentError('It must be whole numbers with commas, e.g. 75,111.');
  }
  return named.map(Number);
}

/** One state or several with commas. */
export function states(text: string): TaskState[] {
  return text.split(',').map((one) => {
    const state = TASK_STATES.find((known) => known === one.toLowerCase());
    if (!state) throw new InvalidArgumentError(`It must be one or more of ${TASK_STATES.join(', ')}.`);
    return state;
  });
}

export function stream(text: string): LogStream {
  if (text === 'stdout' || text === 'stderr') return text;
  throw new InvalidArgumentError('It must be stdout or stderr.');
}

/** One event of webhooks or several with commas, each once. */
export function events(text: string): WebhookEvent[] {
  const named = text.split(',').map((one) => {
    const event = WEBHOOK_EVENTS.find((known) => known === one.trim().toLowerCase());
    if (!event) throw new InvalidArgumentError(`It must be one or more of ${WEBHOOK_EVENTS.join(', ')}.`);
    return event;
  });
  return [...new Set(named)];
}

/** A folder of the worker and where it is to be, for an option that may be given several times. */
export function mount(text: string, before: readonly MountBody[] | undefined): MountBody[] {
  const found = readMountText(text);
  if (!found) {
    throw new InvalidArgumentError(
      'Write a folder of the worker and where it is to be in the container, e.g. /data/sets:/data, with :ro behind it to read only.',
    );
  }
  return [...(before ?? []), found];
}

/** For an option that may be given several times. */
export function collect(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

// What the fields of the form suggest: images that workers have or that were used before, tags, sizes of workers. Pure.

import { byteSize, megabytes, trim } from '../../../client/words.ts';
import type { ImageBody } from '../../../shared/contracts/images.ts';
import type { TaskSummaryBody } from '../../../shared/contracts/task-lists.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { familiarImage } from '../../../shared/model/image.ts';
import type { ComboOption } from './combo-options.ts';

type Used = Pick<TaskSummaryBody, 'docker_image' | 'tag'>;

/** The user's own first, the most used before others; then what lies on most workers. */
export function imageOptions(images: readonly ImageBody[], recent: readonly Used[]): ComboOption[] {
  const present = new Map(images.map((image) => [image.image, image]));
  const used = counted(recent.map(({ docker_image: image }) => image));
  const names = new Set(used.map(([name]) => name));
  return [
    ...used.map(([value, count]) => {
      const there = present.get(familiarImage(value));
      return { value, hint: `${times(count)} · ${there ? whereText(there) : 'not on a worker yet'}` };
    }),
    ...images
      .filter(({ image }) => !names.has(image) && !names.has(image.replace(/:latest$/, '')))
      .map((image) => ({ value: image.image, hint: whereText(image) })),
  ];
}

/** Where the image of the form is, below its field; empty while there is nothing to say. */
export function imageNote(image: string, images: readonly ImageBody[] | null): string {
  if (image.trim() === '' || images === null) return '';
  const name = familiarImage(image.trim());
  const found = images.find((one) => one.image === name);
  if (!found) return 'On no worker yet: it is pulled when the task starts.';
  const some = found.workers.slice(0, 3).join(', ');
  const more = found.worker_count - Math.min(3, found.workers.length);
  return `Present on ${some}${more > 0 ? ` and ${more.toLocaleString()} more` : ''}.`;
}

export function tagOptions(recent: readonly Used[]): ComboOption[] {
  return counted(recent.map(({ tag }) => tag).filter((tag) => tag !== '')).map(([value, count]) => ({
    value,
    hint: times(count),
  }));
}

/** The largest of each among workers that could take work, as words; null when there is none. */
export function largestOf(
  workers: readonly WorkerBody[],
): { cpu: string; memory: string; gpu: string; storage: string } | null {
  const able = workers.filter(({ state }) => state !== 'down' && state !== 'unreachable');
  if (able.length === 0) return null;
  const most = (of: 'cpu' | 'memory' | 'gpu' | 'storage') =>
    Math.max(...able.map(({ capacity }) => capacity[of]));
  return {
    cpu: `${trim(most('cpu'), 2)}`,
    memory: megabytes(most('memory')),
    gpu: `${most('gpu')}`,
    storage: megabytes(most('storage')),
  };
}

function whereText({ worker_count: count, workers, size_bytes: size }: ImageBody): string {
  const where = count === 1 ? `on ${workers[0] ?? '1 worker'}` : `on ${count.toLocaleString()} workers`;
  return size === null ? where : `${where} · ${byteSize(size)}`;
}

function times(count: number): string {
  return count === 1 ? 'used once' : `used ${count} times`;
}

function counted(values: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}

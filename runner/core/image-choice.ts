// Which of a machine's images are worth telling. Pure.

import { familiarImage, type PresentImage, type StoredImage } from '../../shared/model/image.ts';

/** So many are told at most. */
const IMAGES_TOLD = 500;

/**
 * Those that tasks used here last come first, then the newest; in order of name, so that the same images make the same
 * list.
 *
 * @param used names by `familiarImage`, the last used last
 */
export function chooseImages(
  found: readonly StoredImage[],
  used: readonly string[],
  most = IMAGES_TOLD,
): PresentImage[] {
  const lastUse = new Map(used.map((name, at) => [name, at]));
  const named = new Map(found.map((image) => [familiarImage(image.name), image]));
  return [...named]
    .map(([name, { sizeBytes, createdAt }]) => ({ name, sizeBytes, createdAt: createdAt ?? 0 }))
    .sort(
      (one, other) =>
        (lastUse.get(other.name) ?? -1) - (lastUse.get(one.name) ?? -1) ||
        other.createdAt - one.createdAt ||
        order(one.name, other.name),
    )
    .slice(0, most)
    .sort((one, other) => order(one.name, other.name))
    .map(({ name, sizeBytes }) => ({ name, sizeBytes }));
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

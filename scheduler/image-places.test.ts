import { describe, expect, it } from 'vitest';
import { silentLog } from '../shared/platform/log.ts';
import type { WorkerImages } from '../shared/ports/image-board.ts';
import { ImagePlaces } from './image-places.ts';

const list = (workerId: string, version: string, ...names: string[]): WorkerImages => ({
  workerId,
  version,
  images: names.map((name) => ({ name, sizeBytes: null })),
});

/** A board that answers with what it is given. */
function places(most?: number) {
  const told: { lists: readonly WorkerImages[]; known: (readonly WorkerImages[] | undefined)[] } = {
    lists: [],
    known: [],
  };
  const images = {
    post: async () => undefined,
    all: async (known?: readonly WorkerImages[]) => {
      told.known.push(known);
      return told.lists;
    },
  };
  return { told, of: new ImagePlaces({ images, log: silentLog() }, most) };
}

describe('places of images', () => {
  it('are the workers that have told of them', async () => {
    const { told, of } = places();
    expect([...of.places]).toEqual([]);
    told.lists = [list('w1', 'a', 'python:3', 'busybox:latest'), list('w2', 'b', 'python:3')];
    await of.read();
    expect([...of.places]).toEqual([
      ['python:3', ['w1', 'w2']],
      ['busybox:latest', ['w1']],
    ]);
    const before = of.places;
    await of.read();
    expect(of.places).toBe(before);
    expect(told.known).toEqual([[], told.lists]);
    told.lists = [list('w2', 'c', 'busybox:latest')];
    await of.read();
    expect([...of.places]).toEqual([['busybox:latest', ['w2']]]);
  });

  it('are no more than can be kept', async () => {
    const { told, of } = places(3);
    told.lists = [list('w1', 'a', 'x', 'y'), list('w2', 'b', 'x', 'y'), list('w3', 'c', 'x')];
    await of.read();
    expect([...of.places]).toEqual([
      ['x', ['w1', 'w3']],
      ['y', ['w1']],
    ]);
  });
});

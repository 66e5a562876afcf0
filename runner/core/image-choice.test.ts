import { describe, expect, it } from 'vitest';
import { chooseImages } from './image-choice.ts';

const image = (name: string, createdAt: number | null = null, sizeBytes: number | null = 1) => ({
  name,
  createdAt,
  sizeBytes,
});

describe('the images that are told', () => {
  it('stand in order of name, each once', () => {
    expect(chooseImages([image('b:1'), image('a:1', 5, 7), image('a:1', 5, 7)], [])).toEqual([
      { name: 'a:1', sizeBytes: 7 },
      { name: 'b:1', sizeBytes: 1 },
    ]);
  });

  it('are those used last, then the newest, when there are too many', () => {
    const found = [
      image('old:1', 1),
      image('new:1', 9),
      image('newer:1', 10),
      image('used:1', 0),
      image('x:1'),
    ];
    const names = (most: number) =>
      chooseImages(found, ['gone:1', 'old:1', 'used:1'], most).map((one) => one.name);
    expect(names(1)).toEqual(['used:1']);
    expect(names(2)).toEqual(['old:1', 'used:1']);
    expect(names(3)).toEqual(['newer:1', 'old:1', 'used:1']);
    expect(names(9)).toHaveLength(5);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PresentImage } from '../../shared/model/image.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { ImageNotice } from './image-notice.ts';

describe('the notice of images', () => {
  let present: string[];
  let posts: { names: string[]; keptMs: number }[];
  let isAway: boolean;
  let looks: number;
  let notice: ImageNotice;

  beforeEach(() => {
    vi.useFakeTimers();
    present = ['a:1'];
    posts = [];
    isAway = false;
    looks = 0;
    notice = new ImageNotice({
      workerId: 'w',
      runtime: {
        images: async () => {
          looks += 1;
          return present.map((name) => ({ name, sizeBytes: null, createdAt: null }));
        },
      },
      board: {
        post: async (_worker: string, images: readonly PresentImage[], keptMs: number) => {
          if (isAway) throw new Error('away');
          posts.push({ names: images.map(({ name }) => name), keptMs });
        },
      },
      log: silentLog(),
    });
  });
  afterEach(() => {
    notice.stop();
    vi.useRealTimers();
  });

  it('comes at the start and every minute, and outlasts the next ones', async () => {
    notice.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(posts).toEqual([{ names: ['a:1'], keptMs: 180_000 }]);
    present = ['a:1', 'b:1'];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(posts.at(-1)?.names).toEqual(['a:1', 'b:1']);
  });

  it('comes soon after a task brought an image, once for several, and not for what was told', async () => {
    notice.start();
    await vi.advanceTimersByTimeAsync(0);
    present = ['a:1', 'b:1', 'c:latest'];
    notice.used('b:1');
    notice.used('docker.io/library/c');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(posts).toHaveLength(2);
    expect(posts[1]?.names).toEqual(['a:1', 'b:1', 'c:latest']);
    notice.used('c');
    notice.used('a:1');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(looks).toBe(2);
  });

  it('asks once for a name that no list has', async () => {
    notice.start();
    await vi.advanceTimersByTimeAsync(0);
    const digest = `a@sha256:${'0'.repeat(64)}`;
    for (let n = 0; n < 3; n += 1) {
      notice.used(digest);
      await vi.advanceTimersByTimeAsync(2_000);
    }
    expect(looks).toBe(2);
  });

  it('goes on when nobody could be told, and ends when it is stopped', async () => {
    isAway = true;
    notice.start();
    await vi.advanceTimersByTimeAsync(0);
    isAway = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(posts).toHaveLength(1);
    notice.stop();
    notice.used('z:1');
    await vi.advanceTimersByTimeAsync(300_000);
    expect(looks).toBe(2);
  });
});

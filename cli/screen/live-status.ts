// `status` on a terminal: the picture of the cluster drawn anew as it changes, until whoever looks has seen enough.

import type { Session } from '../session.ts';
import { ClusterFeed } from './cluster-feed.ts';
import { clusterPicture } from './cluster-picture.ts';
import { speaksUnicode } from './glyphs.ts';
import type { Screen } from './screen.ts';

/** Run times go on without news. */
const TICK_MS = 1_000;
/** Faster than this nobody reads. */
const LEAST_MS = 150;

/** The last picture stays. Leaving is no fault, by `q` or by Ctrl-C. */
export async function liveStatus(session: Session, screen: Screen): Promise<void> {
  const { io } = session;
  const look = { color: io.color, unicode: speaksUnicode(io.env) };
  let feed: ClusterFeed | null = null;
  let lastDrawn = Number.NEGATIVE_INFINITY;
  let soon: ReturnType<typeof setTimeout> | undefined;
  const draw = () => {
    clearTimeout(soon);
    soon = undefined;
    if (!feed) return;
    lastDrawn = performance.now();
    const { columns, rows } = screen;
    screen.draw(clusterPicture(feed.view, { columns, rows }, look, io.now()));
  };
  const drawSoon = () => {
    soon ??= setTimeout(draw, Math.max(0, LEAST_MS - (performance.now() - lastDrawn)));
  };
  const opened = await ClusterFeed.open(session, drawSoon);
  feed = opened;
  const leave = () => opened.close();
  const ends = [
    screen.onResize(() => {
      screen.wipe();
      draw();
    }),
    screen.onKey((key) => {
      if (key === 'q' || key === 'Q') leave();
    }),
  ];
  io.signal.addEventListener('abort', leave);
  if (io.signal.aborted) leave();
  const tick = setInterval(draw, TICK_MS);
  draw();
  try {
    await opened.keepUp(TICK_MS);
  } finally {
    clearInterval(tick);
    clearTimeout(soon);
    io.signal.removeEventListener('abort', leave);
    for (const end of ends) end();
    leave();
    screen.done();
  }
}

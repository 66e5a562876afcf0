// How long the dashboard takes from an empty cache until it can be used, and how much comes over the wire for it.
//
// Method: N times, taking turns, in a fresh browser context each (so nothing is cached): (a) a bare file of the same API,
// timed until its load event: what browser, connection and server take without us; (b) the overview, signed in, timed
// from the start of the navigation until its heading and its figures are drawn and nothing says "Loading" any more;
// (c) the same page again in the context of (b), now from the browser's cache. Bytes are those of the bodies as sent.
// Real processes, Redis, SQLite, one runner, Chromium without a GPU on the same machine.
// Run: npm run build && npx tsx bench/dashboard/first-load.ts [N]

import type { BrowserContext, Page } from 'playwright-core';
import { openDashboardStage } from '../../test/support/dashboard-stage.ts';
import { machineLine, quantile } from '../machine.ts';

interface Load {
  readonly usableMs: number;
  readonly longestTaskMs: number;
  readonly scriptBytes: number;
  readonly allBytes: number;
}

const rounds = Number(process.argv[2] ?? 10);

/** Runs in the page before all else: notes when it can be used, and how long the longest task was. */
const WATCH = `
  window.longestTaskMs = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longestTaskMs = Math.max(window.longestTaskMs, duration);
  }).observe({ type: 'longtask', buffered: true });
  const deep = (root, selector) => [...root.querySelectorAll('*')].flatMap((node) => [
    ...(node.matches(selector) ? [node] : []),
    ...(node.shadowRoot ? deep(node.shadowRoot, selector) : []),
  ]);
  const look = () => {
    const isThere = deep(document, 'h1').some((node) => node.textContent === 'Overview') && deep(document, 'state-counts').length > 0;
    if (isThere && deep(document, 'notice-box[kind=loading]').length === 0) window.usableAtMs = performance.now();
    else requestAnimationFrame(look);
  };
  addEventListener('DOMContentLoaded', () => requestAnimationFrame(look));
`;

const stage = await openDashboardStage();
try {
  const { url } = stage.cluster;
  const bare: number[] = [];
  const cold: Load[] = [];
  const warm: Load[] = [];
  for (let n = 0; n < rounds; n += 1) {
    bare.push(await bareLoad(`${url}/favicon.svg`));
    const page = await stage.open('admin');
    await page.context().addInitScript(WATCH);
    cold.push(await load(page, url));
    warm.push(await load(page, url));
    await page.context().close();
  }
  report(bare, cold, warm);
} finally {
  await stage.close();
}

async function bareLoad(address: string): Promise<number> {
  const context: BrowserContext = await stage.browser.newContext();
  const page = await context.newPage();
  await page.goto(address, { waitUntil: 'load' });
  const took = await page.evaluate<number>(
    'performance.timing.loadEventEnd - performance.timing.navigationStart',
  );
  await context.close();
  return took;
}

async function load(page: Page, url: string): Promise<Load> {
  await page.goto(url);
  await page.waitForFunction(() => (globalThis as { usableAtMs?: number }).usableAtMs !== undefined);
  return page.evaluate<Load>(`(() => {
    const resources = performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/socket.io/'));
    const bytes = (list) => list.reduce((sum, { transferSize, encodedBodySize }) => sum + (transferSize === 0 ? 0 : encodedBodySize), 0);
    return {
      usableMs: window.usableAtMs,
      longestTaskMs: window.longestTaskMs,
      scriptBytes: bytes(resources.filter(({ name }) => name.endsWith('.js'))),
      allBytes: bytes(resources),
    };
  })()`);
}

function report(bare: readonly number[], cold: readonly Load[], warm: readonly Load[]): void {
  const p = (values: readonly number[], q: number) => quantile(values, q).toFixed(0).padStart(5);
  const show = (name: string, values: readonly number[]) =>
    console.log(`${name.padEnd(34)} p50 ${p(values, 0.5)} ms   p90 ${p(values, 0.9)} ms`);
  const usable = (loads: readonly Load[]) => loads.map(({ usableMs }) => usableMs);
  const kb = (of: keyof Load) =>
    (
      quantile(
        cold.map((one) => one[of]),
        0.5,
      ) / 1_024
    ).toFixed(1);
  console.log(`${machineLine()}; ${rounds} rounds`);
  show('a bare file of the API', bare);
  show('overview, empty cache, usable', usable(cold));
  show('overview, from the cache, usable', usable(warm));
  show(
    'longest task, empty cache',
    cold.map(({ longestTaskMs }) => longestTaskMs),
  );
  console.log(
    `over the wire with an empty cache: ${kb('scriptBytes')} KB of script, ${kb('allBytes')} KB in all`,
  );
  const ratio = quantile(usable(cold), 0.5) / quantile(bare, 0.5);
  console.log(
    `ratio to the bare file at p50: ${ratio.toFixed(1)}; cold to warm: ${(quantile(usable(cold), 0.5) / quantile(usable(warm), 0.5)).toFixed(2)}`,
  );
}

// A real browser before the dashboard of a real cluster. Whatever a page must never do is noted as it happens: faults of
// its script, breaches of its content policy, requests to elsewhere.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import type { LoginReply, TaskListReply } from '../../shared/contracts/http.ts';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
import { waitFor } from './wait-for.ts';

export const PASSWORD = 'secure123';
const TOKEN_KEY = 'cloudai.token';
/** Of everything that is awaited on a page. Generous: it costs time only when a test fails, and a machine can be busy. */
const PAGE_DEADLINE_MS = 60_000;
/** For a page to fit a narrower window. */
const FIT_DEADLINE_MS = 5_000;
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
/** WCAG 2.2 A and AA, and what axe calls best practice. */
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface DashboardStage {
  readonly cluster: Cluster;
  readonly browser: Browser;
  /** What no page may do; must stay empty. */
  readonly faults: string[];
  /** The page of the admin, signed in, which tests use one after the other. */
  readonly page: Page;
  /** One more page of the admin, with what the browser has fetched already. */
  tab(): Promise<Page>;
  /** One more page, of a browser that knows nothing; with a name it is signed in (the account is made if need be). */
  open(username?: string | null, options?: BrowserContextOptions): Promise<Page>;
  close(): Promise<void>;
}

/** Nothing waits and nothing runs any more, whatever tests before have left. */
export async function quiet({ cluster }: Pick<DashboardStage, 'cluster'>): Promise<void> {
  const unfinished = async () =>
    (
      await cluster.call<TaskListReply>('GET', '/api/tasks?status=queued,assigned,running&limit=1000')
    ).body.tasks.map(({ task_id }) => task_id);
  await waitFor(
    async () => {
      const ids = await unfinished();
      if (ids.length > 0) await cluster.call('POST', '/api/tasks/cancel', { task_ids: ids, force: true });
      return ids.length === 0;
    },
    { what: 'a cluster without tasks' },
  );
}

export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** The first account, `admin`, is made here; `cluster.token` is its. */
export async function openDashboardStage(options: ClusterOptions = {}): Promise<DashboardStage> {
  const [cluster, browser] = await Promise.all([startCluster(options), launchBrowser()]);
  const faults: string[] = [];
  await cluster.signIn('admin');

  const pageIn = async (context: BrowserContext) => {
    const page = await context.newPage();
    page.setDefaultTimeout(PAGE_DEADLINE_MS);
    watch(page, cluster.url, faults);
    return page;
  };
  const open: DashboardStage['open'] = async (username = null, given = {}) => {
    // What moves only to please the eye is drawn by the processor here.
    const context = await browser.newContext({ reducedMotion: 'reduce', ...given });
    const page = await pageIn(context);
    if (username !== null) {
      await cluster.call('POST', '/api/auth/register', { username, password: PASSWORD });
      const { body } = await cluster.call<LoginReply>('POST', '/api/auth/login', {
        username,
        password: PASSWORD,
      });
      await context.addInitScript(
        `sessionStorage.getItem('${TOKEN_KEY}') ?? sessionStorage.setItem('${TOKEN_KEY}', '${body.token}')`,
      );
    }
    return page;
  };

  const page = await open('admin', { viewport: WIDE, colorScheme: 'light' });
  await page.goto(cluster.url);
  return {
    cluster,
    browser,
    faults,
    page,
    tab: () => pageIn(page.context()),
    open,
    close: async () => {
      await browser.close();
      await cluster.stop();
    },
  };
}

/** What axe finds wrong with the page as it is, one line for each fault and element. */
export async function axeFaults(page: Page): Promise<string[]> {
  // Through the debugger, so the page's own policy needs no hole for it. As text: the types of a browser are not known here.
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(await axeSource());
  const options = JSON.stringify({
    runOnly: { type: 'tag', values: AXE_TAGS },
    // Of what is in order nothing has to be told.
    resultTypes: ['violations'],
  });
  const results = await page.evaluate<AxeResults>(`axe.run(document, ${options})`);
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
  );
}

let axeText: Promise<string> | null = null;
function axeSource(): Promise<string> {
  axeText ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  return axeText;
}

/** Goes to another page of the dashboard as by a click on a link: without loading it anew. */
export async function visit(page: Page, address: string): Promise<void> {
  await page.evaluate(
    `(() => { const link = document.createElement('a'); link.href = ${JSON.stringify(address)}; document.body.append(link); link.click(); link.remove(); })()`,
  );
}

/** The page as a phone shows it at night, for as long as `look` looks. */
export async function onPhone<T>(page: Page, look: () => Promise<T>): Promise<T> {
  const before = page.viewportSize() ?? WIDE;
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: 'dark' });
  try {
    return await look();
  } finally {
    await page.setViewportSize(before);
    await page.emulateMedia({ colorScheme: 'light' });
  }
}

/** What bars the way on the page as it is on a phone at night: for axe, and that it has to be scrolled sideways. */
export async function phoneFaults(page: Page): Promise<string[]> {
  return onPhone(page, async () => {
    // What measures itself takes a moment to fit.
    const over = await waitFor(async () => (await overflowPx(page)) === 0, {
      what: 'a page as narrow as its window',
      deadlineMs: FIT_DEADLINE_MS,
    }).catch((error: Error) => error.message);
    return [...(over === true ? [] : [over]), ...(await axeFaults(page))];
  });
}

/** How much wider the page is than its window; 0 when nothing has to be scrolled sideways. */
export function overflowPx(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

function watch(page: Page, origin: string, faults: string[]): void {
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    const isOwn = url.startsWith(origin) || url.startsWith(`ws${origin.slice(4)}`);
    if (!isOwn && !url.startsWith('blob:') && !url.startsWith('data:')) faults.push(`request to ${url}`);
  });
}

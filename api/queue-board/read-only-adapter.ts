// Bull Board on hapi, cut down to looking: calls that would change a queue do not exist, and every answer goes through
// one door that renews the queues, keeps a deadline and blots out secrets.

import type {
  AppControllerRoute,
  ControllerHandlerReturnType,
  IServerAdapter,
} from '@bull-board/api/typings/app';
import { HapiAdapter } from '@bull-board/hapi';
import type { Request } from '@hapi/hapi';
import { masked } from './mask.ts';

/** Runs a reading of the queues. */
export type Door = <T>(read: () => Promise<T>) => Promise<T>;

export class ReadOnlyAdapter extends HapiAdapter implements IServerAdapter {
  readonly #door: Door;

  constructor(door: Door) {
    super();
    this.#door = door;
  }

  override setApiRoutes(routes: AppControllerRoute[]): HapiAdapter {
    const reading = routes.filter(({ method }) => method === 'get');
    return super.setApiRoutes(
      reading.map((route) => ({
        ...route,
        handler: async (request) => {
          const { status, body } = await this.#door<ControllerHandlerReturnType>(async () =>
            route.handler(request),
          );
          return { ...(status === undefined ? {} : { status }), body: masked(body) as typeof body };
        },
      })),
    );
  }

  /** Faults go on to where all faults become answers: the library would tell the browser their texts. */
  override setErrorHandler(): this {
    return super.setErrorHandler((error) => {
      throw error;
    });
  }
}

// From @hapi/vision, which the library brings along.
declare module '@hapi/hapi' {
  interface Request {
    render(template: string, context: object): Promise<string>;
  }
}

/** What the page of the board would fetch from elsewhere, or has in it that its policy forbids. */
const FOREIGN_LINKS = /<link\b[^>]*\bhref="https?:[^>]*>/g;
const STYLE_ELEMENTS = /<style\b[^>]*>[\s\S]*?<\/style>/g;

/** The page of the board, drawn, or null when the answer is no page of it. */
export async function boardPage(request: Request): Promise<string | null> {
  const { response } = request;
  if (response instanceof Error || String(response.variety) !== 'view') return null;
  const { template, context } = response.source as unknown as { template: string; context: object };
  const page = await request.render(template, context);
  return page.replaceAll(FOREIGN_LINKS, '').replaceAll(STYLE_ELEMENTS, '');
}

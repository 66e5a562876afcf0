// /telemetry/history: measured values over time, for the cluster or one worker. Open to whom /telemetry is.

import type { Plugin, Server } from '@hapi/hapi';
import { historyReplySchema } from '../../shared/contracts/cluster-reply-schemas.ts';
import { type HistoryQuery, historySchema } from '../../shared/contracts/history-schema.ts';
import { documented } from '../openapi/call-doc.ts';
import type { TelemetryHistory } from '../services/telemetry-history.ts';
import { checked, queryOf } from '../validation.ts';
import { observeRoute } from './auth.ts';

export interface HistoryOptions {
  readonly history: TelemetryHistory;
  readonly observeAuth: 'open' | 'required';
}

export const historyPlugin: Plugin<HistoryOptions> = {
  name: 'history',
  register: (server: Server, { history, observeAuth }: HistoryOptions) => {
    const observe = observeRoute(observeAuth);

    server.route({
      method: 'GET',
      path: '/telemetry/history',
      options: {
        ...documented({
          id: 'getTelemetryHistory',
          tag: 'cluster',
          summary: 'Measured values over time, of the cluster or of one worker.',
          replies: { 200: historyReplySchema },
          refusals: [404],
        }),
        ...observe,
        validate: checked({ query: historySchema }),
      },
      handler: async (request) => {
        const { metric, from, to, step, worker } = queryOf<HistoryQuery>(request);
        return history.read({
          metrics: metric,
          from,
          to,
          stepSeconds: step ?? null,
          worker: worker ?? null,
        });
      },
    });
  },
};

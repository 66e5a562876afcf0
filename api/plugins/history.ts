// /telemetry/history: measured values over time, for the cluster or one worker. Open to whom /telemetry is.

import type { Plugin, Server } from '@hapi/hapi';
import { type HistoryQuery, historySchema } from '../../shared/contracts/history-schema.ts';
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
      options: { ...observe, validate: checked({ query: historySchema }) },
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

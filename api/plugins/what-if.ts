// /api/whatif: where tasks would go, without running them.

import type { Plugin, Server } from '@hapi/hapi';
import { whatIfReplySchema } from '../../shared/contracts/cluster-reply-schemas.ts';
import { taskSpec } from '../../shared/contracts/http.ts';
import { mountRuleOf } from '../../shared/contracts/mounts.ts';
import { addedCapacity, type WhatIfBody, whatIfReply } from '../../shared/contracts/what-if.ts';
import { whatIfSchema } from '../../shared/contracts/what-if-schema.ts';
import { placingLabels } from '../../shared/model/mounts.ts';
import { documented } from '../openapi/call-doc.ts';
import type { Simulations } from '../services/simulation.ts';
import { bodyOf, checked } from '../validation.ts';
import { principalOf } from './auth.ts';

export interface WhatIfOptions {
  readonly simulations: Simulations;
}

/** As much as a batch of submissions, so that the same file may be asked about. */
const BODY_MAX_BYTES = 20 * 1_048_576;

export const whatIfPlugin: Plugin<WhatIfOptions> = {
  name: 'what-if',
  register: (server: Server, { simulations }: WhatIfOptions) => {
    server.route({
      method: 'POST',
      path: '/api/whatif',
      options: {
        ...documented({
          id: 'askWhatIf',
          tag: 'queue',
          summary: 'Where tasks would go, without running them.',
          replies: { 200: whatIfReplySchema },
          refusals: [403, 404],
        }),
        payload: { maxBytes: BODY_MAX_BYTES },
        validate: checked({ payload: whatIfSchema }),
      },
      handler: async (request) => {
        const { tasks, add_workers, without, cordon } = bodyOf<WhatIfBody>(request);
        const view = await simulations.ask(principalOf(request), {
          tasks: tasks.map((body) =>
            'task_id' in body
              ? { taskId: body.task_id, count: body.count }
              : { spec: taskSpec(body), count: body.count },
          ),
          addedWorkers: add_workers.map((body) => ({
            capacity: addedCapacity(body),
            labels: placingLabels({ labels: body.labels, mounts: body.mounts.map(mountRuleOf) }),
            count: body.count,
          })),
          without,
          cordon,
        });
        return whatIfReply(view);
      },
    });
  },
};

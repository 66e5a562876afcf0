// Walks pages of the dashboard one after the other, on one cluster and in one browser: starting those takes longer than
// most tests. Each page begins with a cluster that has nothing to do.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DashboardStage, openDashboardStage, quiet } from '../../support/dashboard-stage.ts';

/** Tests of one page, which get the stage when it is up. */
export type PageTests = (stage: () => DashboardStage) => void;

export function walk(pages: Readonly<Record<string, PageTests>>): void {
  let stage: DashboardStage;
  beforeAll(async () => {
    stage = await openDashboardStage({
      env: {
        CLUSTER_TOKEN: 'the-token-of-this-cluster-'.repeat(2),
        WORKER_LABELS: 'disk=ssd,zone=a',
        // A shell that waits does not hear SIGTERM; nobody here has anything to bring to an end.
        STOP_GRACE_SECONDS: '1',
      },
    });
  });
  afterAll(() => stage?.close());

  for (const [name, tests] of Object.entries(pages)) {
    describe(name, () => {
      beforeAll(() => quiet(stage));
      tests(() => stage);
    });
  }

  it('met no fault, no breach of its content policy, no request to elsewhere', () => {
    expect(stage.faults).toEqual([]);
  });
}

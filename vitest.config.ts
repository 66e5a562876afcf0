import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Files that run side by side. More than there are cores: most of them wait for a lease, an engine or a server to
// answer, and one file at a time leaves the machine idle.
const SIDE_BY_SIDE = availableParallelism() + 1;
const CLUSTERS_AT_ONCE = 3;
/** Of `expect.poll`; less than any test may take, so that a failure says what was awaited. */
const POLL_DEADLINE_MS = 55_000;

// Begun first, so that none of them is left over with a machine for itself. By size, which is what counts where nothing
// has run yet, the first two would be last: what they do is in other files.
const LONG = ['e2e/chaos', 'e2e/dashboard', 'e2e/hosts', 'e2e/start', 'e2e/follow'];
const rankOf = ({ moduleId }: TestSpecification) => {
  const rank = LONG.findIndex((name) => moduleId.includes(`/test/${name}`));
  return rank < 0 ? LONG.length : rank;
};

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    // Stable, and within its group.
    return sorted.sort((a, b) => groupOf(a) - groupOf(b) || rankOf(a) - rankOf(b));
  }
}

// Layers of the suite; `npm test` runs all of them. Files of one layer run side by side; those that start whole clusters
// and browsers come last and fewer at a time.
// The time a test may take says when it is given up, not how long it should take: a machine can be busy.
const layer = (name: string, include: string[], timeoutMs: number, parallel: boolean) => ({
  test: {
    name,
    // Files share a process: half of their time was its start, and loading all of this again. So they keep nothing in it.
    isolate: false,
    include,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    // One second is little where everything runs at once.
    expect: { poll: { timeout: POLL_DEADLINE_MS } },
    maxWorkers: parallel ? SIDE_BY_SIDE : CLUSTERS_AT_ONCE,
    sequence: { groupOrder: parallel ? 0 : 1 },
    exclude: ['node_modules/**', 'dist/**'],
  },
});

export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      layer(
        'unit',
        [
          '{api,scheduler,runner,shared,client,cli,web,infra}/**/*.test.ts',
          'test/{protocol,rules,support,chaos}/**/*.test.ts',
        ],
        60_000,
        true,
      ),
      layer('conformance', ['test/conformance/**/*.test.ts'], 120_000, true),
      layer('api', ['test/api/**/*.test.ts'], 120_000, true),
      layer('scenario', ['test/scenario/**/*.test.ts'], 180_000, true),
      layer('e2e', ['test/e2e/**/*.test.ts'], 240_000, false),
    ],
  },
});

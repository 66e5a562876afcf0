import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Files that run side by side. More than there are cores: most of them wait for a lease, an engine or a server to
// answer, and one file at a time leaves the machine idle.
const SIDE_BY_SIDE = availableParallelism() + 1;
const CLUSTERS_AT_ONCE = Math.max(1, Math.min(2, availableParallelism()));

// Layers of the suite; `npm test` runs all of them. Files of one layer run side by side; those that start whole clusters
// and browsers come last and fewer at a time.
const layer = (name: string, include: string[], timeoutMs: number, parallel: boolean, isolate = true) => ({
  test: {
    name,
    isolate,
    include,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    maxWorkers: parallel ? SIDE_BY_SIDE : CLUSTERS_AT_ONCE,
    sequence: { groupOrder: parallel ? 0 : 1 },
    exclude: ['node_modules/**', 'dist/**'],
  },
});

export default defineConfig({
  test: {
    projects: [
      layer(
        'unit',
        [
          '{api,scheduler,runner,shared,client,cli,web,infra}/**/*.test.ts',
          'test/{rules,support,chaos}/**/*.test.ts',
        ],
        20_000,
        true,
        // Files may share a process: half of their time was its start, and they keep nothing in it.
        false,
      ),
      layer('conformance', ['test/conformance/**/*.test.ts'], 60_000, true),
      layer('api', ['test/api/**/*.test.ts'], 60_000, true),
      layer('scenario', ['test/scenario/**/*.test.ts'], 120_000, true),
      layer('e2e', ['test/e2e/**/*.test.ts'], 240_000, false),
    ],
  },
});

import { defineConfig } from 'vitest/config';

// Layers of the suite; `npm test` runs all of them. Files of one layer run side by side where they do not
// compete for the machine.
const layer = (name: string, include: string[], timeoutMs: number, parallel: boolean) => ({
  test: {
    name,
    include,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    fileParallelism: parallel,
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
          'test/{rules,support}/**/*.test.ts',
        ],
        20_000,
        true,
      ),
      layer('conformance', ['test/conformance/**/*.test.ts'], 60_000, true),
      layer('api', ['test/api/**/*.test.ts'], 60_000, true),
      layer('scenario', ['test/scenario/**/*.test.ts'], 120_000, true),
      layer('e2e', ['test/e2e/**/*.test.ts'], 240_000, false),
    ],
  },
});

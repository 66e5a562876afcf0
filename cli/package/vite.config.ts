// Builds what the package `cloudai` holds into cli/dist: the command line as one file that needs no other, its
// manual page, and the licences of what is bundled. `node infra/setup/bootstrap.mjs cli` runs it.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { describeProgram } from '../program.ts';
import { manual } from './manual.ts';

const root = resolve(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(resolve(root, 'cli/package.json'), 'utf8')) as {
  version: string;
};

export default defineConfig({
  root,
  publicDir: false,
  define: { CLOUDAI_VERSION: JSON.stringify(version) },
  ssr: { noExternal: true },
  build: {
    ssr: 'cli/main.ts',
    outDir: resolve(root, 'cli/dist'),
    emptyOutDir: true,
    // The oldest Node of `engines`.
    target: 'node20.19',
    // A fault that a user reports should name lines one can read.
    minify: false,
    license: { fileName: 'THIRD_PARTY.md' },
    reportCompressedSize: false,
    rolldownOptions: {
      // Add-ons that `ws` and `debug` use where they are there, and do without elsewhere.
      external: ['bufferutil', 'utf-8-validate', 'supports-color'],
      output: { entryFileNames: 'cloudai.js', codeSplitting: false },
    },
  },
  plugins: [
    {
      name: 'manual-page',
      generateBundle() {
        this.emitFile({
          type: 'asset',
          fileName: 'cloudai.1',
          source: manual(describeProgram(version), { version }),
        });
      },
    },
  ],
});

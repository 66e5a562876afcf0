// Part of the build: puts a `.br` and a `.gz` beside each file that they make smaller, so that the API need not pack
// the same bytes for each visit. Nothing here reaches a browser.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const TEXT = /\.(js|css|html|svg|json|webmanifest)$/;
/** What fits into one packet comes no faster for being smaller. */
const SMALLEST_BYTES = 1_024;

interface ResolvedConfig {
  readonly root: string;
  readonly build: { readonly outDir: string };
}

/** A plugin of Vite. */
export function compressed() {
  let outDir = '';
  return {
    name: 'compressed',
    apply: 'build' as const,
    configResolved: (config: ResolvedConfig) => {
      outDir = join(config.root, config.build.outDir);
    },
    closeBundle: () => {
      for (const entry of readdirSync(outDir, { recursive: true, withFileTypes: true })) {
        if (entry.isFile() && TEXT.test(entry.name)) pack(join(entry.parentPath, entry.name));
      }
    },
  };
}

function pack(path: string): void {
  const bytes = readFileSync(path);
  if (bytes.length < SMALLEST_BYTES) return;
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  for (const [ending, packed] of [
    ['.br', brotliCompressSync(bytes, { params })],
    ['.gz', gzipSync(bytes, { level: 9 })],
  ] as const) {
    if (packed.length < bytes.length) writeFileSync(`${path}${ending}`, packed);
  }
}

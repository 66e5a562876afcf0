// Builds the dashboard into dist/web, from where the API serves it. `npx vite web` serves it alone, with the calls
// passed on to an API on this machine.

import { defineConfig } from 'vite';
import { compressed } from './compressed.ts';

const api = process.env.CLOUDAI_URL ?? 'http://localhost:8080';
const pass = Object.fromEntries(['/api', '/workers', '/telemetry', '/readyz'].map((path) => [path, api]));

export default defineConfig({
  root: import.meta.dirname,
  plugins: [compressed()],
  server: { proxy: pass },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // The content policy of the API allows nothing inline: files stay files, and no script is put into the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

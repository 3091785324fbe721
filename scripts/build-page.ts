// Builds the front end of the page into `dist/page`, from the sources in `local/page/app`.
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

await build({
  root: `${ROOT}local/page/app`,
  configFile: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: `${ROOT}dist/page`,
    emptyOutDir: true,
    target: 'es2022',
    // A data URL would need another rule of the page's security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

// Bundles every function into one file of its own below `dist/functions`, as it is deployed.
import { globSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { isFailure } from '../lib/failure.ts';
import { bundle } from '../lib/hook/bundle.ts';
import { noticeOf, packagesOf } from './notice.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = `${ROOT}dist/functions`;

/** What only few invocations need lies in a file beside the function: to read it would take a tenth of each cold start. */
const late: Plugin = {
  name: 'late',
  setup({ onResolve }) {
    onResolve({ filter: /^@aws-sdk\/client-s3$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './s3.cjs', external: true } : undefined,
    );
    onResolve({ filter: /^\.\/glue-client\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './glue.cjs', external: true } : undefined,
    );
    // What reads these formats, with its library. Steps that look at a schema alone have that in their own bundle.
    onResolve({ filter: /^\.\/(avro|protobuf)\.ts$/ }, ({ kind, path, importer }) =>
      kind === 'dynamic-import' && importer.endsWith('/lib/forward/read/formats/by-schema.ts')
        ? { path: path.replace(/ts$/, 'cjs'), external: true }
        : undefined,
    );
  },
};

/** In Lambda credentials are in the environment, always: the SDK's eight other ways to them stay out of the zips. */
const credentials: Plugin = {
  name: 'credentials',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ path }) => ({
      path,
      namespace: 'lambda',
    }));
    onLoad({ filter: /./, namespace: 'lambda' }, () => ({
      contents: `import { fromEnv } from '@aws-sdk/credential-provider-env'; export const defaultProvider = () => fromEnv();`,
      resolveDir: ROOT,
    }));
  },
};

/** `--pipelines FOLDER`: for measuring, in place of pipelines/. */
const { pipelines: folder } = parseArgs({ options: { pipelines: { type: 'string' } } }).values;
const bundled = checked(() => bundle(folder));

/** What is wrong with a manifest is for whoever wrote it: the sentence alone, without a stack of ours. */
function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isFailure(error)) throw error;
    console.error(`Nothing was built. ${error.message}`);
    process.exit(1);
  }
}

/** The pipelines of the bundle are in the function that starts them; each is checked here, where somebody sees it. */
const pipelines: Plugin = {
  name: 'pipelines',
  setup({ onLoad }) {
    onLoad({ filter: /\/lib\/hook\/bundle\.ts$/ }, () => ({
      // As text: in a literal a key could be __proto__.
      contents: `export const bundle = () => JSON.parse(${JSON.stringify(JSON.stringify(bundled))});`,
    }));
  },
};

/**
 * Of undici, HTTP/1.1 alone: not HTTP/2 (which would load Node's), nor forms, nor SOCKS, nor the parser without SIMD, which Lambda's processors have.
 * To ask for any of it is an error.
 */
const undici: Plugin = {
  name: 'undici',
  setup({ onLoad }) {
    const others =
      /\/undici\/lib\/(dispatcher\/(client-h2|socks5-proxy-agent)|llhttp\/llhttp-wasm|web\/.*)\.js$/;
    onLoad({ filter: others }, ({ path }) => ({
      contents: `module.exports = () => { throw new Error(${JSON.stringify(`${basename(path)} is in no bundle`)}); };`,
    }));
  },
};

rmSync(OUT, { recursive: true, force: true });
const result = await build({
  absWorkingDir: ROOT,
  entryPoints: [
    ...globSync('functions/**/*.ts', { cwd: ROOT }).map((file) => ({
      in: file,
      out: file.replace(/^functions\/(.*)\.ts$/, '$1'),
    })),
    { in: '@aws-sdk/client-s3', out: 's3' },
    { in: 'lib/aws/glue-client.ts', out: 'glue' },
    { in: 'lib/forward/read/formats/avro.ts', out: 'avro' },
    { in: 'lib/forward/read/formats/protobuf.ts', out: 'protobuf' },
  ],
  plugins: [credentials, late, pipelines, undici],
  outdir: OUT,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  // A bundle names the files it is of: the same in every checkout, wherever the packages lie.
  preserveSymlinks: true,
  platform: 'node',
  target: 'node24',
  // CommonJS loads what a bundle requires when it is needed; the SDK's ESM sources are a third smaller.
  format: 'cjs',
  mainFields: ['module', 'main'],
  // Node's own build of undici has it as well: it leaves out a second, experimental parser.
  define: { esbuildDetection: '1' },
  // An import() of a part of Node asks for all that it exports, and with node:http that is an undici nobody wants.
  supported: { 'dynamic-import': false },
  minifyWhitespace: true,
  minifySyntax: true,
  // Names stay as they are: a stack tells more, and to set them anew costs a tenth of a cold start.
  minifyIdentifiers: false,
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
});

const files = Object.values(result.metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
writeFileSync(`${OUT}/NOTICE`, noticeOf(packagesOf(files, ROOT)));

// Which sources are in which bundle, for whoever wants to know why one is large.
writeFileSync(`${ROOT}dist/bundles.json`, JSON.stringify(result.metafile));

// What deploy hooks can start, for cloud/pipelines.cjs to say when it is packaged.
const names = Object.keys(bundled);
writeFileSync(`${ROOT}dist/pipelines.json`, JSON.stringify(names));

for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
  if (file.endsWith('.cjs')) console.log(`${String(Math.round(bytes / 1024)).padStart(6)} KB  ${file}`);
}
console.log(
  names.length > 0
    ? `pipelines/: ${names.join(', ')}`
    : 'pipelines/ is empty: a deploy hook has no pipeline to start (examples/ has samples to put there)',
);

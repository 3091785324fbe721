import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STARTS } from '../bench/starts-of.ts';
import { parseManifestText } from '../lib/manifest.ts';
import { startServer } from '../local/aep/server.ts';
import { account } from '../local/start/account.ts';
import { carry, prepareSource, provision, watchForwarding } from '../local/start/journey.ts';
import { sampleLines } from '../local/start/records.ts';
import { startStack } from '../local/start/stack.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the bundles as they are deployed', () => {
  beforeAll(() => run(process.execPath, ['scripts/build.ts'], { cwd: ROOT }));

  it('are packed with every file that they load late', async () => {
    const packed = (await readFile(join(ROOT, 'serverless.yml'), 'utf8')).matchAll(
      /patterns: \[(dist[^\]]*)\]/g,
    );
    const lists = Array.from(packed, ([, list = '']) => list.split(', '));
    const late = new Set<string>();
    for (const list of lists) {
      for (const file of list) {
        const text = await readFile(join(ROOT, file), 'utf8');
        for (const [, name = ''] of text.matchAll(/require\("(\.[^"]*)"\)/g)) {
          const needed = join(dirname(file), name);
          // Packed where it is asked for: test/template/packaged.test.ts.
          if (needed !== 'dist/functions/glue.cjs') expect(list, file).toContain(needed);
          late.add(needed);
        }
      }
    }
    expect(lists.length).toBeGreaterThan(20);
    const names = ['avro', 'glue', 'protobuf', 's3'].map((name) => `dist/functions/${name}.cjs`);
    expect([...late].toSorted()).toEqual(names);
    const load = createRequire(import.meta.url);
    expect(load(join(ROOT, 'dist/functions/avro.cjs'))).toMatchObject({ avroReader: expect.any(Function) });
    expect(load(join(ROOT, 'dist/functions/glue.cjs'))).toMatchObject({ GlueClient: expect.any(Function) });
    expect(load(join(ROOT, 'dist/functions/protobuf.cjs'))).toMatchObject({
      protobufReader: expect.any(Function),
    });
    expect(load(join(ROOT, 'dist/functions/s3.cjs'))).toMatchObject({ S3Client: expect.any(Function) });
  });

  it('14 B: have what reads avro and protobuf, and its libraries, in files of their own', async () => {
    const { outputs } = JSON.parse(await readFile(join(ROOT, 'dist/bundles.json'), 'utf8')) as {
      outputs: Record<string, { inputs: Record<string, unknown> }>;
    };
    const holding = (library: RegExp) =>
      Object.entries(outputs)
        .filter(([, { inputs }]) => Object.keys(inputs).some((input) => library.test(input)))
        .map(([file]) => file.replace('dist/functions/', ''))
        .filter((file) => file.endsWith('.cjs'));
    // `begin`, and drift by it, look at the schema of a manifest before anything is made.
    expect(holding(/node_modules\/avsc\//).toSorted()).toEqual([
      'avro.cjs',
      'drift.cjs',
      'provision/begin.cjs',
    ]);
    expect(holding(/node_modules\/protobufjs\//).toSorted()).toEqual([
      'drift.cjs',
      'protobuf.cjs',
      'provision/begin.cjs',
    ]);
    expect(holding(/client-glue/)).toEqual(['glue.cjs']);
  });

  it('are all measured as they start, each by what it is for', async () => {
    const deployed = (await readFile(join(ROOT, 'serverless.yml'), 'utf8')).matchAll(
      /^ {2}(\w+):\n {4}handler: dist\/functions\/(\S+)\.handler$/gm,
    );
    const found = Array.from(deployed, ([, name, file]) => ({ name, file }));
    expect(found.length).toBeGreaterThan(22);
    expect(STARTS.map(({ name, file }) => ({ name, file })).toSorted(byName)).toEqual(found.toSorted(byName));
  });

  it.each(STARTS)('$name loads nothing that it does not need', async ({ file, libraries }) => {
    const { outputs } = JSON.parse(await readFile(join(ROOT, 'dist/bundles.json'), 'utf8')) as {
      outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
    };
    const inside = Object.entries(outputs[`dist/functions/${file}.cjs`]?.inputs ?? {}).flatMap(
      ([input, { bytesInOutput }]) => (bytesInOutput === 0 ? [] : [input]),
    );
    // AGPL-3.0: for checks alone (decision 0011).
    expect(inside.filter((input) => input.includes('@cloud-copilot'))).toEqual([]);
    const clients = inside.flatMap(
      (input) => /node_modules\/(@aws-sdk\/client-[\w-]+)\//.exec(input)?.[1] ?? [],
    );
    // What rejects are kept with is loaded when there is one.
    const wanted = libraries.filter((name) => name.includes('/client-') && !name.endsWith('-s3'));
    expect([...new Set(clients)].toSorted()).toEqual(wanted.toSorted());
    // Of undici what HTTP/1.1 and a proxy need (decision 0012); what the build leaves out is an error's text long.
    const parts = Object.entries(outputs[`dist/functions/${file}.cjs`]?.inputs ?? {}).filter(
      ([input, { bytesInOutput }]) => /\/undici\//.test(input) && bytesInOutput > 300,
    );
    // A hook asks nobody but AWS.
    expect(parts.some(([input]) => input.endsWith('/lib/dispatcher/agent.js'))).toBe(file !== 'deploy-hook');
    expect(parts.filter(([input]) => UNWANTED.test(input))).toEqual([]);
    // Node's own would cost 20 ms, and HTTP/2 some: Kinesis alone speaks that.
    const { loaded, files } = await loading(file);
    expect(loaded.filter((name) => name.includes('undici'))).toEqual([]);
    expect(loaded.includes('NativeModule http2')).toBe(libraries.includes('@aws-sdk/client-kinesis'));
    expect(files).toEqual([`${file}.cjs`]);
  });

  it('do the main job', async () => {
    const watch = watchForwarding();
    const text = await readFile(join(ROOT, 'examples/customer-profiles.json'), 'utf8');
    const manifest = parseManifestText(text, 'customer-profiles.json');
    const options = {
      warmUpSeconds: 1,
      seed: 1,
      sandboxes: ['dev1'],
      folder,
      bundled: true,
      onInvocation: watch.report,
    };
    const stack = await startStack(options);
    try {
      await prepareSource(stack, manifest, 1);
      const pipeline = await provision(stack, manifest, { warmUpSeconds: 1 });
      const lines = sampleLines({ count: 50, seed: 1, data: 'raw', spoilEvery: 10 });
      const quiet = () => undefined;
      const { written } = await carry(stack, pipeline, lines, watch, quiet);
      expect(await account(stack, written)).toMatchObject({ produced: 50, complete: true });
    } finally {
      await stack.close();
    }
  });
});

/** What Node has loaded, and which files, when a function is there. */
async function loading(file: string): Promise<{ loaded: string[]; files: string[] }> {
  const bundles = join(ROOT, 'dist/functions/');
  const script = `require(${JSON.stringify(`${bundles}${file}.cjs`)});
    const files = Object.keys(require.cache).map((name) => name.replace(${JSON.stringify(bundles)}, ''));
    console.log(JSON.stringify({ loaded: process.moduleLoadList, files }));`;
  const { stdout } = await run(process.execPath, ['--eval', script], { env: { AWS_REGION: 'us-east-1' } });
  return JSON.parse(stdout) as { loaded: string[]; files: string[] };
}

/** Parts of undici that are in no bundle. */
const UNWANTED =
  /undici\/(index|lib\/(web|cache|mock|interceptor|milo|dispatcher\/(client-h2|socks5))|lib\/llhttp\/llhttp-wasm)/;

const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
  (a.name ?? '') < (b.name ?? '') ? -1 : 1;

describe('penstock/aep', () => {
  it('can be packed, installed elsewhere, and runs its example', async () => {
    // Nothing of the user's own is needed, nor the registry.
    const alone = { npm_config_cache: join(folder, 'npm'), npm_config_offline: 'true' };
    const env = { ...process.env, ...alone, npm_config_update_notifier: 'false' };
    // The client is compiled anew, as `prepare` does.
    await run(join(ROOT, 'node_modules/.bin/tsc'), ['--project', 'tsconfig.aep.json'], { cwd: ROOT, env });
    // The command line is compiled and tried in test/deep/cli.test.ts.
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT, env });
    const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
    const installed = join(folder, 'app/node_modules/penstock');
    await mkdir(installed, { recursive: true });
    await run('tar', ['-xzf', join(folder, archive), '-C', installed, '--strip-components=1']);
    for (const dependency of ['zod', 'undici']) {
      await symlink(join(ROOT, 'node_modules', dependency), join(folder, 'app/node_modules', dependency));
    }
    await cp(join(ROOT, 'lib/aep/example.ts'), join(folder, 'app/example.ts'));
    const server = await startServer({ port: 0 });
    try {
      const { stdout } = await run(process.execPath, ['example.ts'], {
        cwd: join(folder, 'app'),
        env: { ...process.env, AEP_URL: server.origin },
      });
      expect(stdout).toMatch(/^made the dataset [0-9a-f]{24}, found 1 of its name\nremoved both again\n$/);
    } finally {
      await server.close();
    }
    const packed = (await readdir(installed, { recursive: true })).filter((name) => /\.(ts|js)$/.test(name));
    // Besides the client, the command line and what it runs: compiled, and nothing else of the project.
    const known =
      /^dist\/aep\/(aep\/|failure)|^bin\/penstock\.js$|^dist\/package\/(cli|functions|lib|local|terminal|dist\/page)\/.*\.js$/;
    expect(packed.filter((name) => !known.test(name))).toEqual([]);
  });
});

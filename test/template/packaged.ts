// The service packaged as it is deployed, in a folder of its own: its template and what is in its zips.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inflateRawSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

export interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is looked into at many depths, and a wrong one is to fail a test.
  readonly Properties: any;
}

export interface Packaged {
  readonly template: {
    readonly Resources: Readonly<Record<string, Resource>>;
    readonly Conditions: Readonly<Record<string, unknown>>;
    readonly Outputs: Readonly<
      Record<string, { readonly Description: string; readonly Value: unknown; readonly Condition?: string }>
    >;
  };
  /** What building and packaging said. */
  readonly said: string;
  /** By function: the size of its zip, its SHA-256, and its files. */
  readonly zips: Readonly<Record<string, Zip>>;
}

export interface Zip {
  readonly bytes: number;
  readonly sha256: string;
  readonly files: Readonly<Record<string, Buffer>>;
}

export interface Folder {
  /** Builds and packages, without an account, as `npm run package` does. `stage` and `region`: those of serverless.yml where they are left out. */
  pack(
    parameters?: Readonly<Record<string, string>>,
    where?: Readonly<Record<'stage' | 'region', string>>,
  ): Promise<Packaged>;
  /** Where it was built. */
  readonly folder: string;
  /** Where the packaged template and the zips are. */
  readonly packed: string;
  remove(): Promise<void>;
}

/** Apart from the repository's own `dist`, which other tests write; with these of the samples as its pipelines, none at first. */
export async function packageFolder(pipelines: readonly string[] = []): Promise<Folder> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-packaged-'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const part of ['cloud', 'docs', 'functions', 'lib', 'scripts', 'package.json', 'serverless.yml'])
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  await mkdir(join(folder, 'pipelines'));
  for (const file of ['pipelines/README.md', ...pipelines.map((name) => `examples/${name}`)])
    await cp(join(ROOT, file), join(folder, 'pipelines', basename(file)));
  // What it compiles of its own schema is the same in each folder.
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, HOME: folder, SLS_SCHEMA_CACHE_BASE_DIR: join(ROOT, '.penstock') };
  const node = (...options: string[]) => run(process.execPath, options, { cwd: folder, env });
  return {
    async pack(parameters = {}, where) {
      const built = await node('scripts/build.ts');
      const given = [
        ...Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`]),
        ...Object.entries(where ?? {}).flatMap(([name, value]) => [`--${name}`, value]),
      ];
      const serverless = join(ROOT, 'node_modules/serverless/bin/serverless.js');
      const made = await node(serverless, 'package', ...given);
      const said = [built, made].map(({ stdout, stderr }) => stdout + stderr).join('');
      return { said, ...(await read(join(folder, '.serverless'))) };
    },
    folder,
    packed: join(folder, '.serverless'),
    remove: () => rm(folder, { recursive: true }),
  };
}

async function read(folder: string): Promise<Omit<Packaged, 'said'>> {
  const text = await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
  const zips: Record<string, Zip> = {};
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.zip'))) {
    const bytes = await readFile(join(folder, file));
    zips[file.slice(0, -4)] = {
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      files: filesIn(bytes),
    };
  }
  return { template: JSON.parse(text), zips };
}

/** The files of a zip by its central directory (PKWARE's APPNOTE 4.3). No more of the format than is met here. */
function filesIn(zip: Buffer): Record<string, Buffer> {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'));
  const files: Record<string, Buffer> = {};
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const data = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    files[zip.toString('utf8', at + 46, at + 46 + name)] =
      zip.readUInt16LE(at + 10) === 0 ? data : inflateRawSync(data);
    at += 46 + name + extra + comment;
  }
  return files;
}

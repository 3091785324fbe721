// What provisioning costs in calls to Experience Platform: each pipeline of the bundle, made and then applied again unchanged.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { manifestInFile } from '../../lib/schemas/files.ts';
import { world } from '../support/provisioning.ts';
import { inletManifest, keep, SECRETS } from './cases.ts';

const FOLDER = new URL('../../examples/', import.meta.url);
interface Source {
  readonly kind: 'inlet' | keyof typeof SECRETS;
  readonly stream?: string;
  readonly credentials?: string;
}

const read = (file: string) =>
  JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { readonly source: Source };
const FILES = readdirSync(FOLDER).filter((file) => /^[^.]+\.json$/.test(file));

type World = ReturnType<typeof world>;

/** Beyond the token. */
const calls = ({ platform }: World) =>
  platform.journal.entries().filter(({ path }) => !path.startsWith('/ims/')).length;

async function applied(own: World, manifest: object, samples: object): Promise<number> {
  const before = calls(own);
  const { status, cause } = await own.run({ manifest, samples });
  expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
  return calls(own) - before;
}

/** Of pipelines without fields or identities of their own: fresh, and unchanged. */
const MOST: Readonly<Record<string, readonly [fresh: number, unchanged: number]>> = {
  'customer-profiles.json': [16, 8],
  'customer-profiles-xdm.json': [13, 7],
};

describe('calls beyond the token', () => {
  it.each(FILES)('%s: fresh at most 26, unchanged at most 12 and no change', async (file) => {
    const own = world();
    // As whoever reads the file gives it on: with the schema that lies beside it.
    const path = fileURLToPath(new URL(file, FOLDER));
    const given = manifestInFile(readFileSync(path, 'utf8'), path).written as ReturnType<typeof read>;
    const { source } = given;
    // The one stream there is; and what a pulled source's secret holds.
    const manifest =
      source.kind === 'inlet' ? { ...given, source: { ...source, stream: 'customers' } } : given;
    if (source.kind !== 'inlet') keep(own, SECRETS[source.kind], source.credentials);
    const samples = read(file.replace('.json', '.samples.json'));
    const fresh = await applied(own, manifest, samples);
    own.mutations();
    const unchanged = await applied(own, manifest, samples);
    expect(own.mutations()).toEqual([]);
    const [most, mostUnchanged] = MOST[file] ?? [26, 12];
    expect(fresh).toBeLessThanOrEqual(most);
    expect(unchanged).toBeLessThanOrEqual(mostUnchanged);
  });
});

describe('what the plan did not find', () => {
  const SCHEMAS = '/data/foundation/schemaregistry/tenant/schemas';
  const looks = ({ platform }: World) =>
    platform.journal.entries().filter(({ method, path }) => method === 'GET' && path === SCHEMAS).length;

  it.each([
    ['is made at once', 50_000, 1],
    ['is looked for again a minute later: somebody may have made it', 61_000, 2],
  ])('%s', async (_, later, wanted) => {
    const own = world();
    const onEnter = ({ state }: { readonly state: string }) => {
      if (state === 'schema') own.time.now += later;
    };
    expect((await own.run({ manifest: inletManifest() }, { onEnter })).status).toBe('SUCCEEDED');
    expect(looks(own)).toBe(wanted);
  });
});

// What the forwarder is told of its records: nothing where the manifest says nothing, and changes without a new flow.
import { describe, expect, it } from 'vitest';
import { PublishedPipeline } from '../../../lib/published.ts';
import { world } from '../../support/provisioning.ts';
import { PUBLISHED, richManifest, type World } from '../cases.ts';

const inlet = (more: object = {}) =>
  richManifest({ name: 'people', source: { kind: 'inlet', stream: 'customers', data: 'raw', ...more } });
const secret = (own: World) => own.secrets.values.get(PUBLISHED) ?? '';
const actionOf = async (own: World, manifest: unknown) => {
  const { document } = await own.run({ manifest, mode: 'plan' });
  return document.plan.find(({ resource }) => resource === 'publish')?.action;
};

const RECORDS = {
  where: [{ field: '/type', equals: 'order' }],
  redact: [{ field: '/email', action: 'hash', salt: 's' }],
  derive: ['_id'],
  operations: { field: '/op', values: { U: { data: 'merge' }, D: { data: 'delete' } } },
};

describe('what is published of the records', () => {
  it('is nothing where the manifest says nothing: the secret is as it was before there were options', async () => {
    const own = world();
    await own.run({ manifest: inlet() });
    expect(Object.keys(JSON.parse(secret(own)))).toEqual([
      'version',
      'pipeline',
      'streamArn',
      'sandbox',
      'organizationId',
      'data',
      'compression',
      'inletUrl',
      'authenticationRequired',
      'flowId',
      'datasetId',
      'schemaId',
      'sourceName',
      'execution',
      'publishedAt',
    ]);
    const before = secret(own);
    expect(await actionOf(own, inlet())).toBe('keep');
    await own.run({ manifest: inlet() });
    expect(secret(own)).toBe(before);
  });

  it('is what the manifest says, told without a new flow, and once', async () => {
    const own = world();
    const first = await own.run({ manifest: inlet() });
    expect(await actionOf(own, inlet({ records: RECORDS }))).toBe('update');
    const { status, document } = await own.run({ manifest: inlet({ records: RECORDS }) });
    expect([status, document.resources.flow?.id]).toEqual(['SUCCEEDED', first.document.resources.flow?.id]);
    expect(PublishedPipeline.parse(JSON.parse(secret(own))).records).toEqual(RECORDS);
    const before = secret(own);
    expect(await actionOf(own, inlet({ records: RECORDS }))).toBe('keep');
    await own.run({ manifest: inlet({ records: RECORDS }) });
    expect(secret(own)).toBe(before);
  });

  it('14 B: is the format, with its options, told without a new flow; `json` is nothing', async () => {
    const own = world();
    const first = await own.run({ manifest: inlet({ format: 'json' }) });
    expect(JSON.parse(secret(own))).not.toHaveProperty('format');
    expect(await actionOf(own, inlet({ format: 'json-lines' }))).toBe('update');
    const { document } = await own.run({ manifest: inlet({ format: 'json-lines' }) });
    expect(document.resources.flow?.id).toBe(first.document.resources.flow?.id);
    expect(PublishedPipeline.parse(JSON.parse(secret(own))).format).toEqual({ kind: 'json-lines' });
    expect(await actionOf(own, inlet({ format: { kind: 'json-lines' } }))).toBe('keep');
    const format = { kind: 'csv', columns: ['id', { name: 'n', type: 'number' }], header: true };
    await own.run({ manifest: inlet({ format }) });
    expect(PublishedPipeline.parse(JSON.parse(secret(own))).format).toEqual(format);
    expect(await actionOf(own, inlet())).toBe('update');
  });

  it('goes again when the manifest says nothing any more', async () => {
    const own = world();
    await own.run({ manifest: inlet({ records: RECORDS }) });
    await own.run({ manifest: inlet() });
    expect(JSON.parse(secret(own))).not.toHaveProperty('records');
  });
});

describe('14 B: the rules that a format stands for', () => {
  const asked = (source: object) => inlet({ format: 'dms', ...source });
  const where = [{ field: '/metadata/table-name', equals: 'customers' }];
  const reasonOf = async (own: World, manifest: unknown) => {
    const { document } = await own.run({ manifest, mode: 'plan' });
    return document.plan.find(({ resource }) => resource === 'publish')?.reason;
  };

  it('are shown by the plan, published like rules that were written by hand, and kept by a second run', async () => {
    const own = world();
    expect(await reasonOf(own, asked({}))).toMatch(
      /; with the format dms source\.records is \{"where":\[.*"deletions":\{.*"are":"kept"\},"operations":\{.*\},"select":\["\/data","\/before-image"\]\}$/,
    );
    await own.run({ manifest: asked({}) });
    const published = PublishedPipeline.parse(JSON.parse(secret(own)));
    expect(published.records).toMatchObject({
      select: ['/data', '/before-image'],
      deletions: { are: 'kept' },
    });
    expect(published).not.toHaveProperty('format');
    expect(await actionOf(own, asked({}))).toBe('keep');
    expect(await actionOf(own, asked({ records: { where } }))).toBe('update');
    expect(await reasonOf(own, asked({ records: { where } }))).toContain(JSON.stringify(where));
    expect(await reasonOf(own, inlet())).not.toContain('source.records');
  });
});

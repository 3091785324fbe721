// Catalog: datasets read with their version and changed at it.
import { describe, expect, it } from 'vitest';
import { json } from '../support/scripted.ts';
import { answered, failure, ground, simulated } from './simulated.ts';

describe('datasets', () => {
  it('are changed at the version that was read, by anybody but one', async () => {
    const { aep, platform } = simulated();
    const { datasetId } = await ground(aep);
    const { dataset, etag } = await aep.catalog.getDataset(datasetId);
    expect(dataset).toMatchObject({ id: datasetId, name: 'orders', tags: { penstock: ['a'] } });
    expect(etag).toEqual(expect.any(String));
    const tag = { op: 'add', path: '/tags/penstock', value: ['b'] } as const;
    await aep.catalog.patchDataset(datasetId, [tag], etag);
    expect(platform.journal.entries().at(-1)?.headers).toMatchObject({
      'content-type': 'application/json-patch+json',
      'if-match': etag,
    });
    const [found] = await aep.catalog.findDatasets('orders');
    expect(found).toMatchObject({ tags: { penstock: ['b'] }, enableErrorDiagnostics: true });
    const before = platform.journal.entries().length;
    const late = await failure(aep.catalog.patchDataset(datasetId, [tag], etag));
    expect(late).toMatchObject({ code: 'AEP_CHANGED', retryable: true, inDoubt: false, status: 412 });
    expect(platform.journal.entries()).toHaveLength(before + 1);
  });

  it('are changed whatever their version where there was no etag', async () => {
    const { aep } = simulated();
    const { datasetId } = await ground(aep);
    const description = { op: 'add', path: '/description', value: 'new' } as const;
    await aep.catalog.patchDataset(datasetId, [description], undefined);
    await aep.catalog.patchDataset(datasetId, [description], undefined);
  });

  it('keep what failed unless told not to', async () => {
    const { aep } = simulated();
    const { schemaId } = await ground(aep);
    const plain = { name: 'plain', description: 'd', schemaId, tags: {}, errorDiagnostics: false };
    const id = await aep.catalog.createDataset(plain);
    expect((await aep.catalog.getDataset(id)).dataset.enableErrorDiagnostics).toBe(false);
  });

  it('that are gone, or are not what was asked for', async () => {
    const gone = simulated().aep.catalog.getDataset('none');
    expect((await failure(gone)).code).toBe('AEP_NOT_FOUND');
    for (const body of [{}, { other: { name: 'x' } }]) {
      const { aep } = answered(json(200, body));
      expect((await failure(aep.catalog.getDataset('mine'))).code).toBe('AEP_UNEXPECTED');
    }
    const { aep } = answered(json(200, {}));
    expect((await failure(aep.catalog.getDataset('constructor'))).code).toBe('AEP_UNEXPECTED');
  });
});

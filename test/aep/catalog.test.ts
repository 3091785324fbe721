// Catalog: datasets changed at their version, and what is no dataset. What any platform can be asked is in test/contract.
import { describe, expect, it } from 'vitest';
import { json } from '../support/scripted.ts';
import { answered, failure, simulated } from './simulated.ts';

describe('datasets', () => {
  it('are changed in the form that Catalog takes, with the etag that was read, once', async () => {
    const { aep, sent } = answered(json(200, ['@/dataSets/1']), json(412, { title: 'no' }));
    const tag = { op: 'add', path: '/tags/penstock', value: ['b'] } as const;
    await aep.catalog.patchDataset('1', [tag], '"3"');
    expect(sent[0]?.init.headers).toMatchObject({
      'content-type': 'application/json-patch+json',
      'if-match': '"3"',
    });
    expect((await failure(aep.catalog.patchDataset('1', [tag], '"3"'))).code).toBe('AEP_CHANGED');
    expect(sent).toHaveLength(2);
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

import { describe, expect, it } from 'vitest';
import { ALL_SETTLED, PUBLISHED, type RecordInput, world } from '../../support/forwarding.ts';

async function forward(data: 'raw' | 'xdm', records: RecordInput[]) {
  const w = world({ published: { data } });
  expect(JSON.stringify(await w.run(records))).toBe(ALL_SETTLED);
  const [request] = w.inlet.requests;
  return { items: request?.messages ?? [], headers: request?.headers ?? {}, reasons: w.reasons() };
}

describe('raw data', () => {
  it('is sent as items of the list, the flow in a header', async () => {
    const { items, headers } = await forward('raw', ['{"a":1}', '{"b":2}']);
    expect(items).toEqual(['{"a":1}', '{"b":2}']);
    expect(headers).toMatchObject({ 'x-adobe-flow-id': PUBLISHED.flowId, 'x-sandbox-name': 'dev1' });
    expect(headers.authorization).toBeUndefined();
  });

  it.each([
    ['{"id":1,"header":{"flowId":"another"},"body":{"id":2}}'],
    ['{"header":{"operations":{"data":"delete"}},"body":{"id":2}}'],
  ])('may not be what AEP would follow instead of mapping it: %s', async (record) => {
    const { items, reasons } = await forward('raw', [record]);
    expect(items).toEqual([]);
    expect(reasons).toEqual(['envelope']);
  });

  it.each([
    ['{"header":{"title":"x"},"body":{"text":"y"}}'],
    ['{"header":{"flowId":"x"},"body":"y"}'],
    ['{"header":"x","body":{}}'],
  ])('may have a header and a body of its own: %s', async (record) => {
    expect((await forward('raw', [record])).items).toEqual([record]);
  });
});

describe('XDM', () => {
  const schemaRef = { id: PUBLISHED.schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' };

  it('is sent in the envelope of the contract, the flow in the header', async () => {
    const { items, headers } = await forward('xdm', ['{"_id":"cust-1","n":9007199254740993}']);
    expect(JSON.parse(items[0] ?? '')).toEqual({
      header: {
        schemaRef,
        imsOrgId: PUBLISHED.organizationId,
        datasetId: PUBLISHED.datasetId,
        flowId: PUBLISHED.flowId,
        source: { name: PUBLISHED.sourceName },
      },
      body: { xdmMeta: { schemaRef }, xdmEntity: { _id: 'cust-1', n: expect.any(Number) } },
    });
    expect(items[0]).toContain('"xdmEntity":{"_id":"cust-1","n":9007199254740993}}}');
    expect(headers['x-adobe-flow-id']).toBeUndefined();
  });

  it.each([
    [
      'a whole message',
      '{"header":{"datasetId":"other"},"body":{"xdmMeta":{},"xdmEntity":{"n":1e400,"n":-0}}}',
      '{"n":1e400,"n":-0}',
    ],
    ['white space', '\uFEFF { "header" : {} , "body" : { "xdmEntity" : \n{ "a": 1 }\t} } ', '{ "a": 1 }'],
    ['escaped names', '{"h\\u0065ader":1,"body":{"xdm\\u0045ntity":{"a":1}}}', '{"a":1}'],
    [
      'the last of several',
      '{"header":{},"body":{"xdmEntity":{"a":1}},"body":{"xdmEntity":{"b":1},"xdmEntity":{"c":2}}}',
      '{"c":2}',
    ],
    ['names within text', '{"header":"\\"body\\":{","body":{"x":"}","xdmEntity":{"a":"}{"}}}', '{"a":"}{"}'],
  ])('takes the bytes of the entity out of %s', async (_, text, entity) => {
    const { items } = await forward('xdm', [text]);
    expect(items[0]?.endsWith(`"xdmEntity":${entity}}}`)).toBe(true);
    expect(JSON.parse(items[0] ?? '').header.datasetId).toBe(PUBLISHED.datasetId);
  });

  it.each([
    ['no header', '{"body":{"xdmEntity":{"a":1}}}'],
    ['no entity', '{"header":{},"body":{"a":1}}'],
    ['a body that is no object', '{"header":{},"body":[{"xdmEntity":1}]}'],
    ['an inherited body', '{"header":{},"__proto__":{"body":{"xdmEntity":{"a":1}}}}'],
  ])('takes an entity with %s for an entity', async (_, text) => {
    const { items } = await forward('xdm', [text]);
    expect(items[0]?.endsWith(`"xdmEntity":${text}}}`)).toBe(true);
  });

  it.each(['1', 'null', '[]', '"text"'])('rejects a whole message whose entity is %s', async (entity) => {
    const { items, reasons } = await forward('xdm', [`{"header":{},"body":{"xdmEntity":${entity}}}`]);
    expect([items, reasons]).toEqual([[], ['not-an-object']]);
  });
});

// Where Adobe's material says two things, the platform does what it is told, and by default what is best supported.
import { describe, expect, it, test } from 'vitest';
import { createPlatform } from '../../../local/aep/platform.ts';
import { parseQuirks, QUIRK_NAMES, QUIRKS, type QuirkName, quirksOf } from '../../../local/aep/quirks.ts';
import { parseOptions, UsageError } from '../../../local/start/options.ts';
import {
  type Body,
  CATALOG,
  type Caller,
  caller,
  FLOWS,
  LIST,
  makeDataSet,
  makeInlet,
  makePipeline,
  makeSchema,
  PREP,
  REGISTRY,
  WARM_UP,
  XDM,
} from './support.ts';

/** What a quirk shows itself in: asked of a platform, one word for each variant. */
const SHOWN: { readonly [K in QuirkName]: (with_: Caller) => Promise<unknown> } = {
  '207': async (with_) => {
    const { inletId } = await makeInlet(with_);
    const { body } = await with_.bare('POST', `/collection/batch/${inletId}`, { messages: ['no object'] });
    const [{ xactionId, ...failed }] = body.responses;
    return [Object.keys(failed).sort(), xactionId === undefined];
  },
  'sandbox-header': async ({ call }) =>
    (await call('GET', `${FLOWS}/flows`, undefined, { 'x-sandbox-name': null })).status,
  'inlet-sandbox': async (with_) => {
    const { inletId } = await makeInlet(with_);
    return (await with_.bare('POST', `/collection/${inletId}`, { a: 1 })).status;
  },
  'inlet-token': async (with_) => {
    const { inletId } = await makeInlet(with_, { authenticationRequired: true });
    const authorization = 'Bearer none';
    return (await with_.bare('POST', `/collection/${inletId}`, { a: 1 }, { ...SANDBOX, authorization }))
      .status;
  },
  'received-time': async (with_) => {
    const { inletId } = await makeInlet(with_);
    return typeof (await with_.bare('POST', `/collection/${inletId}`, { a: 1 }, SANDBOX)).body.receivedTimeMs;
  },
  'failed-rows': async (with_) => {
    const { inletId, flowId } = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    const headers = { ...SANDBOX, 'x-adobe-flow-id': flowId };
    await with_.bare('POST', `/collection/${inletId}`, { gender: 'nobody knows' }, headers);
    const batches: Body = (await with_.call('GET', '/data/foundation/catalog/batches?status=failed')).body;
    const failed = `/data/foundation/export/batches/${Object.keys(batches)[0]}/failed`;
    const [file] = (await with_.call('GET', failed)).body.data;
    const { text } = await with_.call('GET', `${failed}?path=${file.name}`);
    return typeof (JSON.parse(text.split('\n')[0] ?? '') as Body).body;
  },
  'descriptor-put': async (with_) => {
    const descriptor = {
      '@type': 'xdm:descriptorIdentity',
      'xdm:sourceSchema': await makeSchema(with_),
      'xdm:sourceVersion': 1,
      'xdm:sourceProperty': '/workEmail/address',
      'xdm:namespace': 'Email',
      'xdm:property': 'xdm:code',
    };
    const made = await with_.call('POST', `${REGISTRY}/tenant/descriptors`, descriptor);
    return (await with_.call('PUT', `${REGISTRY}/tenant/descriptors/${made.body['@id']}`, descriptor)).status;
  },
  'mapping-path': async ({ call }) =>
    (await call('GET', `${PREP.replace('/conversion', '')}/mappingSets?limit=1&start=0`, undefined, LIST))
      .status,
  'stale-etag': async (with_) => {
    const { id } = await makeInlet(with_);
    const patch = [{ op: 'replace', path: '/name', value: 'other' }];
    const url = `${FLOWS}/connections/${id}`;
    const { status, body } = await with_.call('PATCH', url, patch, { 'if-match': '"stale"' });
    return [status, body.type];
  },
  'patch-reply': async (with_) => {
    const { targetId } = await makePipeline(with_);
    const url = `${FLOWS}/targetConnections/${targetId}`;
    const { etag } = (await with_.call('GET', url)).body.items[0];
    const patch = [{ op: 'replace', path: '/name', value: 'other' }];
    return Object.keys((await with_.call('PATCH', url, patch, { 'if-match': etag })).body);
  },
  'class-usage': async (with_) => {
    const $id = await makeSchema(with_);
    const { classUsage } = (await with_.call('GET', `${REGISTRY}/stats`)).body;
    const [first] = Array.isArray(classUsage) ? classUsage : [];
    return first
      ? [first.$id, first.title, first.numberOfSchemas, first.schemas[0].$id === $id]
      : classUsage[`${XDM}profile`][0].$id === $id;
  },
  'namespace-put': async ({ call }) => {
    const namespace = { name: 'Loyalty', code: 'LOYALTY', idType: 'CROSS_DEVICE' };
    const { id } = (await call('POST', NAMESPACES, namespace)).body;
    const { body } = await call('PUT', `${NAMESPACES}/${id}`, { ...namespace, name: 'Club' });
    return [Array.isArray(body), (Array.isArray(body) ? body[0] : body).name];
  },
  'sandbox-deletion': async ({ call }) => {
    const { body } = await call('DELETE', '/data/foundation/sandbox-management/sandboxes/dev1');
    return body.state;
  },
  'dataset-deletion': async ({ call }) =>
    (await call('DELETE', `${CATALOG}/dataSets/000000000000000000000000`)).status,
  'dataset-labels': async (with_) => {
    const { call } = with_;
    const id = await makeDataSet(with_, await makeSchema(with_));
    const path = `/data/foundation/dataset/datasets/${id}/labels`;
    await call('PUT', path, { labels: ['C1'] });
    const { body } = await call('GET', path);
    const below = `AEP:dataset:${id}`;
    return [below in body, (body[below] ?? body).labels];
  },
  'old-metrics': async ({ call }) => {
    const metric = 'timeseries.ingestion.dataset.recordsuccess.count';
    const path = '/data/infrastructure/observability/insights/metrics';
    return Array.isArray((await call('GET', `${path}?metric=${metric}`)).body);
  },
};
const NAMESPACES = '/data/core/idnamespace/identities';
const SANDBOX = { 'x-sandbox-name': 'dev1' };

const EXPECTED: { readonly [K in QuirkName]: Readonly<Record<string, unknown>> } = {
  '207': { status: [['message', 'status'], false], statusCode: [['message', 'statusCode'], true] },
  'sandbox-header': { strict: 400, lenient: 200 },
  'inlet-sandbox': { optional: 200, required: 400 },
  'inlet-token': { '403': 403, '401': 401 },
  'received-time': { number: 'number', string: 'string' },
  'failed-rows': { strings: 'string', objects: 'object' },
  'descriptor-put': { '200': 200, '201': 201 },
  'mapping-path': { both: 200, conversion: 404 },
  'stale-etag': {
    problem: [412, 'https://ns.adobe.com/aep/errors/FLOW-1404-412'],
    message: [412, undefined],
  },
  'patch-reply': { id: ['id', 'etag'], items: ['items'] },
  'class-usage': { object: true, array: [`${XDM}profile`, 'XDM Individual Profile', 1, true] },
  'namespace-put': { array: [true, 'Club'], object: [false, 'Club'] },
  'sandbox-deletion': { deleted: 'deleted', cleaning: 'cleaning' },
  'dataset-deletion': { '404': 404, '200': 200 },
  'dataset-labels': { keyed: [true, ['C1']], flat: [false, ['C1']] },
  'old-metrics': { object: false, list: true },
};

describe('12 C 1: where Adobe’s material says two things', () => {
  const all = QUIRK_NAMES.flatMap((name) => QUIRKS[name].variants.map((each) => [name, each.name] as const));

  it.each(all)('12 C 1: %s=%s does what it says', async (name, variant) => {
    const { [name]: shown } = SHOWN;
    expect(await shown(await caller({ quirks: { [name]: variant } }))).toEqual(EXPECTED[name][variant]);
  });

  it.each(QUIRK_NAMES)('12 C 1: %s plays its first variant unless it is told otherwise', async (name) => {
    const [first] = QUIRKS[name].variants;
    expect(await SHOWN[name](await caller())).toEqual(EXPECTED[name][first.name]);
  });

  test('12 C 1: a copy of a platform keeps its quirks', () => {
    const platform = createPlatform({ quirks: { '207': 'statusCode' } });
    expect(platform.copy().settings.quirks['207']).toBe('statusCode');
  });
});

describe('12 C 1: --quirk', () => {
  test('12 C 1: is NAME=VALUE, as often as there are quirks', () => {
    expect(parseQuirks(['207=statusCode', 'sandbox-header=lenient'])).toEqual({
      '207': 'statusCode',
      'sandbox-header': 'lenient',
    });
    expect(parseOptions(['--quirk', '207=statusCode'])).toMatchObject({ quirks: { '207': 'statusCode' } });
    expect(quirksOf({ '207': 'statusCode' })['inlet-token']).toBe('403');
  });

  it.each([
    ['207', /NAME=VARIANT.*found '207'/],
    ['207=', /NAME=VARIANT/],
    ['207=code', /^quirk 207: expected status or statusCode; found 'code'$/],
    ['207=statuscode', /found 'statuscode'; did you mean 'statusCode'\?$/],
    ['constructor=x', /^quirk: expected one of 207, sandbox-header, .*; found 'constructor'$/],
    ['sandbox-heder=x', /; did you mean 'sandbox-header'\?$/],
  ])('12 C 1: %s is refused with what there is, in one sentence', (word, message) => {
    expect(() => parseQuirks([word])).toThrow(message);
    const told = () => parseOptions(['--quirk', word]);
    expect(told).toThrow(UsageError);
    expect(told).toThrow(/^--quirk[ :][^\n]*$/);
  });
});

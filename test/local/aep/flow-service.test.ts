// Flow Service: creation rules, secrets, etags, filters, paging, actions, drafts and what blocks a deletion.
import { describe, expect, test } from 'vitest';
import {
  CATALOG,
  caller,
  FLOWS,
  flowBody,
  HTTP_API,
  KINESIS,
  LAKE,
  makeInlet,
  makeMapping,
  makePipeline,
  makeSchema,
  makeSource,
  PREP,
  ROW,
  sendBatch,
  WARM_UP,
} from './support.ts';

const SECRET_KEY = 'fake-kinesis-secret-key';

const kinesis = (auth: object = {}, params: object = {}) => ({
  name: 'kinesis',
  auth: {
    specName: 'Aws Kinesis authentication credentials',
    params: { accessKeyId: 'AKIAFAKE', secretKey: SECRET_KEY, region: 'eu-west-1', ...params },
    ...auth,
  },
  connectionSpec: { id: KINESIS, version: '1.0' },
});

const code = (reply: { body: { type?: string } }) => reply.body.type?.split('FLOW-')[1];

describe('connections', () => {
  test('an HTTP API connection brings its inlet, open to all unless told otherwise', async () => {
    const with_ = await caller({ origin: 'http://127.0.0.1:4010' });
    const body = {
      name: 'http',
      auth: { specName: 'Streaming Connection', params: { name: 'http' } },
      connectionSpec: { id: HTTP_API },
    };
    const made = await with_.call('POST', `${FLOWS}/connections`, body);
    expect(made.status).toBe(201);
    expect(made.body.etag).toMatch(/^".+"$/);
    const { items } = (await with_.call('GET', `${FLOWS}/connections/${made.body.id}`)).body;
    const { params } = items[0].auth;
    expect(params).toMatchObject({ sourceId: 'http', dataType: 'xdm', authenticationRequired: false });
    expect(params.inletUrl).toBe(`http://127.0.0.1:4010/collection/${params.inletId}`);
    expect(params.inletId).toMatch(/^[0-9a-f]{64}$/);
    expect(items[0]).toMatchObject({ state: 'enabled', etag: made.body.etag, version: made.body.etag });
  });

  test('a secret that was given is never shown again', async () => {
    const with_ = await caller();
    const { id } = (await with_.call('POST', `${FLOWS}/connections`, kinesis())).body;
    for (const path of [`${FLOWS}/connections/${id}`, `${FLOWS}/connections`]) {
      const reply = await with_.call('GET', path);
      expect(reply.text).not.toContain(SECRET_KEY);
      expect(reply.body.items[0].auth.params).toEqual({ accessKeyId: 'AKIAFAKE', region: 'eu-west-1' });
    }
    expect((await with_.call('GET', `${FLOWS}/connections/${id}/test`)).body).toEqual({ result: true });
  });

  test.each([
    ['an unknown spec', { ...kinesis(), connectionSpec: { id: 'none' } }, '1413-400'],
    ['an unknown auth spec', kinesis({ specName: 'Basic' }), '1415-400'],
    ['a missing parameter', kinesis({}, { region: '' }), '1100-400'],
  ])('%s is refused', async (_name, body, expected) => {
    const with_ = await caller();
    const reply = await with_.call('POST', `${FLOWS}/connections`, body);
    expect(reply.status).toBe(400);
    expect(code(reply)).toBe(expected);
    expect(reply.body.errorMessage).toBe(reply.body.report['detailed-message']);
  });

  test.each([
    [
      'Azure EventHub authentication credentials',
      'bf9f5905-92b7-48bf-bf20-455bc6b60a4e',
      { sasKeyName: 'n', sasKey: 'k', namespace: 'ns' },
    ],
    [
      'Project Based Authentication',
      '70116022-a743-464a-bbfe-e226a7f8210c',
      { projectId: 'p', credentials: 'c' },
    ],
    [
      'Topic & Subscription Based Authentication',
      '70116022-a743-464a-bbfe-e226a7f8210c',
      { credentials: 'c', topicName: 't', subscriptionName: 's' },
    ],
  ])('%s', async (specName, id, params) => {
    const with_ = await caller();
    const body = { name: 'x', auth: { specName, params }, connectionSpec: { id, version: '1.0' } };
    expect((await with_.call('POST', `${FLOWS}/connections`, body)).status).toBe(201);
  });

  test('names are not unique', async () => {
    const with_ = await caller();
    const [first, second] = [await makeInlet(with_), await makeInlet(with_)];
    expect(first.id).not.toBe(second.id);
    expect(first.inletId).not.toBe(second.inletId);
  });
});

describe('etags', () => {
  const rename = [{ op: 'replace', path: '/name', value: 'renamed' }];

  test('a patch needs the current etag with its quotes', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    const path = `${FLOWS}/flows/${made.flowId}`;
    expect(code(await with_.call('PATCH', path, rename))).toBe('1403-400');
    const stale = await with_.call('PATCH', path, rename, { 'if-match': '"old"' });
    expect([stale.status, code(stale)]).toEqual([412, '1404-412']);
    const done = await with_.call('PATCH', path, rename, { 'if-match': made.flowEtag });
    expect(done.status).toBe(200);
    expect(done.body.etag).not.toBe(made.flowEtag);
    expect((await with_.call('GET', path)).body.items[0]).toMatchObject({
      name: 'renamed',
      etag: done.body.etag,
    });
  });

  test('upper-case operations pass, unknown ones do not', async () => {
    const with_ = await caller();
    const { flowId, flowEtag } = await makePipeline(with_);
    const patch = (op: string, etag: string) =>
      with_.call('PATCH', `${FLOWS}/flows/${flowId}`, [{ op, path: '/description', value: 'x' }], {
        'if-match': etag,
      });
    expect(code(await patch('move', flowEtag))).toBe('1434-400');
    expect((await patch('Add', flowEtag)).status).toBe(200);
  });

  test('the spec of a connection cannot be changed', async () => {
    const with_ = await caller();
    const made = (await with_.call('POST', `${FLOWS}/connections`, kinesis())).body;
    const patch = [{ op: 'replace', path: '/connectionSpec/id', value: HTTP_API }];
    expect(
      code(await with_.call('PATCH', `${FLOWS}/connections/${made.id}`, patch, { 'if-match': made.etag })),
    ).toBe('1414-400');
  });
});

describe('lists', () => {
  test('are filtered by any path, where a comma means or', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    await with_.call('POST', `${FLOWS}/connections`, kinesis());
    const count = async (path: string) => (await with_.call('GET', `${FLOWS}/${path}`)).body.items.length;
    expect(await count('connections?property=name==kinesis')).toBe(1);
    expect(await count('connections?property=name==kinesis,base')).toBe(2);
    expect(await count(`connections?property=name==base&property=connectionSpec.id==${KINESIS}`)).toBe(0);
    expect(await count(`sourceConnections?property=baseConnectionId==${made.connectionId}`)).toBe(1);
    expect(await count(`targetConnections?property=params.dataSetId==${made.dataSetId}`)).toBe(1);
    expect(await count(`flows?property=sourceConnectionIds[]==${made.sourceId}`)).toBe(1);
    expect(await count('flows?property=name==other')).toBe(0);
    expect(await count('flowSpecs?property=id==d69717ba-71b4-4313-b654-49f9cf126d7a')).toBe(1);
  });

  test('pages follow a token, and the last has no next', async () => {
    const with_ = await caller();
    for (let count = 0; count < 5; count++) await makeInlet(with_);
    const seen = new Set<string>();
    let href: string | undefined = '/connections?limit=2';
    let pages = 0;
    while (href) {
      const { body } = await with_.call('GET', `${FLOWS}${href}`);
      for (const item of body.items) seen.add(item.id);
      href = body._links.next?.href;
      pages += 1;
    }
    expect([seen.size, pages]).toEqual([5, 3]);
    expect((await with_.call('GET', `${FLOWS}/connections?count=true`)).body).toEqual({ count: 5 });
    expect(code(await with_.call('GET', `${FLOWS}/connections?count=true&limit=2`))).toBe('1401-400');
    expect((await with_.call('GET', `${FLOWS}/connections?count=False&limit=2`)).body.items).toHaveLength(2);
    expect(code(await with_.call('GET', `${FLOWS}/connections?continuationToken=bogus`))).toBe('1451-400');
  });

  test.each([
    ['flowSpecs', 'name==Steam data with transformation'],
    ['flowSpecs', 'name!=Steam data with transformation'],
    ['connectionSpecs', 'name==datalake,Amazon Kinesis'],
    ['connections', 'name==a'],
    ['connections', 'name>a'],
  ])('12 B 2: a value of %s in quotes finds what it finds without: %s', async (kind, filter) => {
    const with_ = await caller();
    for (const name of ['b', 'a']) await with_.call('POST', `${FLOWS}/connections`, { ...kinesis(), name });
    const found = async (property: string): Promise<string[]> =>
      (await with_.call('GET', `${FLOWS}/${kind}?property=${encodeURIComponent(property)}`)).body.items.map(
        (item: { name: string }) => item.name,
      );
    const bare = await found(filter);
    const [, before = '', value = ''] = /^(.*?[=>])([^=>]+)$/.exec(filter) ?? [];
    expect(bare).not.toEqual([]);
    expect(await found(`${before}"${value.split(',').join('","')}"`)).toEqual(bare);
    expect(await found(`${before}"${value}`)).not.toEqual(bare);
  });

  test('12 B 2: what stands in quotes is one value, with a comma or an "and" in it', async () => {
    const with_ = await caller();
    const names = ['a,b', 'a', 'b', 'bread and butter', 'x'];
    for (const name of names) await with_.call('POST', `${FLOWS}/connections`, { ...kinesis(), name });
    const namesOf = (body: { items: { name: string }[] }) => body.items.map(({ name }) => name);
    const filtered = async (property: string) =>
      namesOf(
        (await with_.call('GET', `${FLOWS}/connections?property=${encodeURIComponent(property)}`)).body,
      );
    expect(await filtered('name=="a,b"')).toEqual(['a,b']);
    expect(await filtered('name=="a,b",x')).toEqual(['a,b', 'x']);
    expect(await filtered('name==a,b')).toEqual(['a,b', 'a', 'b']);
    const searched = async (queryString: string) =>
      namesOf((await with_.call('POST', `${FLOWS}/connections/search`, { queryString })).body);
    expect(await searched('name=="bread and butter"')).toEqual(['bread and butter']);
    expect(await searched('name!=x AND  property=name!="a"&name<"b"')).toEqual(['a,b']);
    expect(await searched('name=="x')).toEqual([]);
  });

  test('12 B 3: the specs have the names that Adobe gives them', async () => {
    const with_ = await caller();
    const named = async (kind: string, name: string) =>
      (await with_.call('GET', `${FLOWS}/${kind}?property=name==${name}`)).body.items;
    expect(await named('flowSpecs', '%22Steam%20data%20with%20transformation%22')).toMatchObject([
      { id: 'c1a19761-d2c7-4702-b9fa-fe91f0613e81', targetConnectionSpecIds: [LAKE] },
    ]);
    expect(await named('connectionSpecs', 'datalake')).toMatchObject([{ id: LAKE }]);
    expect(await named('connectionSpecs', 'Amazon%20Kinesis')).toMatchObject([{ id: KINESIS }]);
    expect(await named('connectionSpecs', '%22Azure%20Event%20Hubs%22')).toHaveLength(1);
  });

  test('12 B 4: the link to the next page carries the token alone, with or without the filters beside it', async () => {
    const with_ = await caller();
    for (const name of ['e', 'c', 'x', 'a', 'd', 'b'])
      await with_.call('POST', `${FLOWS}/connections`, { ...kinesis(), name });
    const query = 'limit=2&orderby=-name&property=name!=x';
    const walk = async (next: (href: string) => string) => {
      const names: string[] = [];
      let href: string | undefined = `/connections?${query}`;
      while (href !== undefined && names.length < 9) {
        const { body } = await with_.call('GET', `${FLOWS}${href}`);
        names.push(...body.items.map((item: { name: string }) => item.name));
        const link: string | undefined = body._links.next?.href;
        if (link !== undefined) expect(link).toMatch(/^\/connections\?continuationToken=[\w-]+$/);
        href = link === undefined ? undefined : next(link);
      }
      return names;
    };
    expect(await walk((href) => href)).toEqual(['e', 'd', 'c', 'b', 'a']);
    // As Adobe's client does: what lies behind the first `=` is the token, and all else is asked for again.
    const asAepp = (href: string) => `/connections?${query}&continuationToken=${href.split('=')[1]}`;
    expect(await walk(asAepp)).toEqual(['e', 'd', 'c', 'b', 'a']);
  });

  test('ordered by name, both ways, and searched by a body', async () => {
    const with_ = await caller();
    for (const name of ['b', 'a']) await with_.call('POST', `${FLOWS}/connections`, { ...kinesis(), name });
    const names = async (orderby: string) =>
      (await with_.call('GET', `${FLOWS}/connections?orderby=${orderby}`)).body.items.map(
        (item: { name: string }) => item.name,
      );
    expect(await names('name')).toEqual(['a', 'b']);
    expect(await names('-name')).toEqual(['b', 'a']);
    const found = await with_.call('POST', `${FLOWS}/connections/search`, { queryString: 'name==a' });
    expect(found.body.items).toHaveLength(1);
  });
});

describe('flows', () => {
  test('are shown with their inheritance and their version as a string', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    const { items } = (await with_.call('GET', `${FLOWS}/flows/${made.flowId}`)).body;
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ state: 'enabled', lastOperation: { status: { value: 'success' } } });
    expect(items[0].transformations[0].params).toEqual({ mappingId: made.mappingId, mappingVersion: '0' });
    expect(items[0].inheritedAttributes.sourceConnections[0].baseConnection.id).toBe(made.connectionId);
  });

  test('are refused for each thing that does not fit', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    const body = (change: object) => ({
      ...flowBody(true, made.sourceId, made.targetId, made.mappingId),
      ...change,
    });
    const refusal = async (change: object) => code(await with_.call('POST', `${FLOWS}/flows`, body(change)));
    const mapping = (params: object) => ({ transformations: [{ name: 'Mapping', params }] });
    expect(await refusal({ state: 'enabled' })).toBe('1410-400');
    expect(await refusal({ flowSpec: { id: 'none' } })).toBe('1413-400');
    expect(await refusal({ sourceConnectionIds: ['none'] })).toBe('1439-400');
    expect(await refusal(mapping({ mappingId: 'none' }))).toBe('1419-400');
    expect(await refusal(mapping({ mappingId: made.mappingId, mappingVersion: 7 }))).toBe('1412-400');
    expect(await refusal({ transformations: [] })).toBe('1100-400');
    const other = await makeSchema(with_, 'another');
    const { id } = (await makeMapping(with_, other)).body;
    expect(await refusal(mapping({ mappingId: id, mappingVersion: 0 }))).toBe('1425-400');
    expect(await refusal({})).toBeUndefined();
  });

  test('a mapping that skipped validation is caught when a flow uses it', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    const schemaRef = { id: made.schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' };
    const mappings = [{ sourceType: 'EXPRESSION', source: 'nonsense(', destination: '_id' }];
    const set = await with_.call('POST', `${PREP}/mappingSets?validate=False`, {
      outputSchema: { schemaRef },
      mappings,
    });
    expect(set.status).toBe(200);
    const body = flowBody(true, made.sourceId, made.targetId, set.body.id);
    expect(code(await with_.call('POST', `${FLOWS}/flows`, body))).toBe('1419-400');
  });

  test('are enabled and disabled, but not twice', async () => {
    const with_ = await caller();
    const { flowId } = await makePipeline(with_);
    const act = (op: string) => with_.call('POST', `${FLOWS}/flows/${flowId}/action?op=${op}`);
    const state = async () => (await with_.call('GET', `${FLOWS}/flows/${flowId}`)).body.items[0].state;
    expect(code(await act('enable'))).toBe('1422-400');
    expect((await act('DISABLE')).status).toBe(200);
    expect(await state()).toBe('disabled');
    expect(code(await act('disable'))).toBe('1422-400');
    expect((await act('enable')).body).toMatchObject({ id: flowId, etag: expect.any(String) });
    expect(code(await act('dance'))).toBe('1422-400');
    expect(code(await act('constructor'))).toBe('1422-400');
  });

  test('start as drafts that need nothing, until published', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    const draft = await with_.call('POST', `${FLOWS}/flows?mode=draft`, {
      name: 'd',
      flowSpec: { id: 'd69717ba-71b4-4313-b654-49f9cf126d7a' },
    });
    expect(draft.status).toBe(201);
    const path = `${FLOWS}/flows/${draft.body.id}`;
    expect((await with_.call('GET', path)).body.items[0].state).toBe('draft');
    expect(code(await with_.call('POST', `${path}/action?op=publish`))).toBe('1100-400');
    const patch = [
      { op: 'add', path: '/sourceConnectionIds', value: [made.sourceId] },
      { op: 'add', path: '/targetConnectionIds', value: [made.targetId] },
      {
        op: 'add',
        path: '/transformations',
        value: [{ name: 'Mapping', params: { mappingId: made.mappingId, mappingVersion: 0 } }],
      },
    ];
    expect((await with_.call('PATCH', path, patch, { 'if-match': draft.body.etag })).status).toBe(200);
    expect((await with_.call('POST', `${path}/action?op=publish`)).status).toBe(200);
    expect((await with_.call('GET', path)).body.items[0].state).toBe('enabled');
  });
});

describe('ends', () => {
  test('a source names its base connection and what the spec wants', async () => {
    const with_ = await caller();
    const { id } = (await with_.call('POST', `${FLOWS}/connections`, kinesis())).body;
    const source = (change: object) =>
      with_.call('POST', `${FLOWS}/sourceConnections`, {
        name: 's',
        baseConnectionId: id,
        connectionSpec: { id: KINESIS, version: '1.0' },
        data: { format: 'json' },
        params: { stream: 'orders', dataType: 'raw', reset: 'latest' },
        ...change,
      });
    expect((await source({})).status).toBe(201);
    expect(code(await source({ params: { dataType: 'raw' } }))).toBe('1100-400');
    expect(code(await source({ params: { stream: 'x', dataType: 'raw', reset: 'never' } }))).toBe('1100-400');
    expect(code(await source({ baseConnectionId: 'none' }))).toBe('1439-400');
    expect(code(await source({ connectionSpec: { id: HTTP_API } }))).toBe('1413-400');
  });

  test('a target names a dataset that exists', async () => {
    const with_ = await caller();
    const target = (params: object) =>
      with_.call('POST', `${FLOWS}/targetConnections`, {
        name: 't',
        connectionSpec: { id: 'c604ff05-7f1a-43c0-8e18-33bf874cb11c', version: '1.0' },
        data: { format: 'parquet_xdm' },
        params,
      });
    expect(code(await target({ dataSetId: 'none' }))).toBe('1439-400');
    expect(code(await target({ datasetId: 'none' }))).toBe('1100-400');
  });
});

test('what a flow uses is deleted only after the flow', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  const remove = (path: string) => with_.call('DELETE', `${FLOWS}/${path}`);
  expect(code(await remove(`connections/${made.connectionId}`))).toBe('1418-400');
  expect(code(await remove(`sourceConnections/${made.sourceId}`))).toBe('1447-400');
  expect(code(await remove(`targetConnections/${made.targetId}`))).toBe('1447-400');
  for (const path of [
    `flows/${made.flowId}`,
    `sourceConnections/${made.sourceId}`,
    `targetConnections/${made.targetId}`,
    `connections/${made.connectionId}`,
  ]) {
    expect((await remove(path)).status).toBe(204);
    const again = await remove(path);
    expect([again.status, code(again)]).toEqual([404, '1439-404']);
  }
  expect((await with_.bare('POST', `/collection/${made.inletId}`, {})).status).toBe(404);
});

test('a base connection without a flow can be deleted, though it has a source', async () => {
  const with_ = await caller();
  const { id } = await makeInlet(with_);
  await makeSource(with_, id);
  expect((await with_.call('DELETE', `${FLOWS}/connections/${id}`)).status).toBe(204);
});

describe('12 B 8: runs', () => {
  const REFUSED = { ...ROW, gender: 'Male!' };

  test('tell what was refused, by which code, and where to read it', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    await sendBatch(with_, made, [ROW, REFUSED]);
    await sendBatch(with_, made, [REFUSED, { ...REFUSED, dob: 'never' }]);
    const list = async (more = '') =>
      (await with_.call('GET', `${FLOWS}/runs?property=flowId==${made.flowId}${more}`)).body.items;
    const [run] = await list();
    expect(run.metrics).toMatchObject({
      recordSummary: { inputRecordCount: 4, outputRecordCount: 1, failedRecordCount: 3 },
      statusSummary: { status: 'inProgress', errors: [{ code: 'CONNECTOR-2001-500' }] },
    });
    expect(run.metrics.durationSummary).toEqual({ startedAtUTC: run.createdAt });
    const [activity] = run.activities;
    expect(activity).toMatchObject({
      id: 'promotionActivity',
      sourceInfo: [{ id: made.sourceId, type: 'SourceConnection' }],
      targetInfo: [{ id: made.targetId, type: 'TargetConnection', reference: { type: 'Batch' } }],
    });
    expect(activity.targetInfo[0].reference.ids).toHaveLength(3);
    const { errors, manifest } = activity.statusSummary.extensions;
    const counts = errors.map((each: { recordCount: number }) => each.recordCount);
    expect(counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(3);
    const failed = Object.keys((await with_.call('GET', `${CATALOG}/batches?status=failed`)).body);
    expect(failed.some((id) => manifest.failedRecords.includes(`/batches/${id}/meta?path=row_errors`))).toBe(
      true,
    );
    expect((await with_.call('GET', `${FLOWS}/runs/${run.id}`)).body.items).toEqual([run]);
    with_.clock.advance(3_600_000);
    const [over] = await list('&property=metrics.statusSummary.status==success');
    expect(over).toMatchObject({
      id: run.id,
      metrics: { durationSummary: { completedAtUTC: expect.any(Number) } },
    });
    const flow = (await with_.call('GET', `${FLOWS}/flows/${made.flowId}`)).body.items[0];
    expect(flow.lastRunDetails).toEqual({ id: run.id, state: 'success', ...over.metrics.durationSummary });
  });

  test('of which nothing landed have failed, and page like every list', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    for (let hour = 0; hour < 3; hour++) {
      await sendBatch(with_, made, [REFUSED]);
      with_.clock.advance(3_600_000);
    }
    const failed = 'property=metrics.statusSummary.status==failed&orderby=-createdAt';
    const first = (await with_.call('GET', `${FLOWS}/runs?${failed}&limit=2`)).body;
    const second = (await with_.call('GET', `${FLOWS}${first._links.next.href}`)).body;
    const at = [...first.items, ...second.items].map((run: { createdAt: number }) => run.createdAt);
    expect(at).toEqual(at.toSorted((a, b) => b - a));
    expect(new Set(at).size).toBe(3);
    expect(second._links.next).toBeUndefined();
  });
});

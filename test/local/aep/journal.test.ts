// The journal: every request and answer, bounded, and no secret in it.
import { expect, test } from 'vitest';
import {
  CLIENT,
  caller,
  FLOWS,
  getToken,
  KINESIS,
  makePipeline,
  REGISTRY,
  ROW,
  SECRET,
  sendBatch,
  WARM_UP,
} from './support.ts';

test('no secret is kept, wherever it stands', async () => {
  const with_ = await caller();
  const body = {
    name: 'k',
    auth: {
      specName: 'Aws Kinesis authentication credentials',
      params: { accessKeyId: 'AKIAFAKE', secretKey: 'fake-secret-key', region: 'eu-west-1' },
    },
    connectionSpec: { id: KINESIS, version: '1.0' },
  };
  const made = (await with_.call('POST', `${FLOWS}/connections`, body)).body;
  const patch = [{ op: 'replace', path: '/auth/params/secretKey', value: 'fake-rotated-key' }];
  expect(
    (await with_.call('PATCH', `${FLOWS}/connections/${made.id}`, patch, { 'if-match': made.etag })).status,
  ).toBe(200);
  const others = [
    [
      'Azure EventHub authentication credentials',
      'bf9f5905-92b7-48bf-bf20-455bc6b60a4e',
      { sasKeyName: 'n', sasKey: 'fake-sas-key', namespace: 'ns' },
    ],
    [
      'Project Based Authentication',
      '70116022-a743-464a-bbfe-e226a7f8210c',
      { projectId: 'p', credentials: 'fake-google-key' },
    ],
  ] as const;
  for (const [specName, id, params] of others) {
    const reply = await with_.call('POST', `${FLOWS}/connections`, {
      name: 'x',
      auth: { specName, params },
      connectionSpec: { id },
    });
    expect(reply.status).toBe(201);
  }
  await with_.bare(
    'POST',
    `/ims/token/v3?grant_type=client_credentials&client_id=${CLIENT}&client_secret=${SECRET}&scope=openid`,
  );
  await with_.call('POST', `${FLOWS}/connections`, `{"broken": "fake-secret-key"`);
  const kept = JSON.stringify(with_.platform.journal.entries());
  const secrets = ['fake-secret-key', 'fake-rotated-key', 'fake-sas-key', 'fake-google-key'];
  for (const secret of [SECRET, with_.token, ...secrets]) expect(kept).not.toContain(secret);
  expect(kept).toContain('AKIAFAKE');
  expect(kept).toContain('"sasKeyName":"n"');
  expect(kept).toContain('"client_secret":"***"');
});

test('an entry tells the whole exchange', async () => {
  const with_ = await caller();
  await with_.call('GET', `${REGISTRY}/tenant/schemas?property=title==x`, undefined, {
    accept: 'application/vnd.adobe.xed-id+json',
  });
  expect(with_.platform.journal.entries().at(-1)).toMatchObject({
    method: 'GET',
    path: `${REGISTRY}/tenant/schemas`,
    query: { property: 'title==x' },
    status: 200,
    reply: { results: [] },
    headers: { authorization: '***', 'x-sandbox-name': 'dev1' },
    faults: [],
  });
});

test('records sent to an inlet are counted, not kept', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW, 'no object']);
  const entry = with_.platform.journal.entries({ path: '/collection/' }).at(-1);
  expect(entry?.body).toEqual({ messages: 2, bytes: expect.any(Number) });
  expect(entry?.reply).toEqual({ responses: 2, failed: 1 });
  expect(JSON.stringify(entry)).not.toContain(ROW.firstName);
});

test('it is filtered and emptied over HTTP, and does not record calls of its own pages', async () => {
  const with_ = await caller();
  await with_.call('GET', `${REGISTRY}/stats`);
  await with_.call('GET', '/data/none');
  const read = async (query: string) =>
    (await with_.bare('GET', `/_simulator/journal?${query}`)).body.entries;
  expect((await read('')).map((entry: { path: string }) => entry.path)).toEqual([
    '/ims/token/v3',
    `${REGISTRY}/stats`,
    '/data/none',
  ]);
  expect(await read('status=404')).toHaveLength(1);
  expect(await read('method=post')).toHaveLength(1);
  expect(await read('path=stats')).toHaveLength(1);
  expect(await read('after=2')).toHaveLength(1);
  expect(await read('limit=1')).toHaveLength(1);
  await with_.bare('DELETE', '/_simulator/journal');
  expect(await read('')).toEqual([]);
});

test('it stays within its bounds', async () => {
  const with_ = await caller({ keepRequests: 10 });
  for (let count = 0; count < 40; count++) await getToken(with_.platform);
  const entries = with_.platform.journal.entries();
  expect(entries).toHaveLength(10);
  expect(entries.at(-1)?.number).toBe(41);
});

test('12 B 11: a long number is kept as it came, in what was sent and in what was answered', async () => {
  const with_ = await caller();
  const body = '{"name": "m", "outputSchema": {}, "mappings": [], "count": 12345678901234567890}';
  await with_.call('POST', '/data/foundation/conversion/mappingSets', body);
  const answer = await with_.bare('GET', '/_simulator/journal?method=POST&path=mappingSets');
  expect(answer.text).toContain('"count":12345678901234567890');
});

// Bad input never stops the simulated platform: whatever comes over the wire, the next caller is answered.
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realClock } from '../../../local/aep/clock.ts';
import { DEEPEST } from '../../../local/aep/json.ts';
import { type RunningServer, startServer } from '../../../local/aep/server.ts';
import { compileValidator } from '../../../local/aep/xdm/validator.ts';
import { processorSeconds } from '../../support/effort.ts';
import {
  type Caller,
  caller,
  FLOWS,
  flowBody,
  type Made,
  makeDataSet,
  makeInlet,
  makeMapping,
  makePipeline,
  makeSource,
  makeTarget,
  PREP,
  REGISTRY,
  ROW,
  refusedOf,
  rowsOf,
  schemaBody,
  sendBatch,
} from './support.ts';

let user: Caller;
let made: Made;
let running: RunningServer;

beforeAll(async () => {
  user = await caller({ clock: realClock, warmUpMs: 0 });
  made = await makePipeline(user);
  running = await startServer({ port: 0, platform: user.platform });
});

afterAll(() => running.close());

/** A socket whose errors are nobody's business: the other side may cut it. */
async function open(halfOpen = false): Promise<Socket> {
  const { port } = new URL(running.origin);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: halfOpen });
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** What comes back for these bytes, until the other side closes; nothing, where it cuts the connection. */
async function exchange(...bytes: string[]): Promise<string> {
  const socket = await open();
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const part of bytes) socket.write(part);
  await closed;
  return answer;
}

async function statusOf(target: string, body?: string, more = ''): Promise<number> {
  const head = `${body === undefined ? 'GET' : 'POST'} ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${more}`;
  const sized = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body ?? '')}\r\n\r\n`;
  return Number((await exchange(head + sized, body ?? '')).slice(9, 12));
}

async function alive(): Promise<void> {
  const { landed } = user.platform.state.counts;
  const reply = await fetch(`${running.origin}/collection/${made.inletId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-adobe-flow-id': made.flowId },
    body: JSON.stringify(ROW),
  });
  expect(reply.status).toBe(200);
  await user.platform.idle();
  expect(user.platform.state.counts.landed).toBe(landed + 1);
}

const deepArray = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const deepObject = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

test.each([
  ['no JSON', '{"messages": [', 400],
  ['no text', '\u0000\uffff', 400],
  ['no object', '"messages"', 400],
  ['a million arrays in each other', deepArray(1_000_000), 413],
  ['arrays in each other as deep as a megabyte allows', deepArray(490_000), 400],
  ['objects in each other', deepObject(100_000), 400],
  ['a message too deep', `{"messages":[{"a":${deepArray(DEEPEST)}}]}`, 400],
  ['a message just not too deep', `{"messages":[{"a":${deepArray(DEEPEST - 3)}}]}`, 207],
  ["names that are JavaScript's own", '{"messages":[{"__proto__":{"id":1},"constructor":{}}]}', 207],
])('12 shown: an inlet given %s answers, and goes on', async (_what, body, status) => {
  expect(await statusOf(`/collection/batch/${made.inletId}`, body)).toBe(status);
  await alive();
});

test('12 shown: services, the journal and the pages of the simulator survive bodies nested too deep', async () => {
  for (const path of [`${FLOWS}/flows`, `${REGISTRY}/tenant/schemas`, `${PREP}/mappingSets`]) {
    for (const body of [deepArray(8_000), deepObject(2_000), deepArray(500_000)])
      expect((await user.call('POST', path, body)).status).toBe(400);
  }
  expect(await statusOf('/_simulator/faults', deepArray(8_000))).toBe(400);
  expect(await statusOf('/_simulator/journal')).toBe(200);
  await alive();
});

test('12 shown: a body of 100 MB, with or without its length said, ends in 413', async () => {
  const megabyte = Buffer.alloc(1_000_000, 'x');
  const chunked = new ReadableStream({
    start: () => undefined,
    pull: (controller) => {
      if (left-- > 0) controller.enqueue(megabyte);
      else controller.close();
    },
  });
  let left = 100;
  const url = `${running.origin}/collection/batch/${made.inletId}`;
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: chunked, duplex: 'half' } as RequestInit;
  expect((await fetch(url, init)).status).toBe(413);
  await alive();
});

test.each([
  ['two slashes', '//', 200],
  ['another host', '//evil.example/_simulator/', 404],
  ['a target with a host', 'http://evil.example/nowhere', 404],
  ['no path', '*', 400],
  ['steps up', '/data/../../etc/passwd', 404],
  ['encoded steps up', '/%2e%2e/%2e%2e/etc/passwd', 404],
  ['a broken escape', '/collection/%E0%A4%A', 405],
  ['a zero byte', '/collection/%00', 405],
  ['a name of JavaScript', '/__proto__/constructor', 404],
  ['a page of the simulator with a wrong id', '/_simulator/datasets/__proto__/rows', 404],
])('12 shown: a path with %s is answered', async (_what, target, status) => {
  expect(await statusOf(target)).toBe(status);
  await alive();
});

test.each([
  ['what is no HTTP', 'hello\r\n\r\n', /^400$/],
  [
    'a head without end',
    `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
    /^(431)?$/,
  ],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    /^400$/,
  ],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    '400',
  ],
  [
    'a broken chunk',
    'POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    /^400$/,
  ],
])('12 shown: %s is refused', async (_what, bytes, status) => {
  expect((await exchange(bytes)).slice(9, 12)).toMatch(status);
  await alive();
});

test('12 shown: callers that stall in the middle of a request delay no other', async () => {
  const head = `POST /collection/${made.inletId} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  const waiting = await Promise.all(Array.from({ length: 200 }, () => open()));
  for (const [index, socket] of waiting.entries()) {
    // In the request line, in the head, before and in the body: and then nothing.
    const whole = `${head}content-length: 1000\r\n\r\n{"id":`;
    socket.write(whole.slice(0, 1 + ((index * 7) % whole.length)));
  }
  await alive();
  for (const [index, socket] of waiting.entries()) {
    if (index % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  await alive();
});

test('12 shown: a caller that half-closes after its request gets its answer, one that cuts the request does not', async () => {
  const body = JSON.stringify(ROW);
  const head = `POST /collection/${made.inletId} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  const whole = await open(true);
  const answer = text(whole);
  whole.end(
    `${head}x-adobe-flow-id: ${made.flowId}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  expect(await answer).toMatch(/^HTTP\/1.1 200 /);
  const part = await open(true);
  const none = text(part);
  part.end(`${head}content-length: 1000\r\n\r\n{"id":`);
  expect(await none).not.toMatch(/^HTTP\/1.1 200 /);
  await alive();
});

/** Tries every way to divide a text of a's into parts: for forty of them, longer than there is time. */
const ENDLESS = '^(a+)+$';
const AS = `${'a'.repeat(40)}!`;

const groupWith = (properties: object) => ({
  title: `ours ${JSON.stringify(properties).slice(0, 60)}`,
  type: 'object',
  'meta:intendedToExtend': ['https://ns.adobe.com/xdm/context/profile'],
  definitions: { own: { properties: { _acmelab: { type: 'object', properties } } } },
  allOf: [{ $ref: '#/definitions/own' }],
});

async function pipelineWith(properties: object): Promise<Made> {
  const group = await user.call('POST', `${REGISTRY}/tenant/fieldgroups`, groupWith(properties));
  const schema = schemaBody(`with ${group.body.title}`, ['profile']);
  const allOf = [...(schema.allOf as object[]), { $ref: group.body.$id }];
  const schemaId = (await user.call('POST', `${REGISTRY}/tenant/schemas`, { ...schema, allOf })).body.$id;
  const dataSetId = await makeDataSet(user, schemaId);
  const { id: connectionId, inletId } = await makeInlet(user);
  const sourceId = await makeSource(user, connectionId);
  const targetId = await makeTarget(user, dataSetId, schemaId);
  const rows = Object.keys(properties).map((name) => ({
    sourceType: 'ATTRIBUTE',
    source: name,
    destination: `_acmelab.${name}`,
  }));
  const mappingId = (await makeMapping(user, schemaId, rows)).body.id;
  const flow = await user.call('POST', `${FLOWS}/flows`, flowBody(true, sourceId, targetId, mappingId));
  const { id: flowId, etag: flowEtag } = flow.body;
  return { schemaId, dataSetId, connectionId, inletId, sourceId, targetId, mappingId, flowId, flowEtag };
}

test("12 B 1: a schema's own pattern that would take for ever fails its record, and the others land", async () => {
  const own = await pipelineWith({ code: { type: 'string', pattern: ENDLESS } });
  const records = [...Array.from({ length: 100 }, () => ({ code: AS })), { code: 'aaa' }, { code: 'a!' }];
  expect((await sendBatch(user, own, records)).status).toBe(207);
  await user.platform.idle();
  expect(await rowsOf(user, own.dataSetId)).toEqual([{ _acmelab: { code: 'aaa' } }]);
  const messages = (await refusedOf(user, own.dataSetId)).map(({ violations }) => violations[0].message);
  expect(messages).toHaveLength(100);
  expect(new Set(messages)).toEqual(
    new Set([
      `string [${AS}] takes too long to match with pattern ${ENDLESS}`,
      `string [a!] does not match pattern ${ENDLESS}`,
    ]),
  );
  await alive();
});

test('12 B 1: however often such a pattern is tried, it takes a few seconds in all', async () => {
  const validate = compileValidator({
    type: 'object',
    properties: { code: { type: 'string', pattern: `${ENDLESS}|never` } },
  });
  const used = await processorSeconds(() => {
    for (let length = 1_000; length > 100; length--)
      expect(validate({ code: `${'a'.repeat(length)}!` })[0]?.keyword).toBe('pattern');
  });
  expect(used).toBeLessThan(20);
});

test.each([
  ['more ways than a short text has signs', '^(a|a|a|a|a|a|a|a)*$', 'a'.repeat(16)],
  ['one repetition after the other', '^a*a*a*a*a*a*a*a*$', 'a'.repeat(400)],
  ['repetitions with a number', '^((a{1,9}){1,9}){1,9}$', 'a'.repeat(60)],
])('12 B 1: a pattern with %s comes to an end', (_what, pattern, text) => {
  const validate = compileValidator({ type: 'object', properties: { code: { type: 'string', pattern } } });
  expect(validate({ code: `${text}!` })[0]).toMatchObject({ keyword: 'pattern' });
});

test('12 B 1: a pattern as people have it is decided for texts of any length', () => {
  const mail = '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}$';
  const validate = compileValidator({
    type: 'object',
    properties: { mail: { type: 'string', pattern: mail } },
  });
  for (const length of [1, 20, 1_000, 50_000]) {
    expect(validate({ mail: `${'a'.repeat(length)}@example.com` })).toEqual([]);
    expect(validate({ mail: `${'a'.repeat(length)}@example` })).toHaveLength(1);
  }
});

test('12 B 1: a sample record is made for a schema with an endless pattern', async () => {
  const { schemaId } = await pipelineWith({ region: { type: 'string', pattern: '^(([A-Z])+)+-[0-9]*$' } });
  const path = `${REGISTRY}/rpc/sampledata/${encodeURIComponent(schemaId)}`;
  expect(
    (await user.call('GET', path, undefined, { accept: 'application/vnd.adobe.xed+json; version=1' })).body,
  ).toMatchObject({ _acmelab: { region: 'PT-11' } });
});

test.each([
  ['none', '(', "'('"],
  ['a number', 1, "'1'"],
  ['larger than JavaScript takes', 'a.'.repeat(200_000), `'${'a.'.repeat(100)}'`],
])('12 B 1: a pattern that is %s is refused with the field that has it', async (_what, pattern, shown) => {
  const group = groupWith({ code: { type: 'array', items: { type: 'string', pattern } } });
  const reply = await user.call('POST', `${REGISTRY}/tenant/fieldgroups`, group);
  expect(reply.status).toBe(400);
  expect(reply.body.detail).toContain(`the pattern ${shown} of /_acmelab/code/* is no regular expression`);
});

test('12 B 1: references that name references ten times each are refused', async () => {
  const ref = (next: number) => ({
    $ref: `#/definitions/own/properties/_acmelab/properties/level${next}`,
  });
  const level = (next: number) => ({
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`f${at}`, ref(next)])),
  });
  const levels = Array.from({ length: 15 }, (_, at) => [`level${at}`, level(at + 1)]);
  const group = groupWith(Object.fromEntries(levels));
  const reply = await user.call('POST', `${REGISTRY}/tenant/fieldgroups`, group);
  expect([reply.status, reply.body.detail]).toEqual([400, expect.stringContaining('has too many fields')]);
});

test('12 B 1: a hundred thousand items that must differ are compared at once', async () => {
  const validate = compileValidator({
    type: 'object',
    properties: { all: { type: 'array', uniqueItems: true } },
  });
  const items = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ at, of: [{ a: 1, b: null }] }));
  const used = await processorSeconds(() => expect(validate({ all: items(100_000) })).toEqual([]));
  expect(used).toBeLessThan(20);
  expect(
    validate({
      all: [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
    })[0]?.message,
  ).toBe('array items are not unique');
  expect(validate({ all: [{ a: 1 }, [{ a: 1 }], 'a', {}, []] })).toEqual([]);
});

/** A mapping set of this one row, for the schema that is there. */
const setOf = (sourceType: string, source: string) => ({
  outputSchema: {
    schemaRef: { id: made.schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
  },
  mappings: [{ sourceType, source, destination: '_id' }],
});

test.each([
  ['a path with escapes and no end', 'SUCCESS', 'ATTRIBUTE', `\${${'\\a'.repeat(60)}`],
  ['an expression of not not not', 'FAILED', 'EXPRESSION', `${'!'.repeat(4_000)}a`],
])('12 B 1: %s is told as what it is', async (_what, status, sourceType, source) => {
  const reply = await user.call('POST', `${PREP}/mappingSets/validate`, setOf(sourceType, source));
  expect(reply.body.validationResponse[0].status).toBe(status);
});

test('12 B 1: an expression of a million characters is refused, and is no error of the platform', async () => {
  const expression = `${'-'.repeat(900_000)}1`;
  const reply = await user.call('POST', `${PREP}/languages/el/validate`, { expression });
  expect([reply.status, reply.body]).toEqual([200, false]);
});

test.each([
  ['an occurrence that is never reached', 'instr(a, "", 1, 1e15)', /^-1$/],
  ['a text that is too long', 'lpad(a, 20000000, "x")', /longer than 10000000 characters/],
  ['zones in a row', `date(a, "${'zV'.repeat(30)}")`, /takes too long/],
])('12 B 1: a function with %s comes to an end', async (_what, source, expected) => {
  const body = { mappingSet: setOf('EXPRESSION', source), data: [{ a: `${'A'.repeat(200)}!` }] };
  const [shown] = (await user.call('POST', `${PREP}/mappingSets/preview`, body)).body;
  expect(shown.data._id ?? shown.errors[0].exception).toMatch(expected);
});

test('12 B 1: a million characters that are no base64 are refused at once', async () => {
  const EVENT_HUBS = 'bf9f5905-92b7-48bf-bf20-455bc6b60a4e';
  const connectionSpec = { id: EVENT_HUBS, version: '1.0' };
  const auth = {
    specName: 'Azure EventHub authentication credentials',
    params: { sasKeyName: 'k', sasKey: 's', namespace: 'n' },
  };
  const base = await user.call('POST', `${FLOWS}/connections`, { name: 'hub', auth, connectionSpec });
  const params = { eventHubName: 'hub', dataType: 'raw', reset: 'latest', consumerGroup: 'g' };
  const source = await user.call('POST', `${FLOWS}/sourceConnections`, {
    name: 'hub',
    baseConnectionId: base.body.id,
    connectionSpec,
    data: { format: 'json' },
    params,
  });
  const records = [{ body: `${'='.repeat(1_000_000)}A` }];
  const path = `/_simulator/sources/${source.body.id}/records`;
  expect((await user.bare('POST', path, { records })).status).toBe(400);
});

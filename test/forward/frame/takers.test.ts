// Conditions that are looked up in the bytes of a record, held against those of a parsed one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContainer } from '../../../lib/forward/container.ts';
import { createRoom, prepareAll } from '../../../lib/forward/frame/prepare.ts';
import { NO_MARKS } from '../../../lib/forward/marks.ts';
import { type Received, readEvent } from '../../../lib/forward/read/event.ts';
import { streamStages } from '../../../lib/forward/stages.ts';
import { startTurn } from '../../../lib/forward/turn.ts';
import { FILTERED } from '../../../lib/forward/verdict.ts';
import type { PublishedRoute } from '../../../lib/published.ts';
import type { Condition, Records } from '../../../lib/records.ts';
import { runs } from '../../support/depth.ts';
import { kinesisEvent, PUBLISHED, STREAM_ARN } from '../../support/forwarding.ts';
import { fakeInlet } from '../../support/inlet.ts';
import { plainRuntime } from '../../support/plain-runtime.ts';

const settings = { compression: 'none', unrouted: 'count' } as const;

function routeOf(
  records: Records | undefined,
  at: number,
  more: Partial<PublishedRoute> = {},
): PublishedRoute {
  return { ...PUBLISHED, ...more, pipeline: `p${at}`, datasetId: `d${at}`, ...(records && { records }) };
}

/** The records as each route makes them, by the short way where there is one, and all by the long way. */
async function bothWays(routes: readonly PublishedRoute[], payloads: readonly Uint8Array[]) {
  const received = readEvent(kinesisEvent([...payloads])) as Received;
  const container = createContainer(plainRuntime({ fetch: fakeInlet().fetch }));
  const invocation = { remainingMs: () => 60_000, invocationId: 'i' };
  const isOnly = routes.length === 1;
  const stages = () => {
    const turns = routes.map((route) =>
      startTurn(route, { received, invocation, container, marks: NO_MARKS, isOnly }),
    );
    return streamStages(
      { streamArn: STREAM_ARN, settings, routes },
      turns,
      container.schemas,
      () => undefined,
    );
  };
  const short = stages();
  const { direct: _, ...long } = stages();
  const ways = long.ways.map(({ short: __, ...way }) => way);
  const prepared = (one: typeof short) =>
    prepareAll(
      received.records,
      one,
      createRoom(() => true),
    );
  return {
    direct: short.direct?.(received.records),
    short: told(await prepared(short)),
    long: told(await prepared({ ...long, ways })),
  };
}

function told({ decoded, left, leftOut, routes }: Awaited<ReturnType<typeof prepareAll>>) {
  const leftOutOf = (at: number) =>
    leftOut.messages.filter((_, n) => ((leftOut.by[n] ?? 0) & (1 << at)) !== 0);
  return {
    decoded,
    left,
    routes: routes.map(({ framed, settled }, at) => ({
      framed: framed.map(({ message, slab, start, end }) => [
        message.sequenceNumber,
        slab.toString('latin1', start, end),
      ]),
      // Those that are left out are in a list of their own.
      settled: [...settled, ...leftOutOf(at).map((message) => ({ message, verdict: FILTERED }))]
        .map(({ message, verdict }) => [
          message.sequenceNumber,
          verdict,
          Buffer.from(message.bytes).toString('latin1'),
        ])
        .sort(),
    })),
  };
}

/** Mostly what the conditions look for, so that a difference shows. */
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('type', 'kind', 'é', '') },
  { weight: 2, arbitrary: fc.constantFrom('types', 'typ', '__proto__', 'x', '\ufffd') },
  { weight: 1, arbitrary: fc.constantFrom('\\u0074ype', 'ty\\u0070e', 'a\\/b', 'header', 'body') },
);
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('order', 'ord', 'é', '') },
  { weight: 2, arbitrary: fc.constantFrom('orders', 'o', 'type', '日本', '\ufffd') },
  { weight: 1, arbitrary: fc.constantFrom('\\u006frder', 'or\\"der', '\\u00e9', 'a\\\\b') },
);
const SPACES = ['', '', '', ' ', '\n\t', '\r\n  '];
const space = fc.constantFrom(...SPACES);
const { value } = fc.letrec<{ value: string; member: string; object: string }>((tie) => ({
  value: fc.oneof(
    { weight: 6, arbitrary: text.map((own) => `"${own}"`) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('0', '1', '1.0', '-1e3', '12345678901234567890', 'true', 'null'),
    },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }).map((all) => `[${all.join(',')}]`) },
    { weight: 1, arbitrary: tie('object') },
  ),
  member: fc
    .tuple(space, key, space, space, tie('value'), space)
    .map(([a, name, b, c, own, d]) => `${a}"${name}"${b}:${c}${own}${d}`),
  object: fc.array(tie('member'), { maxLength: 5 }).map((all) => `{${all.join(',')}}`),
}));
const object = fc
  .array(
    fc.tuple(space, key, space, value).map(([a, name, b, own]) => `${a}"${name}"${b}:${b}${own}${a}`),
    { maxLength: 7 },
  )
  .map((all) => `{${all.join(',')}}`);
const payload = fc.oneof(
  { weight: 20, arbitrary: object.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: value.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: object.map((text) => Buffer.from(` \ufeff${text} `.trim())) },
  { weight: 1, arbitrary: object.map((text) => Buffer.from(text.slice(0, -1))) },
  { weight: 1, arbitrary: object.map((text) => Buffer.from(text.replace('order', 'or\xff'), 'latin1')) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
);

const field = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('/type', '/kind', '/é', '/') },
  { weight: 2, arbitrary: fc.constantFrom('/a~1b', '/__proto__', '/type/type', '/x/0', '/\ud800') },
);
const scalar = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('order', 'ord', 'é', '') },
  { weight: 2, arbitrary: fc.constantFrom('a\\b', 'or"der', 'o', '日本', '\ud800', 1, true, null) },
);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ field, equals: scalar }),
  fc.record({ field, notEquals: scalar }),
  fc.record({ field, oneOf: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
  fc.record({ field, exists: fc.boolean() }),
);
const records: fc.Arbitrary<Records | undefined> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 5, arbitrary: fc.array(condition, { minLength: 1, maxLength: 3 }).map((where) => ({ where })) },
  {
    weight: 1,
    arbitrary: condition.map((one) => ({ where: [one], redact: [{ field: '/x', action: 'mask' as const }] })),
  },
  {
    weight: 1,
    arbitrary: condition.map((one) => ({ where: [one], operations: { data: 'merge' as const } })),
  },
);

describe('A 4: conditions on fields at the top are looked up in the bytes', () => {
  it('with the same result as in the parsed record, whatever the record, for one route and for several', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(records, { minLength: 1, maxLength: 4 }),
        fc.array(payload, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (all, payloads, isXdm) => {
          const routes = all.map((one, at) =>
            routeOf(one, at, isXdm && one?.operations === undefined ? { data: 'xdm' } : {}),
          );
          const { short, long } = await bothWays(routes, payloads);
          expect(short).toEqual(long);
        },
      ),
      { numRuns: runs(2_500), seed: 20_261_128 },
    );
  });

  const where = (...conditions: Condition[]) => ({ where: conditions });
  const ORDER = where({ field: '/type', equals: 'order' });
  const RECORD = Buffer.from('{"id":1,"type":"order","items":[{"type":"visit"}]}');

  it.each([
    ['one route', [ORDER]],
    ['several routes', [ORDER, where({ field: '/type', oneOf: ['visit', 'view'] }), undefined]],
    ['a record must lack a field', [where({ field: '/gone', exists: false }), ORDER]],
  ])('%s: an ordinary record is not parsed', async (_, all) => {
    const { direct, short } = await bothWays(
      all.map((one, at) => routeOf(one, at)),
      [RECORD],
    );
    expect(direct?.[0]).toBeDefined();
    const sent = short.routes.map(({ framed }) => framed.map(([, text]) => text));
    expect(sent).toEqual(all.map((one) => (one?.where.some((w) => 'oneOf' in w) ? [] : [RECORD.toString()])));
  });

  it('routes without a frame of their own share the bytes of a record', async () => {
    const received = readEvent(kinesisEvent([RECORD])) as Received;
    const container = createContainer(plainRuntime({ fetch: fakeInlet().fetch }));
    const options = { received, container, marks: NO_MARKS, isOnly: false };
    const routes = [ORDER, ORDER, undefined].map((one, at) => routeOf(one, at));
    const turns = routes.map((route) =>
      startTurn(route, { ...options, invocation: { remainingMs: () => 60_000, invocationId: 'i' } }),
    );
    const stages = streamStages(
      { streamArn: STREAM_ARN, settings, routes },
      turns,
      container.schemas,
      () => undefined,
    );
    const prepared = await prepareAll(
      received.records,
      stages,
      createRoom(() => true),
    );
    expect(new Set(prepared.routes.map(({ framed }) => framed[0]?.slab)).size).toBe(1);
  });

  it('what is unusual goes the long way', async () => {
    const unusual = [
      '{"type":"\\u006frder"}',
      '{"t\\u0079pe":"order"}',
      '\ufeff{"type":"order"}',
      '["order"]',
      '{"type":"order","header":{},"body":{}}',
      `{${Array.from({ length: 300 }, (_, n) => `"f${n}":1`).join(',')},"type":"order"}`,
    ].map((text) => Buffer.from(text));
    const { direct, short, long } = await bothWays([routeOf(ORDER, 0)], unusual);
    expect(direct).toEqual(unusual.map(() => undefined));
    expect(short).toEqual(long);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFramer } from '../../../lib/forward/frame/frame.ts';
import { check } from '../../../lib/forward/json/check.ts';
import type { KinesisRecord } from '../../../lib/forward/read/event.ts';
import { runs } from '../../support/depth.ts';
import { processorSeconds } from '../../support/effort.ts';
import { ALL_SETTLED, PUBLISHED, world } from '../../support/forwarding.ts';
import { pipelineWith } from '../../support/transforming.ts';

// A 10: where a member is there twice, one parser goes by the first and another by the last: what AEP would follow may not hide behind that.

const TWICE: [string, string][] = [
  ['a header behind an instruction', '{"header":{"flowId":"other"},"body":{"a":1},"header":{}}'],
  [
    'an instruction behind a header',
    '{"header":{},"body":{"a":1},"header":{"operations":{"data":"delete"}}}',
  ],
  ['a header that is none', '{"header":{"flowId":"other"},"header":null,"body":{"a":1}}'],
  ['a body that is none', '{"header":{"flowId":"other"},"body":{"a":1},"body":0}'],
  ['a header by an escape', '{"\\u0068eader":{"flowId":"other"},"body":{"a":1},"header":1}'],
  ['a body by an escape', '{"header":{"flowId":"other"},"b\\u006fdy":{"a":1},"body":1}'],
  ['both by escapes', '{"h\\u0065ader":{"flowId":"x"},"\\u0062ody":{},"\\u0068eader":1,"bod\\u0079":1}'],
  ['two headers and no body', '{"header":1,"a":2,"header":3}'],
  ['two bodies and no header', '{"body":{"a":1},"body":{"a":2}}'],
  ['what its header says', '{"header":{"datasetId":"a","x":1,"datasetId":"b"},"body":{}}'],
  ['the schema in its header', '{"header":{"schemaRef":{"id":"a"},"schema\\u0052ef":null},"body":{}}'],
  ['the flow in its header', '{"header":{"flowId":"a","flowId":null},"body":{}}'],
  ['operations in its header', '{"header":{"operations":null,"operations":{"data":"delete"}},"body":{}}'],
];

/** What is nobody's instruction, whoever reads it. */
const SOUND: [string, string][] = [
  ['a name of its own', '{"a":1,"a":2,"\\u0061":3}'],
  ['names that are like them', '{"Header":1,"header ":2,"headers":3,"bod":4,"Body":5,"header":6}'],
  ['further down', '{"x":{"header":1,"header":2,"body":{},"body":{}}}'],
  ['in its header, and nobody’s', '{"header":{"title":1,"title":2},"body":{"text":"x","text":"y"}}'],
  ['in a header beside a text', '{"header":{"datasetId":1,"datasetId":2},"body":"y"}'],
  ['other escapes', '{"caf\\u00e9":1,"stra\\u00dfe":2,"header":3}'],
];

async function forward(published: object, text: string) {
  const own = world({ published });
  expect(JSON.stringify(await own.run([text]))).toBe(ALL_SETTLED);
  return { sent: own.inlet.acknowledged, reasons: own.reasons() };
}

describe('A 10: twice in raw data', () => {
  it.each(TWICE)('%s is refused', async (_, text) => {
    expect(await forward({}, text)).toEqual({ sent: [], reasons: ['envelope'] });
  });

  it.each(TWICE)('%s is refused in what is selected, and where an operation is declared', async (_, text) => {
    const selected = { records: { select: '/after' } };
    expect((await forward(selected, `{"after":${text}}`)).reasons).toEqual(['envelope']);
    expect((await forward({ records: { operations: { data: 'merge' } } }, text)).reasons).toEqual([
      'envelope',
    ]);
    expect((await forward({ records: { derive: ['_id'] } }, text)).reasons).toEqual(['envelope']);
  });

  it.each(SOUND)('%s is sent as it is', async (_, text) => {
    expect(await forward({}, text)).toEqual({ sent: [text], reasons: [] });
  });

  it('is sent once where the pipeline redacts, and so writes the record anew', async () => {
    const records = { redact: [{ field: '/mail', action: 'mask' }] };
    const { sent } = await forward({ records }, '{"header":1,"header":2,"body":3,"mail":"a"}');
    expect(sent).toEqual(['{"header":2,"body":3,"mail":"***"}']);
  });
});

describe('A 10: whatever is there how often, in whatever order and spelling', () => {
  /** A name with some of its letters as escapes. */
  const spelled = (name: string) =>
    fc.array(fc.boolean(), { minLength: name.length, maxLength: name.length }).map((escapes) => {
      const letters = [...name].map((letter, at) =>
        escapes[at] ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
      );
      return { name, text: `"${letters.join('')}"` };
    });
  const plain = (name: string) => fc.constant({ name, text: JSON.stringify(name) });
  const keyOf = (...names: string[]) =>
    fc.oneof(
      ...names.flatMap((name) => [
        { weight: 3, arbitrary: plain(name) },
        { weight: 1, arbitrary: spelled(name) },
      ]),
    );
  interface Pair {
    readonly name: string;
    readonly key: string;
    readonly value: string;
    readonly inner: readonly Pair[];
  }
  const objectOf = (pairs: readonly Pair[]) =>
    `{${pairs.map(({ key, value }) => `${key}:${value}`).join(',')}}`;
  const pairs = (key: fc.Arbitrary<{ name: string; text: string }>, value: fc.Arbitrary<string>) =>
    fc.array(
      fc.tuple(key, value).map(([{ name, text }, one]): Pair => ({ name, key: text, value: one, inner: [] })),
      { maxLength: 4 },
    );
  const inHeader = pairs(keyOf('flowId', 'operations', 'datasetId', 'schemaRef', 'title', 'é'), fc.json());
  const nested = inHeader.map((inner) => ({ value: objectOf(inner), inner, isObject: true }));
  const scalar = fc
    .constantFrom('1', 'null', '"{}"', '[{}]')
    .map((value) => ({ value, inner: [] as Pair[], isObject: false }));
  const member = fc
    .tuple(keyOf('header', 'header', 'body', 'body', 'Header', 'a'), fc.oneof(nested, scalar))
    .map(([{ name, text }, one]) => ({ name, key: text, ...one }));

  /** Every parser there may be: the first or the last of each name, for the whole and for the header. */
  const isFollowedBySomeone = (all: readonly (Pair & { isObject: boolean })[]) => {
    const [headers, bodies] = ['header', 'body'].map((name) =>
      all.filter((one) => one.name === name && one.isObject),
    );
    const says = headers?.some(({ inner }) =>
      inner.some(({ name }) => name === 'flowId' || name === 'operations'),
    );
    return says === true && (bodies?.length ?? 0) > 0;
  };
  const countOf = (all: readonly Pair[], name: string) => all.filter((one) => one.name === name).length;

  it('what any parser could follow is refused, and nothing else but what is there twice', () => {
    const met = { refused: 0, sent: 0 };
    const framer = createFramer(PUBLISHED);
    fc.assert(
      fc.property(fc.array(member, { maxLength: 5 }), (all) => {
        const text = objectOf(all);
        const verdict = check(Buffer.from(text), 'raw');
        const refused = 'kind' in verdict;
        const isTwice = countOf(all, 'header') > 1 || countOf(all, 'body') > 1;
        const [header, body] = ['header', 'body'].map((name) => all.find((one) => one.name === name));
        const saysTwice =
          header?.isObject === true &&
          body?.isObject === true &&
          ['datasetId', 'schemaRef'].some((name) => countOf(header.inner, name) > 1);
        expect(refused).toBe(isTwice || saysTwice || isFollowedBySomeone(all));
        if (refused) expect(verdict).toMatchObject({ reason: 'envelope' });
        met[refused ? 'refused' : 'sent']++;
        // The short way takes nothing that the long way refuses.
        const kinesis = {
          sequenceNumber: '1',
          partitionKey: 'k',
          data: Buffer.from(text).toString('base64'),
        };
        const record: KinesisRecord = { eventSourceARN: PUBLISHED.streamArn, kinesis };
        if (refused) expect(framer.direct?.([record])).toEqual([undefined]);
      }),
      { numRuns: runs(3_000), seed: 20_261_128 },
    );
    expect(Math.min(met.refused, met.sent)).toBeGreaterThan(100);
  });
});

it.each([
  ['headers', `{${'"header":{},'.repeat(80_000)}"body":{}}`],
  ['bodies by escapes', `{${'"bod\\u0079":1,'.repeat(60_000)}"header":{}}`],
  ['members of a header', `{"header":{${'"datasetId":1,'.repeat(70_000)}"x":1},"body":{}}`],
])('A 10: a record of %s alone costs in proportion to its length', async (_, text) => {
  const cost = await processorSeconds(() => {
    for (let time = 0; time < 5; time++)
      expect(check(Buffer.from(text), 'raw')).toMatchObject({ reason: 'envelope' });
  });
  expect(cost).toBeLessThan(3);
});

it('A 10: an XDM message is the entity of its last body: its header is not sent', async () => {
  const text =
    '{"header":{"flowId":"other"},"body":{"xdmEntity":{"a":1}},"header":1,"body":{"xdmEntity":{"b":2}}}';
  const framer = createFramer(pipelineWith(undefined, { data: 'xdm' }));
  const message = { sequenceNumber: '1', partitionKey: 'k', arrivedAt: 0, bytes: Buffer.from(text) };
  const framed = framer.frame({ message, payload: Buffer.from(text) });
  if ('verdict' in framed) throw new Error(framed.verdict.kind);
  const sent = JSON.parse(Buffer.from(framer.body([framed])).toString()).messages[0];
  expect(sent).toMatchObject({ header: { flowId: PUBLISHED.flowId }, body: { xdmEntity: { b: 2 } } });
  expect(Buffer.from(framer.body([framed])).toString()).not.toContain('other');
});

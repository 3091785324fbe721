// Issue 15, `check`: lints that know AEP's rules. Each case is a mistake that AEP or Penstock refuses, and the manifest that --fix makes of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixText } from '../../lib/lint/fix.ts';
import { editJson, jsonPointer } from '../../lib/lint/json-edit.ts';
import { lintsOf } from '../../lib/lint/lint.ts';
import { parseManifest } from '../../lib/manifest.ts';
import { checkPipeline } from '../../local/check/pipeline-check.ts';
import { runs } from '../support/depth.ts';

type Fields = Readonly<Record<string, unknown>>;

const GROUP = { name: 'shop', fields: { shop: { type: 'string' } } };
const MAPPING = [
  { source: 'id', destination: '_id' },
  { source: 'email', destination: 'personalEmail.address' },
  { source: 'shop', destination: '{tenant}.shop' },
];
const SCHEMA = { class: 'profile', fieldGroups: ['profile-personal-details', GROUP] };
const SOURCE = { kind: 'inlet', stream: 'shop', data: 'raw' };
const sound = (more: Fields = {}): Fields => ({
  version: 1,
  name: 'shop',
  sandbox: 'dev1',
  source: SOURCE,
  schema: SCHEMA,
  mapping: MAPPING,
  ...more,
});
const schema = (more: Fields): Fields => sound({ schema: { ...SCHEMA, ...more } });
const fields = (own: Fields): Fields =>
  schema({ fieldGroups: ['profile-personal-details', { ...GROUP, fields: { ...GROUP.fields, ...own } }] });
const where = (...conditions: Fields[]): Fields =>
  sound({ source: { ...SOURCE, records: { where: conditions } } });
const EMAIL = { path: 'personalEmail.address', namespace: 'Email' };
const EVENT = {
  schema: { class: 'experienceevent', fieldGroups: ['experienceevent-web'] },
  mapping: [{ source: 'name', destination: 'web.webPageDetails.name' }],
};
const EVENT_ROWS = ['_id', 'timestamp'].map((member) => ({ source: member, destination: member }));

/** What is wrong, the rule that says so, the manifest as written, and as it is mended. */
const CASES: readonly [string, string, Fields, Fields][] = [
  ['no version', 'version', sound({ version: undefined }), sound()],
  ['a misspelt member', 'word', sound({ sandbox: undefined, sandbx: 'dev1' }), sound()],
  ['a misspelt value', 'word', schema({ class: 'Profiles' }), sound()],
  ['a misspelt field group', 'word', schema({ fieldGroups: ['profile-personal-detials', GROUP] }), sound()],
  ['a pipeline name with blanks', 'name', sound({ name: 'my shop' }), sound({ name: 'my-shop' })],
  ['a sandbox in capitals', 'name', sound({ sandbox: 'Dev1' }), sound()],
  [
    'a name that AEP filters read otherwise',
    'name',
    sound({ dataset: { name: ' Shop, *all ' } }),
    sound({ dataset: { name: 'Shop- -all' } }),
  ],
  ['a title with a quote', 'name', schema({ title: 'The "shop"' }), schema({ title: 'The -shop-' })],
  [
    'a name of a flow with a comparison',
    'name',
    sound({ names: { flow: 'a=b' } }),
    sound({ names: { flow: 'a-b' } }),
  ],
  [
    'a field group in capitals',
    'name',
    schema({ fieldGroups: ['profile-personal-details', { ...GROUP, name: 'My Shop' }] }),
    schema({ fieldGroups: ['profile-personal-details', { ...GROUP, name: 'my-shop' }] }),
  ],
  [
    'an identity missing its namespace',
    'namespace',
    schema({ identities: [{ path: 'personalEmail.address' }] }),
    schema({ identities: [EMAIL] }),
  ],
  [
    'a namespace in another case',
    'namespace',
    schema({ identities: [{ ...EMAIL, namespace: 'email' }] }),
    schema({ identities: [EMAIL] }),
  ],
  [
    'an identity twice',
    'identity-twice',
    schema({ identities: [EMAIL, EMAIL] }),
    schema({ identities: [EMAIL] }),
  ],
  [
    'two primary identities',
    'primary-twice',
    schema({
      identities: [
        { ...EMAIL, primary: true },
        { path: '{tenant}.shop', namespace: 'Shop', primary: true },
      ],
    }),
    schema({
      identities: [
        { ...EMAIL, primary: true },
        { path: '{tenant}.shop', namespace: 'Shop' },
      ],
    }),
  ],
  [
    'Profile without a primary identity',
    'profile-without-identity',
    schema({ profile: true, identities: [EMAIL] }),
    schema({ profile: true, identities: [{ ...EMAIL, primary: true }] }),
  ],
  [
    'Profile without any identity',
    'profile-without-identity',
    schema({ profile: true }),
    schema({ profile: false }),
  ],
  [
    'a dataset in Profile, its schema not',
    'profile',
    sound({ schema: { ...SCHEMA, identities: [{ ...EMAIL, primary: true }] }, dataset: { profile: true } }),
    sound({
      schema: { ...SCHEMA, identities: [{ ...EMAIL, primary: true }], profile: true },
      dataset: { profile: true },
    }),
  ],
  [
    'updates of profiles without Profile',
    'upsert',
    sound({
      schema: { ...SCHEMA, identities: [{ ...EMAIL, primary: true }], profile: true },
      dataset: { upsert: true },
    }),
    sound({
      schema: { ...SCHEMA, identities: [{ ...EMAIL, primary: true }], profile: true },
      dataset: { upsert: true, profile: true },
    }),
  ],
  [
    'a field group twice',
    'group-twice',
    schema({ fieldGroups: ['profile-personal-details', 'profile-personal-details', GROUP] }),
    sound(),
  ],
  [
    'a period for profiles',
    'retention',
    sound({ dataset: { retention: { lake: 'P90D' } } }),
    sound({ dataset: {} }),
  ],
  [
    'a period that is too short',
    'retention',
    sound({ ...EVENT, mapping: [...EVENT.mapping, ...EVENT_ROWS], dataset: { retention: { lake: 'P7D' } } }),
    sound({ ...EVENT, mapping: [...EVENT.mapping, ...EVENT_ROWS], dataset: { retention: { lake: 'P30D' } } }),
  ],
  [
    'a name of a field with "-", which a row of the mapping refers to',
    'field-name',
    sound({
      schema: {
        ...SCHEMA,
        fieldGroups: [
          'profile-personal-details',
          { name: 'shop', fields: { 'the-shop': { type: 'string' } } },
        ],
      },
      mapping: [{ source: 'shop', destination: '{tenant}.the-shop' }],
    }),
    sound({
      schema: {
        ...SCHEMA,
        fieldGroups: ['profile-personal-details', { name: 'shop', fields: { the_shop: { type: 'string' } } }],
      },
      mapping: [{ source: 'shop', destination: '{tenant}.the_shop' }],
    }),
  ],
  [
    'an enum of numbers for a text',
    'enum',
    fields({ size: { type: 'string', enum: [1, 2, 2] } }),
    fields({ size: { type: 'string', enum: ['1', '2'] } }),
  ],
  [
    'an enum of texts for a number, in a list of objects',
    'enum',
    fields({
      sizes: {
        type: 'array',
        items: { type: 'object', properties: { eu: { type: 'integer', enum: ['38'] } } },
      },
    }),
    fields({
      sizes: {
        type: 'array',
        items: { type: 'object', properties: { eu: { type: 'integer', enum: [38] } } },
      },
    }),
  ],
  ['a mapping for XDM', 'raw', sound({ source: { ...SOURCE, data: 'xdm' } }), sound()],
  [
    'a JSONPath as a source',
    'source',
    sound({ mapping: [{ source: '$.a.id', destination: '_id' }] }),
    sound({ mapping: [{ source: 'a.id', destination: '_id' }] }),
  ],
  [
    'a JSON Pointer as a source',
    'source',
    sound({ mapping: [{ source: '/a/id', destination: '_id' }] }),
    sound({ mapping: [{ source: 'a.id', destination: '_id' }] }),
  ],
  [
    'a calculated field as a source',
    'source',
    sound({ mapping: [{ source: 'upper(id)', destination: '_id' }] }),
    sound({ mapping: [{ expression: 'upper(id)', destination: '_id' }] }),
  ],
  [
    'a constant as a source',
    'source',
    sound({ mapping: [{ source: "'shop'", destination: '_id' }] }),
    sound({ mapping: [{ expression: '"shop"', destination: '_id' }] }),
  ],
  [
    'a namespace written out',
    'tenant',
    sound({ mapping: [{ source: 'shop', destination: '_acmelab.shop' }] }),
    sound({ mapping: [{ source: 'shop', destination: '{tenant}.shop' }] }),
  ],
  ['a row twice', 'row-twice', sound({ mapping: [...MAPPING, MAPPING[0]] }), sound()],
  [
    'an event without what every event needs',
    'event',
    sound(EVENT),
    sound({
      ...EVENT,
      source: { ...SOURCE, records: { derive: ['_id', 'timestamp'] } },
      mapping: [...EVENT.mapping, ...EVENT_ROWS],
    }),
  ],
  [
    'a where that is never true: one field of two values',
    'never-true',
    where({ field: '/type', equals: 'a' }, { field: '/type', equals: 'b' }),
    where({ field: '/type', oneOf: ['a', 'b'] }),
  ],
];

/** Every place in it. */
function pointersIn(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => [
    jsonPointer([...path, key]),
    ...pointersIn(one, [...path, key]),
  ]);
}

describe('issue 15: check has lints that know AEP’s rules, and --fix applies each', () => {
  it.each(CASES)('%s (%s)', async (_, rule, written, wanted) => {
    const [before, after] = [written, wanted].map((one) => JSON.stringify(one, null, 2));
    expect(lintsOf(written).map((lint) => lint.rule)).toContain(rule);
    const fixed = fixText(before ?? '', JSON.parse);
    expect(fixed.mended.map((lint) => lint.rule)).toContain(rule);
    expect(fixed.left).toEqual([]);
    expect(JSON.parse(fixed.text)).toEqual(JSON.parse(after ?? ''));
    // What is mended passes the check, and a second time there is nothing to mend.
    expect((await checkPipeline(parseManifest(JSON.parse(fixed.text)), undefined)).mistakes).toEqual([]);
    expect(fixText(fixed.text, JSON.parse).text).toBe(fixed.text);
  });

  it.each([
    [
      'a namespace that only the author knows',
      schema({ identities: [{ path: '{tenant}.shop' }] }),
      'namespace',
    ],
    [
      'a choice of two identities',
      schema({ profile: true, identities: [EMAIL, { path: '{tenant}.shop', namespace: 'Shop' }] }),
      'profile-without-identity',
    ],
    [
      'a dataset in Profile whose schema identifies nothing',
      sound({ schema: { ...SCHEMA, profile: true }, dataset: { profile: true } }),
      'profile-without-identity',
    ],
    ['a value of no number', fields({ size: { type: 'integer', enum: ['L'] } }), 'enum'],
    ['two fields of one name', fields({ 'a-b': { type: 'string' }, a_b: { type: 'string' } }), 'field-name'],
    [
      'a where that is never true: above and below',
      where({ field: '/size', greaterThan: 5 }, { field: '/size', lessThan: 3 }),
      'never-true',
    ],
    [
      'a where that is never true: absent, and of a value',
      where({ field: '/size', exists: false }, { field: '/size', equals: 3 }),
      'never-true',
    ],
  ])('%s is told and left to the author', (_, written, rule) => {
    const text = JSON.stringify(written);
    const { text: after, left } = fixText(text, JSON.parse);
    expect([after, left.map((lint) => lint.rule)]).toEqual([text, [rule]]);
  });

  it.each([
    ['a sound one', sound()],
    [
      'conditions that can hold together',
      where({ field: '/a', equals: 1 }, { field: '/b', equals: 2 }, { field: '/a', oneOf: [1, 2] }),
    ],
    ['an existing schema', sound({ schema: { id: 'https://ns.adobe.com/acmelab/schemas/1' } })],
    ['an own namespace', schema({ identities: [{ path: '{tenant}.shop', namespace: 'CRMID' }] })],
  ])('%s has none', (_, written) => {
    expect(lintsOf(written)).toEqual([]);
  });

  it('whatever stands at whatever place: it comes to an end, and what it wrote is JSON without anything to mend', () => {
    const written = CASES.map(([, , one]) => JSON.parse(JSON.stringify(one)) as Fields);
    const places = written.flatMap((one, index) => pointersIn(one).map((at) => ({ index, at })));
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 2 }), ({ index, at }, value) => {
        const text = editJson(JSON.stringify(written[index], null, 2), [{ op: 'set', at, value }]);
        const fixed = fixText(text, JSON.parse);
        expect(fixed.left.filter(({ edits }) => edits !== undefined)).toEqual([]);
        expect(() => JSON.parse(fixed.text)).not.toThrow();
      }),
      { numRuns: runs(1_000) },
    );
  });

  it.each([null, 7, 'text', [], { schema: 7, mapping: {}, source: [], names: 1 }])(
    'what is no manifest at all does not stop it: %j',
    (written) => {
      expect(() => lintsOf(written)).not.toThrow();
    },
  );
});

describe('issue 15, check --fix never makes a manifest worse', () => {
  it('a misspelt member beside the right one is left to the author', () => {
    const text = JSON.stringify(sound()).replace('"sandbox"', '"nmae":"other","sandbox"');
    const fixed = fixText(text, JSON.parse);
    expect(fixed.text).toBe(text);
    expect(fixed.left.map(({ at }) => at)).toEqual(['/nmae']);
  });

  it('of two members of one name it mends the one that counts', () => {
    const text = JSON.stringify(sound()).replace('"name":"shop"', '"name":"left","name":"my shop"');
    expect(fixText(text, JSON.parse)).toMatchObject({ text: text.replace('my shop', 'my-shop'), left: [] });
  });

  it('an item is added to a list alone', () => {
    const text = '{"derive":{"_id":1}}';
    expect(editJson(text, [{ op: 'set', at: '/derive/-', value: 'timestamp' }])).toBe(text);
  });
});
